/**
 * One run: sagas from their start to their end under one schedule, in two phases. In the first, faults strike; in the second nothing goes wrong any more, an operator
 * repeats what is parked, and everything must come to an end. A run follows from (cast, schedule) alone.
 */
import type { AnySaga, Signal } from "@backstep/saga-core";
import { createEngine, type SagaParked, type SagaRequestInvalid } from "@backstep/saga-core";
import { canonicalJson, type Json, type Tagged, toJson } from "@backstep/saga-core/adapter";
import { decodeRecord } from "@backstep/saga-core/engine";
import { type AppendRequest, createMemoryDisk, createMemoryStore, type MemoryDisk, type OutboxEvent } from "@backstep/saga-core/journal";
import type { Answer, Committed, Happening, History } from "../oracles/history.ts";
import type { Violation } from "../oracles/law.ts";
import type { Site } from "../participants/site.ts";
import type { LogLine } from "../report/log.ts";
import { Choices, type Named, type Picked, type Point } from "../schedule/choices.ts";
import { type AppendFault, appendFaults, type FaultName } from "../schedule/fault.ts";
import { DECISION, type Deviation, formatSchedule } from "../schedule/schedule.ts";
import { Ledger } from "./ledger.ts";
import { Network } from "./network.ts";
import { type Process, startProcess } from "./process.ts";
import { seeded } from "./random.ts";
import { JournalDigests, stateOf, timelessEntries } from "./state.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What takes part in a run, made anew for each. */
export interface Cast<Participants> {
  readonly participants: Participants;
  readonly saga: AnySaga;
}

/** Somebody outside, to whom processes are one engine that is sometimes away. */
export interface Outside {
  readonly sagaIds: readonly string[];
  /** Virtual time. */
  sleep(delayMs: number): Promise<void>;
  /** Sends until it is taken, or refused for good. */
  signal<Given, Payload>(sagaId: string, signal: Signal<string, Given, Payload>, payload: NoInfer<Given>, key: string): Promise<void>;
  cancel(sagaId: string, reason: string): Promise<void>;
}

export interface Script<Participants> {
  readonly assemble: (site: Site) => Cast<Participants> | PromiseLike<Cast<Participants>>;
  /** Looks at the participants before anything happens, and judges the run afterwards. Like all else here it goes on by microtasks alone. */
  readonly judge: (cast: Cast<Participants>) => Promise<(run: Run<Participants>) => Promise<readonly Violation[]>>;
  /** One saga is started per input, all at once. */
  readonly inputs: readonly unknown[];
  readonly outside?: ((outside: Outside) => Promise<void>) | undefined;
  /** Handed every event that was committed, at the end, and each of them twice, as a relay may. */
  readonly onEvent?: ((event: OutboxEvent, participants: Participants) => void | PromiseLike<void>) | undefined;
  /** The longest time that a message is on its way, in milliseconds, in a run with a seed. Default 20. */
  readonly delayMsMax?: number | undefined;
  readonly evictAfterMs?: number | undefined;
  /** Default: the engine of this version. */
  readonly createEngine?: typeof createEngine | undefined;
  /** What of the participants tells one state from another; given, equal futures are run once. */
  readonly state?: ((participants: Participants) => unknown) | undefined;
}

export interface Plan {
  readonly deviations: readonly (Deviation | Picked | Named)[];
  readonly seed?: number | undefined;
}

/** A run and what in it breaks which law. */
export interface Judged<Participants> {
  readonly run: Run<Participants>;
  readonly violations: readonly Violation[];
}

/** What is left of a run. */
export interface Run<Participants> {
  readonly participants: Participants;
  readonly saga: AnySaga;
  /** Of the sagas that were parked in the first phase, until then; and of all, at the end. */
  readonly parked: readonly History[];
  readonly histories: readonly History[];
  readonly commits: readonly (Committed & { readonly sagaId: string })[];
  readonly log: readonly LogLine[];
  readonly points: readonly Point[];
  readonly taken: readonly Deviation[];
}

const RESTART_MS = 20;
const ASK_AGAIN_MS = 50;
/** So often an operator repeats what parks again. */
const ROUNDS_MAX = 5;
/** Time passes this often, and no end is in sight. */
const JUMPS_MAX = 20_000;
/** So many turns in which nothing sleeps and nothing happens: more than any chain of promises that goes on by itself could need. */
const IDLE_TURNS_MAX = 1_000;
const DELAY_MS_MAX = 20;
const OPERATOR = { by: "operator", reason: "what went wrong is mended" } as const;

