/**
 * Lives through a scenario and hands back its history: real engines on one memory disk, one after the other or two at a time, a world that goes on without
 * them, and an operator. Ends when the saga does, or waits parked and is left alone, or when nothing moves any more.
 */
import type { Answer, Happening, History, LogLine } from "@backstep/saga-testing/laws";
import { err, type Result } from "neverthrow";
import type { Json, SagaParked, SagaSnapshot, Tagged } from "../../src/index.ts";
import { decodeRecord } from "../../src/journal/entry-codec.ts";
import type { AppendError, AppendRequest, JournalStore, MemoryStore, MemoryStoreFaults } from "../../src/journal.ts";
import { idempotencyKey } from "../../src/primitives/idempotency-key.ts";
import { type Bench, createBench, type Opened } from "../runtime/workbench.ts";
import { VIRTUAL_START_MS } from "../virtual-timer.ts";
import { receiptOf, World } from "./fenced-world.ts";
import { type Done, plannedSaga, SIGNALS } from "./planned-saga.ts";
import type { Order } from "./planned-steps.ts";
import type { OutsideAct, Scenario, Trouble } from "./scenario.ts";

const SAGA_ID = "s";
const INPUT = 7;
/** Every script is shorter than this, so that an operator who repeats gets through. */
const ROUNDS_MAX = 12;
/** Far beyond all horizons of one saga, and before virtual time itself gives up. */
const PATIENCE_MS = 30 * 60_000;
const ASK_AGAIN_MS = 50;
/** How often somebody sends what an untimed wait may be waiting for, so that none of them waits for ever. */
const SEND_AGAIN_MS = 15_000;

type PlannedSaga = ReturnType<typeof plannedSaga>;

/** A history, and when each of its happenings took place. */
export interface LivedHistory extends History {
  readonly log: readonly LogLine[];
}

export async function liveThrough(scenario: Scenario): Promise<LivedHistory> {
  return new Life(scenario).live();
}

interface Process extends Opened {
  readonly saga: PlannedSaga;
  /** Resolves when another process has to take over. */
  readonly over: Promise<Trouble>;
}

/** A verdict runs through a few promises before its writer acts on it; time does not pass meanwhile. */
async function heard(): Promise<void> {
  for (let promise = 0; promise < 30; promise += 1) await Promise.resolve();
}

