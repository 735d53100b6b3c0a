/** A run as a timeline for people: what happened, in order, and what was wrong with it. Made to be read where a test fails. */
import { match } from "ts-pattern";
import type { Happening } from "../oracles/history.ts";
import type { Violation } from "../oracles/law.ts";
import { type FaultHappening, type LogLine, worthTelling } from "./log.ts";
import { Names } from "./names.ts";
import { clip, operationWords, recordWords, spanOf, type Telling, TOLD } from "./words.ts";

const COLUMNS_MAX = 120;
const VIOLATIONS_MAX = 10;

/**
 * One line per happening: its time since the start, the saga where there are several, the process where there are several, and what happened in words, with steps by name.
 * Faults that were put in are marked with "✗". Then the laws that were broken, with the two values that should agree. No line is longer than 120 columns; what is longer goes
 * on below itself.
 */
export function timelineOf(log: readonly LogLine[], violations: readonly Violation[] = []): string {
  const lines = new Timeline(log).lines();
  return [...lines, ...(violations.length === 0 ? [] : [...(lines.length === 0 ? [] : [""]), ...violationLines(violations)])].join("\n");
}

interface Row {
  readonly time: string;
  readonly saga: string;
  readonly process: string;
  readonly mark: string;
  readonly text: string;
}

class Timeline {
  readonly #log: readonly LogLine[];
  readonly #names: Names;
  readonly #startMs: number;
  /** How often each operation was called, and what each call was about. */
  readonly #attempts = new Map<string, number>();
  readonly #calls = new Map<string, string>();
  readonly #callers = new Map<string, number>();

  constructor(log: readonly LogLine[]) {
    this.#log = worthTelling(log);
    this.#names = new Names(this.#log);
    this.#startMs = log[0]?.atMs ?? 0;
  }

  lines(): readonly string[] {
    const rows = this.#log.map((line) => this.#row(line));
    const width = (column: "time" | "saga" | "process"): number => Math.max(0, ...rows.map((row) => row[column].length));
    const [time, saga, process] = [width("time"), width("saga"), width("process")];
    // What is told already is not told again: so it is seen where time passes, and where another process comes in.
    const newTime = sayingOnce();
    const newProcess = sayingOnce();
    return rows.flatMap((row) => {
      const columns = [newTime(row.time).padStart(time), row.saga.padEnd(saga), newProcess(row.process).padEnd(process), row.mark];
      const before = columns.filter((column) => column !== "").join("  ");
      return wrapped(`${before} `, row.text);
    });
  }

  #row({ atMs, sagaId, happening }: LogLine): Row {
    const { sagas, lives } = this.#names;
    const life = this.#lifeOf(sagaId, happening);
    return {
      time: `+${spanOf(atMs - this.#startMs)}`,
      saga: sagas.size > 1 ? (sagaId ?? "") : "",
      process: lives.size > 1 && life !== undefined ? `process ${life}` : "",
      mark: happening._tag === "Fault" ? "✗" : " ",
      text: this.#words(happening, { names: this.#names, sagaId, startMs: this.#startMs }),
    };
  }

  #lifeOf(sagaId: string | undefined, happening: Happening | FaultHappening): number | undefined {
    if (happening._tag === "Called") this.#callers.set(`${sagaId} ${happening.call}`, happening.life);
    if (happening._tag === "Answered") return this.#callers.get(`${sagaId} ${happening.call}`);
    return "life" in happening ? happening.life : undefined;
  }

  #words(happening: Happening | FaultHappening, telling: Telling): string {
    const { names, sagaId } = telling;
    const named = (key: string): string => names.ofKey(sagaId, key);
    const callOf = (call: number): string => this.#calls.get(`${sagaId} ${call}`) ?? `call ${call}`;
    return match(happening)
      .returnType<string>()
      .with({ _tag: "Fault" }, ({ text }) => text)
      .with({ _tag: "Committed" }, (committed) => `journal: ${recordWords(committed, telling)}`)
      .with({ _tag: "Called" }, ({ call, key, slot }) => {
        const about = operationWords(slot, named(key));
        const attempt = (this.#attempts.get(`${slot} ${key}`) ?? 0) + 1;
        this.#attempts.set(`${slot} ${key}`, attempt);
        this.#calls.set(`${sagaId} ${call}`, about);
        return `→ ${about}${attempt === 1 ? "" : `, attempt ${attempt}`}`;
      })
      .with({ _tag: "Answered" }, ({ call, told }) => `← ${callOf(call)}: ${TOLD[told]}`)
      .with({ _tag: "Delivered" }, ({ key, slot, body }) => `  ${operationWords(slot, named(key))} is answered: ${clip(body)}`)
      .with({ _tag: "Applied" }, ({ key }) => `  ${named(key)} takes effect`)
      .with({ _tag: "TakenBack" }, ({ key }) => `  ${named(key)} is taken back`)
      .with({ _tag: "Adopted" }, () => "takes the saga over")
      .with({ _tag: "Died" }, ({ life }) => (names.lives.size > 1 ? "dies" : `process ${life} dies`))
      .with({ _tag: "SignalAnswered" }, ({ answer }) => `the sender of a signal is told: ${answer}`)
      .with({ _tag: "CancelAnswered" }, ({ answer }) => `who cancels is told: ${answer}`)
      .with({ _tag: "Acknowledged" }, ({ record }) => `record ${record} was heard of`)
      .exhaustive();
  }
}

/** Hands a word on, but for one that was handed on last; nothing is no word. */
function sayingOnce(): (word: string) => string {
  let last = "";
  return (word) => {
    if (word === "" || word === last) return "";
    last = word;
    return word;
  };
}

function violationLines(violations: readonly Violation[]): readonly string[] {
  const shown = violations.slice(0, VIOLATIONS_MAX);
  const more = violations.length - shown.length;
  return [...shown.flatMap(violationWords), ...(more > 0 ? [`and ${more} more`] : [])];
}

function violationWords({ law, says, message, sagaId, values }: Violation): readonly string[] {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["law", says === law ? undefined : says],
    ["broken by", values === undefined ? message : undefined],
    ["expected", values?.expected],
    ["found", values?.found],
  ];
  return [
    ...wrapped("✗ broken: ", sagaId === undefined ? law : `${law}, by saga ${sagaId}`),
    ...rows.flatMap(([title, text]) => (text === undefined ? [] : wrapped(`  ${title.padEnd(9)}  `, text))),
  ];
}

/** Text behind `before`; what goes beyond the last column goes on below itself. */
function wrapped(before: string, text: string): readonly string[] {
  const room = COLUMNS_MAX - before.length;
  const lines: string[] = [];
  let rest = text.replaceAll(/\s*\n\s*/g, " ");
  while (rest.length > room) {
    const space = rest.lastIndexOf(" ", room);
    const end = space > room / 2 ? space : room;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  lines.push(rest);
  return lines.map((line, index) => `${index === 0 ? before : " ".repeat(before.length)}${line}`.trimEnd());
}