export class Simulation<Participants> {
  readonly #script: Script<Participants>;
  readonly #clock = new VirtualClock();
  readonly #disk: MemoryDisk = createMemoryDisk();
  readonly #choices: Choices;
  readonly #network: Network;
  readonly #site: Site;
  #cast: Cast<Participants> | undefined;
  readonly #random: () => number;
  readonly #timer = this.#clock.timer();
  readonly #sagaIds: readonly string[];
  readonly #happenings = new Map<string, Happening[]>();
  readonly #commits: (Committed & { readonly sagaId: string })[] = [];
  readonly #log: LogLine[] = [];
  readonly #seed: number | undefined;
  readonly #stuck = Promise.withResolvers<"stuck">();
  readonly #failed = Promise.withResolvers<never>();
  #idleTurns = 0;
  #isStuck = false;
  #process: Process | undefined;
  readonly #processes: Process[] = [];
  readonly #journals = new JournalDigests();
  #comesBack = Promise.withResolvers<void>();
  /** Resolves when the run is over. */
  readonly ended: Promise<Judged<Participants>>;
  done = false;

  constructor(script: Script<Participants>, { deviations, seed }: Plan) {
    this.#script = script;
    this.#seed = seed;
    this.#failed.promise.catch(() => undefined);
    this.#choices = new Choices(deviations);
    this.#random = seeded(seed ?? 0);
    this.#sagaIds = script.inputs.map((_, index) => `s${index + 1}`);
    for (const sagaId of this.#sagaIds) this.#happenings.set(sagaId, []);
    const ledger = new Ledger((effect) => this.#record(sagaOf(effect.key), effect));
    const choices = this.#choices;
    this.#site = {
      now: () => this.#clock.now(),
      effects: ledger,
      choose: (question, alternatives) => {
        const [first, ...others] = checkedAlternatives(question, alternatives);
        return choices.at({ label: `${question} decides`, place: { _tag: "Decision" }, choices: others, decides: true }) ?? first;
      },
    };
    const delayMsMax = seed === undefined ? 0 : (script.delayMsMax ?? DELAY_MS_MAX);
    const delays = seeded((seed ?? 0) + 1);
    this.#network = new Network({
      clock: this.#clock,
      choices,
      ledger,
      record: (sagaId, happening) => this.#record(sagaId, happening),
      strike: (sagaId, fault) => this.#strike(sagaId, fault),
      delayMs: () => (delayMsMax === 0 ? 0 : Math.floor(delays() * delayMsMax)),
      takeOver: (from) => this.#takeOver(from),
    });
    this.ended = Promise.race([this.#judged(), this.#failed.promise]).finally(() => {
      this.done = true;
    });
    // Whoever runs it hears of what went wrong, maybe later than a host thinks fit.
    this.ended.catch(() => undefined);
  }

  /** Called when all that can be done at this moment is done: time passes. */
  advance(): void {
    if (this.#clock.jumps <= JUMPS_MAX && this.#clock.jump()) return;
    this.#isStuck = true;
    this.#stuck.resolve("stuck");
    this.#idleTurns += 1;
    if (this.#idleTurns > IDLE_TURNS_MAX)
      this.#fail(new Error("it waits for something that is neither virtual time nor done at once: a timer, a file, the network"));
  }

  /** Not the saga's fault, but that of what was handed in. */
  #fail(thrown: unknown): void {
    const schedule = formatSchedule({ deviations: this.#choices.taken, seed: this.#seed });
    const error = new ProofFailed(schedule, thrown);
    this.#failed.reject(error);
  }

  async #judged(): Promise<Judged<Participants>> {
    try {
      const cast = await this.#script.assemble(this.#site);
      this.#cast = cast;
      const judge = await this.#script.judge(cast);
      const run = await this.#live(cast);
      assertStarted(run.histories);
      return { run, violations: await judge(run) };
    } catch (thrown) {
      this.#fail(thrown);
      return this.#failed.promise;
    }
  }

  async #live({ participants, saga }: Cast<Participants>): Promise<Run<Participants>> {
    this.#open();
    const outside = this.#script.outside?.(this.#outside());
    outside?.catch((thrown: unknown) => this.#fail(thrown));
    const parked: History[] = [];
    const first = await Promise.all(
      this.#sagaIds.map(async (_, index) => {
        const answer = await this.#untilAnswered(index);
        if (isParked(answer)) parked.push(untilParked(this.#history(index, answer, answer, false)));
        return answer;
      }),
    );
    this.#choices.stop();
    this.#network.heal();
    const answers = await Promise.all(first.map(async (answer, index) => (isParked(answer) ? this.#operate(index, answer) : answer)));
    if (!this.#isStuck) {
      await Promise.race([outside, this.#stuck.promise]);
      await Promise.race([this.#network.drain(), this.#stuck.promise]);
      await this.#publish(participants);
    }
    const later = await this.#askAgain(answers);
    this.#process?.die();
    return {
      participants,
      saga,
      parked,
      histories: answers.map((answer, index) => this.#history(index, answer, later[index] ?? answer, isParked(first[index]))),
      commits: this.#commits,
      log: this.#log,
      points: this.#choices.points,
      taken: this.#choices.taken,
    };
  }

  #history(index: number, answer: Answer, answerLater: Answer, repeated: boolean): History {
    const sagaId = this.#sagaIds[index] ?? "";
    return { sagaId, happenings: (this.#happenings.get(sagaId) ?? []).slice(), answer, answerLater, repeated };
  }

  async #publish(participants: Participants): Promise<void> {
    const { onEvent } = this.#script;
    if (onEvent === undefined) return;
    for (const event of this.#commits.flatMap(({ outbox }) => outbox)) {
      await onEvent(event, participants);
      await onEvent(event, participants);
    }
  }

  // Callers, who know only an id and an input.

  async #untilAnswered(index: number): Promise<Answer> {
    for (;;) {
      const process = await Promise.race([this.#present(), this.#stuck.promise]);
      if (process === "stuck") return { _tag: "Stuck" };
      const answer = await Promise.race([this.#ask(process, index), process.over, this.#stuck.promise]);
      if (answer === "stuck") return { _tag: "Stuck" };
      if (answer === "over") continue;
      if (answer._tag !== "Failed" || answer.error._tag !== "SagaUnavailable") return answer;
      await Promise.race([this.#timer.sleep(ASK_AGAIN_MS), this.#stuck.promise]);
    }
  }

  get #saga(): AnySaga {
    if (this.#cast === undefined) throw new Error("no run without a cast");
    return this.#cast.saga;
  }

  async #ask({ engine }: Process, index: number): Promise<Answer> {
    const id = this.#sagaIds[index] ?? "";
    const saga = this.#saga;
    const answered = await (this.#disk.sagas.has(id) ? engine.result(saga, id) : engine.run(saga, this.#script.inputs[index], { id }));
    return answered.match<Answer>(
      (output) => ({ _tag: "Completed", output: output as Json | undefined }),
      (error) => ({ _tag: "Failed", error: error as Tagged }),
    );
  }

  async #askAgain(answers: readonly Answer[]): Promise<readonly Answer[]> {
    if (this.#isStuck) return answers;
    this.#process?.die();
    this.#open();
    return Promise.all(answers.map((_, index) => this.#untilAnswered(index)));
  }

  async #operate(index: number, answer: Answer): Promise<Answer> {
    let found = answer;
    for (let round = 0; round < ROUNDS_MAX && isParked(found); round += 1) {
      const process = await Promise.race([this.#present(), this.#stuck.promise]);
      if (process === "stuck") return { _tag: "Stuck" };
      const { operations } = (found as Extract<Answer, { _tag: "Failed" }>).error as unknown as SagaParked;
      for (const { path, slot } of operations) {
        await Promise.race([process.engine.retry(this.#sagaIds[index] ?? "", { ...OPERATOR, path, slot }), this.#stuck.promise]);
      }
      found = await this.#untilAnswered(index);
    }
    return found;
  }

  #outside(): Outside {
    const reach = async (once: (process: Process) => PromiseLike<boolean>): Promise<void> => {
      for (;;) {
        const process = await this.#present();
        const reached = await Promise.race([once(process), process.over]);
        if (reached === true) return;
        await this.#timer.sleep(ASK_AGAIN_MS);
      }
    };
    const settled = (error: Tagged): boolean => error._tag !== "SagaUnavailable" && error._tag !== "SagaNotFound";
    return {
      sagaIds: this.#sagaIds,
      sleep: (delayMs) => this.#timer.sleep(delayMs),
      signal: (sagaId, signal, payload, key) =>
        reach(({ engine }) =>
          engine.signal(sagaId, signal, payload, { key }).match(
            () => this.#signalAnswered(sagaId, key, payload, "taken"),
            (error) => settled(error) && this.#signalAnswered(sagaId, key, payload, reasonOf(error)),
          ),
        ),
      cancel: (sagaId, reason) =>
        reach(({ engine }) =>
          engine.cancel(sagaId, reason).match(
            () => this.#cancelAnswered(sagaId, "taken"),
            (error) => settled(error) && this.#cancelAnswered(sagaId, reasonOf(error)),
          ),
        ),
    };
  }

  #signalAnswered(sagaId: string, key: string, payload: unknown, answer: string): true {
    this.#record(sagaId, { _tag: "SignalAnswered", key, payload: payload as Json | undefined, answer });
    return true;
  }

  #cancelAnswered(sagaId: string, answer: string): true {
    this.#record(sagaId, { _tag: "CancelAnswered", answer });
    return true;
  }

  // Processes, and what befalls them.

  #open(): void {
    const { createEngine: create = createEngine, evictAfterMs } = this.#script;
    this.#process = startProcess(this.#processes.length + 1, {
      clock: this.#clock,
      disk: this.#disk,
      random: this.#random,
      sagas: [this.#saga],
      createEngine: create,
      evictAfterMs,
      transportOf: (process) => this.#network.transportOf(process),
      onAppend: (process, request) => this.#onAppend(process, request),
      onCommitted: (process, request) => this.#onCommitted(process, request),
      onAcknowledged: ({ life }, { sagaId, sequence }) => this.#record(sagaId, { _tag: "Acknowledged", life, record: sequence }),
      onClaimed: ({ life }, sagaId) => this.#record(sagaId, { _tag: "Adopted", life }),
      onDeath: ({ life }) => this.#onDeath(life),
    });
    this.#processes.push(this.#process);
    this.#comesBack.resolve();
  }

  /** The process that answers now; the next one, while there is none. */
  async #present(): Promise<Process> {
    while (this.#process?.alive !== true) await this.#comesBack.promise;
    return this.#process;
  }

  #onAppend(process: Process, request: AppendRequest): AppendFault | undefined {
    const { sagaId } = request;
    const chosen = this.#choices.at(this.#pointOf(process, request)) as AppendFault | undefined;
    if (chosen === undefined) return undefined;
    this.#strike(sagaId, chosen);
    if (chosen === "take-over") {
      // On the disk at once, so that this very append comes too late.
      void createMemoryStore({ disk: this.#disk, now: () => this.#clock.now() }).claim(sagaId);
      this.#takeOver(process);
    }
    if (chosen === "cancel") void this.#outside().cancel(sagaId, "changed my mind");
    if (chosen === "pass-deadline") this.#passDeadline(sagaId);
    return chosen;
  }

  #pointOf(process: Process, request: AppendRequest): Point {
    const { sagaId, sequence, status, record } = request;
    const place = { _tag: "Append", sagaId, status, record } as const;
    return {
      label: `append ${sagaId} ${sequence}`,
      place,
      choices: appendFaults({ takeOver: sequence > 0 && process.current, deadline: this.#clock.now() < (this.#deadlineOf(sagaId) ?? 0) }),
      decides: false,
      state: this.#stateAt(request),
    };
  }

  /** What everything that follows depends on, once nothing more is to go wrong by schedule. Told at appends alone: there a saga is between two steps. */
  #stateAt({ sagaId, record }: AppendRequest): string | undefined {
    const { state } = this.#script;
    if (state === undefined || this.#cast === undefined || !this.#choices.spent) return undefined;
    const { participants } = this.#cast;
    const owners = this.#processes.map((process) => process.alive && process !== this.#process);
    const own = this.#ownState(() => state(participants));
    if (own === undefined) return undefined;
    const zombies = owners.filter((zombie) => zombie).length;
    return stateOf([this.#journals.digest(), sagaId, timelessEntries(record), zombies, this.#network.underWay()], own);
  }

  /** As JSON text. The journal that asks for it is no place to throw. */
  #ownState(look: () => unknown): string | undefined {
    try {
      return toJson(look()).match(canonicalJson, ({ path, found }) => {
        throw new TypeError(`state hands back JSON; ${path === "" ? "it" : path} is ${found}`);
      });
    } catch (thrown) {
      this.#fail(thrown);
      return undefined;
    }
  }

  #onCommitted({ life }: Process, { sagaId, record, status, outbox }: AppendRequest): void {
    const entries = decodeRecord(record)._unsafeUnwrap();
    const committed: Committed = { _tag: "Committed", life, record, entries, status, outbox, at: this.#clock.now() };
    this.#commits.push({ ...committed, sagaId });
    if (this.#script.state !== undefined) this.#journals.add(sagaId, record);
    this.#record(sagaId, committed);
  }

  #onDeath(life: number): void {
    for (const sagaId of this.#sagaIds) this.#happenings.get(sagaId)?.push({ _tag: "Died", life });
    this.#log.push({ atMs: this.#clock.now(), sagaId: undefined, happening: { _tag: "Died", life } });
    if (this.#process?.life === life) this.#comesBack = Promise.withResolvers();
    // Whichever dies is started again, and takes up what it finds: also what one that was thought to be replaced had owned all along.
    void this.#timer.sleep(RESTART_MS).then(() => {
      this.#process?.leave();
      this.#open();
    });
  }

  #takeOver(from: Process): void {
    if (this.#process !== from) return;
    this.#open();
    from.leave();
  }

  #passDeadline(sagaId: string): void {
    const deadlineAt = this.#deadlineOf(sagaId);
    if (deadlineAt !== undefined) this.#clock.skipTo(deadlineAt + 1);
  }

  #deadlineOf(sagaId: string): number | undefined {
    const [start] = this.#happenings.get(sagaId)?.find((happening) => happening._tag === "Committed")?.entries ?? [];
    return start?._tag === "SagaStarted" ? start.deadlineAt : undefined;
  }

  #strike(sagaId: string, fault: FaultName): void {
    this.#log.push({ atMs: this.#clock.now(), sagaId, happening: { _tag: "Fault", text: fault } });
  }

  #record(sagaId: string, happening: Happening): void {
    this.#happenings.get(sagaId)?.push(happening);
    this.#log.push({ atMs: this.#clock.now(), sagaId, happening });
  }
}

/** What was handed in threw, or never came to an end. The message says what, and under which schedule; `cause` is what was thrown. */
export class ProofFailed extends Error {
  readonly schedule: string;

  constructor(schedule: string, thrown: unknown) {
    super(`under the schedule ${JSON.stringify(schedule)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      cause: thrown,
    });
    this.name = "ProofFailed";
    this.schedule = schedule;
  }
}

/** A saga that was never started proves nothing. */
function assertStarted(histories: readonly History[]): void {
  for (const { answer } of histories) {
    if (answer._tag !== "Failed" || answer.error._tag !== "SagaRequestInvalid") continue;
    const { issues } = answer.error as unknown as SagaRequestInvalid;
    throw new TypeError(`the input does not fit the saga: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`);
  }
}

function checkedAlternatives(question: string, alternatives: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = alternatives;
  const odd = alternatives.find((word) => !DECISION.test(word));
  if (first === undefined || odd !== undefined || new Set(alternatives).size < alternatives.length) {
    throw new TypeError(
      `${question}: alternatives are different words of letters, digits, dots and dashes; found ${JSON.stringify(alternatives)}`,
    );
  }
  return [first, ...others];
}

/** Keys begin with the id of their saga. */
function sagaOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

function isParked(answer: Answer | undefined): boolean {
  return answer?._tag === "Failed" && answer.error._tag === "SagaParked";
}

/** What time has done to it since, while others went on, is not what its answer told. */
function untilParked(history: History): History {
  const parkedAt = history.happenings.findLastIndex((happening) => happening._tag === "Committed" && happening.status === "parked");
  return { ...history, happenings: history.happenings.slice(0, parkedAt + 1) };
}

function reasonOf(error: Tagged & { readonly reason?: string | undefined }): string {
  return error.reason ?? error._tag;
}
