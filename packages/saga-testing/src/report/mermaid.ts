/** A run as a Mermaid sequence diagram: processes and participants side by side, lost messages as crosses, faults and the broken law as notes. */
import type { Answered, Called, Committed, Delivered, Told } from "../oracles/history.ts";
import type { Violation } from "../oracles/law.ts";
import { type LogLine, worthTelling } from "./log.ts";
import { Names } from "./names.ts";
import { clip, entryWords, operationWords, recordWords, type Telling, TOLD } from "./words.ts";

export interface MermaidOptions {
  /** Whether every record is a note. Otherwise only those are told that say where the saga goes: back, to its end, or nowhere. */
  readonly journal?: boolean | undefined;
}

export function mermaidOf(
  log: readonly LogLine[],
  violations: readonly Violation[] = [],
  { journal = false }: MermaidOptions = {},
): string {
  return new Diagram(log, journal).text(violations);
}

/** What became of a call, by places in the log. */
interface Fate {
  readonly life: number;
  readonly slot: Called["slot"];
  readonly name: string;
  readonly participant: string;
  readonly deliveredAt: number[];
  answeredAt: number | undefined;
  told: Told | undefined;
}

/** What only a participant that was reached can have said. */
const REACHED: ReadonlySet<Told> = new Set(["Succeeded", "Garbled", "Refused", "Sealed", "TurnedAway", "Faulted"]);
const SILENT: ReadonlySet<Told> = new Set(["Doubt", "NotSent"]);
const TURNS: ReadonlySet<string> = new Set(["WentBack", "SagaCompleted", "SagaCompensated", "OperatorAbandoned", "OperationParked"]);

class Diagram {
  readonly #log: readonly LogLine[];
  readonly #journal: boolean;
  readonly #names: Names;
  readonly #startMs: number;
  readonly #fates = new Map<string, Fate>();
  /** Participants by name, in order of their first call. */
  readonly #participants = new Map<string, string>();
  /** What each participant was asked last. */
  readonly #asked = new Map<string, Fate>();
  readonly #lines: string[] = [];
  /** The process that did something last. */
  #life: number;

  constructor(log: readonly LogLine[], journal: boolean) {
    this.#log = worthTelling(log);
    this.#journal = journal;
    this.#names = new Names(this.#log);
    this.#startMs = log[0]?.atMs ?? 0;
    for (const [at, line] of this.#log.entries()) this.#foresee(line, at);
    this.#life = Math.min(...this.#lives());
  }

  text(violations: readonly Violation[]): string {
    for (const [at, line] of this.#log.entries()) this.#draw(line, at);
    const [violation] = violations;
    if (violation !== undefined) this.#note(this.#everybody(), `✗ broken: ${violation.law}`, violationWords(violation));
    const heads = [
      ...this.#lives().map((life) => `  participant life${life} as process ${life}`),
      ...[...this.#participants].map(([name, id]) => `  participant ${id} as ${escaped(name)}`),
    ];
    return ["sequenceDiagram", ...heads, ...this.#lines.map((line) => `  ${line}`)].join("\n");
  }

  #lives(): readonly number[] {
    const lives = [...this.#names.lives].toSorted((left, right) => left - right);
    return lives.length === 0 ? [1] : lives;
  }

  #everybody(): string {
    const ids = [...this.#lives().map((life) => `life${life}`), ...this.#participants.values()];
    const [first = "life1"] = ids;
    const last = ids.at(-1) ?? first;
    return first === last ? first : `${first},${last}`;
  }

  #foresee({ sagaId, happening }: LogLine, at: number): void {
    if (happening._tag === "Called") this.#fates.set(`${sagaId} ${happening.call}`, this.#fateOf(sagaId, happening));
    if (happening._tag === "Delivered") this.#fates.get(`${sagaId} ${happening.call}`)?.deliveredAt.push(at);
    if (happening._tag !== "Answered") return;
    const fate = this.#fates.get(`${sagaId} ${happening.call}`);
    if (fate === undefined) return;
    fate.answeredAt = at;
    fate.told = happening.told;
  }

  #fateOf(sagaId: string | undefined, { life, slot, key }: Called): Fate {
    const participant = this.#names.participantOf(key);
    const id = this.#participants.get(participant) ?? `p${this.#participants.size + 1}`;
    this.#participants.set(participant, id);
    const name = `${this.#ofSaga(sagaId)}${operationWords(slot, this.#names.shortOf(sagaId, key))}`;
    return { life, slot, name, participant: id, deliveredAt: [], answeredAt: undefined, told: undefined };
  }

  #ofSaga(sagaId: string | undefined): string {
    return this.#names.sagas.size > 1 && sagaId !== undefined ? `${sagaId}: ` : "";
  }

  #draw({ sagaId, happening }: LogLine, at: number): void {
    if ("life" in happening) this.#life = happening.life;
    const here = `life${this.#life}`;
    const of = this.#ofSaga(sagaId);
    if (happening._tag === "Called") this.#request(this.#fates.get(`${sagaId} ${happening.call}`));
    if (happening._tag === "Delivered") this.#delivery(this.#fates.get(`${sagaId} ${happening.call}`), happening, at);
    if (happening._tag === "Answered") this.#response(this.#fates.get(`${sagaId} ${happening.call}`), happening);
    if (happening._tag === "Committed") this.#record(happening, of, { names: this.#names, sagaId, startMs: this.#startMs });
    if (happening._tag === "Died") this.#note(here, `process ${happening.life} dies`);
    if (happening._tag === "Adopted") this.#note(here, `${of}process ${happening.life} takes the saga over`);
    if (happening._tag === "SignalAnswered") this.#note(here, `${of}the sender of a signal is told: ${happening.answer}`);
    if (happening._tag === "CancelAnswered") this.#note(here, `${of}who cancels is told: ${happening.answer}`);
    if (happening._tag === "Fault") this.#note(here, `✗ ${of}${happening.text}`);
  }