class Life {
  readonly #scenario: Scenario;
  readonly #bench: Bench = createBench();
  readonly #log: (LogLine & { readonly happening: Happening })[] = [];
  readonly #world: World;
  readonly #processes: Process[] = [];
  readonly #met = new Set<Trouble>();
  #over = false;
  #appends = 0;
  #calls = 0;
  #strike: (trouble: Trouble) => void = () => undefined;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#world = new World({
      timer: this.#bench.timer,
      record: (happening) => this.#record(happening),
      onCall: () => this.#onCall(),
    });
  }

  async live(): Promise<LivedHistory> {
    for (const act of this.#scenario.outside) void this.#tell(act);
    void this.#keepSending();
    const answer = await this.#untilAnswered();
    for (const { kill } of this.#processes) kill();
    const answerLater = await this.#untilAnsweredAgain();
    this.#over = true;
    // What is under way arrives, though the saga is over.
    while (this.#bench.timer.sleepers > 0) await this.#bench.timer.idle();
    await this.#bench.timer.idle();
    return {
      sagaId: SAGA_ID,
      happenings: this.#log.map(({ happening }) => happening),
      answer,
      answerLater,
      repeated: this.#scenario.operator === "retry",
      placeOf: ({ input }) => (input as unknown as Order).place,
      log: this.#log,
    };
  }

  #record(happening: Happening): void {
    this.#log.push({ atMs: this.#bench.timer.now(), sagaId: SAGA_ID, happening });
  }

  async #untilAnswered(): Promise<Answer> {
    let process = this.#open();
    for (let round = 0; ; ) {
      const outcome = await Promise.race([this.#ask(process), process.over, this.#stuck(process)]);
      if (outcome._tag === "AtAppend" || outcome._tag === "AtCall") {
        await this.#bench.timer.sleep(outcome.restartAfterMs);
        process = this.#open();
      } else if (outcome._tag === "Failed" && outcome.error._tag === "SagaUnavailable") {
        await this.#bench.timer.sleep(ASK_AGAIN_MS);
      } else if (
        outcome._tag === "Failed" &&
        outcome.error._tag === "SagaParked" &&
        this.#scenario.operator !== "leave" &&
        round < ROUNDS_MAX
      ) {
        round += 1;
        await Promise.race([this.#operate(process, outcome.error as unknown as SagaParked), process.over, this.#stuck(process)]);
      } else return outcome;
    }
  }

  async #untilAnsweredAgain(): Promise<Answer> {
    for (const trouble of this.#scenario.troubles) this.#met.add(trouble);
    const process = this.#open();
    const answer = await Promise.race([this.#ask(process), this.#stuck(process)]);
    process.kill();
    return answer;
  }

  /** Asks as a caller does who knows only the id and the input. */
  async #ask({ engine, saga }: Process): Promise<Answer> {
    const begun = this.#bench.disk.sagas.has(SAGA_ID);
    const answered: Result<Done, Tagged> = begun
      ? await engine.result(saga, SAGA_ID)
      : await engine.run(saga, INPUT, { id: SAGA_ID, deadline: this.#scenario.deadlineMs });
    return answered.match<Answer>(
      (done) => ({ _tag: "Completed", output: done as unknown as Json }),
      (error) => ({ _tag: "Failed", error }),
    );
  }

  /** Nobody sleeps, and nothing happens all the same; or time goes by and nothing comes of it. */
  async #stuck(process: Process): Promise<Answer> {
    const { timer } = this.#bench;
    let over = false;
    void process.over.then(() => {
      over = true;
    });
    for (let quiet = 0, happened = 0; quiet < 50 && !over; ) {
      await timer.idle();
      const still = timer.sleepers === 0 && happened === this.#log.length;
      quiet = still ? quiet + 1 : 0;
      happened = this.#log.length;
      if (timer.now() > VIRTUAL_START_MS + PATIENCE_MS) break;
    }
    return over ? new Promise(() => undefined) : { _tag: "Stuck" };
  }

  // Processes and what befalls them.

  #open(): Process {
    const life = this.#processes.length + 1;
    const over = Promise.withResolvers<Trouble>();
    const saga = plannedSaga(this.#scenario.plan, this.#world.seenBy(life));
    this.#strike = over.resolve;
    const opened: Opened = this.#bench.open([saga], {
      evictAfterMs: this.#scenario.evictAfterMs,
      faults: this.#faults(life, () => opened.kill()),
      wrap: (store) => this.#watched(life, store),
    });
    const process = { ...opened, saga, over: over.promise };
    this.#processes.push(process);
    return process;
  }

  #faults(life: number, kill: () => void): MemoryStoreFaults {
    let struck: Trouble | undefined;
    const die = (trouble: Trouble): "crash" => {
      kill();
      this.#record({ _tag: "Died", life });
      this.#strike(trouble);
      return "crash";
    };
    return {
      beforeCommit: () => {
        this.#appends += 1;
        struck = this.#trouble("AtAppend", this.#appends);
        if (struck?._tag !== "AtAppend") return undefined;
        if (struck.blow === "dieBefore") return die(struck);
        if (struck.blow === "takeover") this.#strike(struck);
        return struck.blow === "refuse" ? "refuse" : undefined;
      },
      afterCommit: (request) => {
        this.#committed(life, request);
        return struck?._tag === "AtAppend" && struck.blow === "dieAfter" ? die(struck) : undefined;
      },
    };
  }

  #committed(life: number, { record, status, outbox }: AppendRequest): void {
    const entries = decodeRecord(record)._unsafeUnwrap();
    this.#record({ _tag: "Committed", life, record, entries, status, outbox, at: this.#bench.timer.now() });
  }

  #watched(life: number, store: MemoryStore): JournalStore {
    const { thereMs, backMs } = this.#scenario.append;
    const { timer } = this.#bench;
    const append = async (request: AppendRequest): Promise<Result<void, AppendError>> => {
      if (thereMs > 0) await timer.sleep(thereMs);
      const place = this.#appends + 1;
      const appended = await store.append(request);
      if (backMs > 0) await timer.sleep(backMs);
      const lost = this.#scenario.troubles.some((one) => one._tag === "AtAppend" && one.nth === place && one.blow === "answerLost");
      if (!lost && appended.isOk()) void heard().then(() => this.#record({ _tag: "Acknowledged", life, record: request.sequence }));
      return lost && appended.isOk() ? err({ _tag: "StoreUnavailable", message: "no answer to the commit" }) : appended;
    };
    // One after the other, as a store keeps the order of the calls.
    let last: Promise<unknown> = Promise.resolve();
    return {
      ...store,
      append: (request) => {
        const appended = thereMs + backMs === 0 ? append(request) : last.then(() => append(request));
        last = appended;
        return appended;
      },
      claim: async (sagaId) => {
        const claimed = await store.claim(sagaId);
        if (claimed.isOk() && claimed.value !== undefined) this.#record({ _tag: "Adopted", life });
        return claimed;
      },
    };
  }

  #onCall(): void {
    this.#calls += 1;
    const trouble = this.#trouble("AtCall", this.#calls);
    if (trouble?._tag !== "AtCall") return;
    const strike = this.#strike;
    if (trouble.blow === "die") {
      this.#record({ _tag: "Died", life: this.#processes.length });
      this.#processes.at(-1)?.kill();
    }
    if (trouble.blow === "close")
      void this.#processes
        .at(-1)
        ?.engine.close()
        .then(() => strike(trouble));
    else strike(trouble);
  }

  #trouble(tag: Trouble["_tag"], nth: number): Trouble | undefined {
    const trouble = this.#scenario.troubles.find((one) => one._tag === tag && one.nth === nth && !this.#met.has(one));
    if (trouble !== undefined) this.#met.add(trouble);
    return trouble;
  }

  // Those outside, who turn to whichever process came last.

  async #tell(act: OutsideAct): Promise<void> {
    await this.#bench.timer.sleep(act.atMs);
    const process = this.#processes.at(-1);
    if (process === undefined || this.#over) return;
    if (act._tag === "Cancel") {
      const answer = answerOf(await process.engine.cancel(SAGA_ID, "changed my mind"));
      this.#record({ _tag: "CancelAnswered", answer });
    } else await this.#send(process, act);
  }

  async #send({ engine }: Process, { signal, key, payload }: Pick<OutsideAct & { _tag: "Signal" }, "signal" | "key" | "payload">) {
    const answer = answerOf(await engine.signal(SAGA_ID, SIGNALS[signal], payload, { key }));
    this.#record({ _tag: "SignalAnswered", key, payload, answer });
  }

  async #keepSending(): Promise<void> {
    for (let nth = 0; !this.#over; nth += 1) {
      await this.#bench.timer.sleep(SEND_AGAIN_MS);
      const process = this.#processes.at(-1);
      if (process === undefined || this.#over) return;
      for (const signal of ["news", "word"] as const)
        void this.#send(process, { signal, key: `again ${signal} ${nth}`, payload: 100 + nth });
    }
  }

  // The operator.

  async #operate(process: Process, parked: SagaParked): Promise<void> {
    const { engine } = process;
    const who = { by: "ada", reason: "ticket 7" } as const;
    if (this.#scenario.operator === "abandon") {
      await engine.abandon(SAGA_ID, who);
      return;
    }
    for (const { path, slot } of parked.operations) {
      const order = { ...who, path, slot } as const;
      const verdict = this.#scenario.operator === "settle" ? await this.#lookUp(process, path, slot) : undefined;
      const settled =
        verdict === undefined ? undefined : await engine.settle(SAGA_ID, { ...order, evidence: "the participant's books", verdict });
      if (settled?.isOk() !== true) await engine.retry(SAGA_ID, order);
    }
  }

  /** Looks into the participants' books. "Not there" is no evidence of what may still arrive, so for an undo it is none at all. */
  async #lookUp({ engine }: Process, path: string, slot: "action" | "compensation") {
    const key = idempotencyKey({ sagaId: SAGA_ID, path, slot: "action" });
    if (slot === "compensation") return this.#world.takenBack(key) ? ({ _tag: "applied" } as const) : undefined;
    const operation = (await engine.inspect(SAGA_ID)).map(({ view }: SagaSnapshot) => view.operations.get(path)).unwrapOr(undefined);
    if (operation === undefined) return undefined;
    return this.#world.applied(key)
      ? ({ _tag: "applied", output: receiptOf(operation.input as { readonly place: string }) } as const)
      : ({ _tag: "notApplied" } as const);
  }
}

function answerOf(answered: Result<void, Tagged & { readonly reason?: string | undefined }>): string {
  return answered.isOk() ? "taken" : (answered.error.reason ?? answered.error._tag);
}