  #request(fate: Fate | undefined): void {
    if (fate === undefined) return;
    const { deliveredAt, told } = fate;
    const arrives = isTimely(fate) || (deliveredAt.length === 0 && told !== undefined && REACHED.has(told));
    const arrow = arrives ? "->>" : deliveredAt.length > 0 ? "-)" : "-x";
    this.#asked.set(fate.participant, fate);
    const words = arrives ? fate.name : `${fate.name} (${deliveredAt.length > 0 ? "arrives later" : "lost"})`;
    this.#message(`life${fate.life}`, arrow, fate.participant, words);
  }

  #delivery(fate: Fate | undefined, { body }: Delivered, at: number): void {
    if (fate === undefined) return;
    const first = at === fate.deliveredAt[0];
    if (!first || !isTimely(fate)) {
      this.#note(fate.participant, `${fate.name} arrives ${first ? "late" : "again"} and is answered: ${clip(body)}`);
    } else if (fate.answeredAt === undefined) this.#message(fate.participant, "--x", `life${fate.life}`, `${clip(body)} (nobody is there)`);
  }

  #response(fate: Fate | undefined, { told }: Answered): void {
    if (fate === undefined) return;
    const { participant, life } = fate;
    const [lost, arrow] = SILENT.has(told) ? (["answer lost", "--x"] as const) : ([undefined, "-->>"] as const);
    if (lost !== undefined && !isTimely(fate)) return;
    // Where it has been asked something else meanwhile, an answer says what it answers.
    const about = this.#asked.get(participant) === fate ? "" : `${fate.name}: `;
    this.#message(participant, arrow, `life${life}`, `${about}${lost ?? TOLD[told]}`);
  }

  #record(committed: Committed, of: string, telling: Telling): void {
    const here = `life${committed.life}`;
    if (this.#journal) this.#note(here, `${of}journal: ${recordWords(committed, telling)}`);
    else {
      const turns = committed.entries.filter(({ _tag }) => TURNS.has(_tag)).map((entry) => entryWords(entry, telling));
      if (turns.length > 0) this.#note(here, `${of}${turns.join("; ")}`);
    }
  }

  #message(from: string, arrow: string, to: string, text: string): void {
    this.#lines.push(`${from}${arrow}${to}: ${escaped(text)}`);
  }

  #note(over: string, ...lines: readonly string[]): void {
    this.#lines.push(`Note over ${over}: ${lines.map(escaped).join("<br/>")}`);
  }
}

/** Whether a request arrived before its caller learned anything, and so may be what the caller heard of. */
function isTimely({ deliveredAt, answeredAt = Number.POSITIVE_INFINITY }: Fate): boolean {
  const [first] = deliveredAt;
  return first !== undefined && first < answeredAt;
}

function violationWords({ message, values }: Violation): string {
  return values === undefined ? message : `expected ${clip(values.expected)}, found ${clip(values.found)}`;
}

/** What Mermaid would take for the start of a comment, the end of a statement, a tag or a directive. */
const ENTITIES: Readonly<Record<string, string>> = { "#": "#35;", ";": "#59;", "<": "#lt;", ">": "#gt;", "%%": "#37;#37;" };

/** Text as Mermaid shows it, in one line; it takes none for a mistake. */
function escaped(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line === "" ? "-" : line.replaceAll(/[#;<>]|%%/g, (found) => ENTITIES[found] ?? found);
}
