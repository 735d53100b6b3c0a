/**
 * The engine on the store, through every crash: sagas are driven while processes die before and after each append, die again while they take over, lose answers or stand
 * still; the next process has a store that was opened anew. Whatever happened, what is left must be what an undisturbed run leaves.
 */
import type { Result } from "neverthrow";
import type { Saga } from "../definition/saga.ts";
import { decodeRecord } from "../journal/entry-codec.ts";
import type { AppendError, JournalStore } from "../journal/journal-store.ts";
import { createAbortController, hostTimer } from "../primitives/host.ts";
import type { Engine } from "../runtime/engine.ts";
import type { CaseContext, CaseGroup } from "./conformance-case.ts";
import { type CrashProcess, startProcess, type Trouble } from "./crash-process.ts";
import { type CrashSagaName, createCrashSagas, go, Participants } from "./crash-sagas.ts";
import { ConformanceFailure, expectEqual, expectErr, expectOk } from "./expectations.ts";

const LIVES_SIDE_BY_SIDE = 4;
/** Far longer than a life takes: one that lasts longer has lost its saga. */
const LIFE_MS_MAX = 10_000;
const OUTBOX_EVENTS_MAX = 10_000;
const INPUT = 5;
/** What differs between lives that are the same. */
const PASSING = new Set(["at", "dueAt", "seed", "attempts"]);

/** What happens to the processes of one life, in turn; the one after the last is left in peace. */
type Troubles = readonly Trouble[];
type TroublesAt = (nth: number) => readonly Troubles[];

const dies: TroublesAt = (nth) => [[{ moment: "before", nth }], [{ moment: "after", nth }]];
const diesTwice: TroublesAt = (nth) =>
  (["before", "after", "claimed"] as const).map((moment) => [
    { moment: "after", nth },
    { moment, nth: 1 },
  ]);
const noAnswer: TroublesAt = (nth) => [[{ moment: "noAnswer", nth }]];
const refused: TroublesAt = (nth) => [[{ moment: "refused", nth }]];
/** Not before the first append: there is no saga yet that anybody could claim. */
const stalled: TroublesAt = (nth) => (nth === 1 ? [] : [[{ moment: "stalled", nth }]]);

export const crashCases: CaseGroup = {
  "crash: a saga that goes back ends the same, whichever append its process dies before or after": (context) =>
    expectSameEnds(context, ["goesBack"], dies),
  "crash: a saga that turns and completes ends the same, whichever append its process dies before or after": (context) =>
    expectSameEnds(context, ["goesForward"], dies),
  "crash: a saga that sleeps and waits ends the same, whichever append its process dies before or after": (context) =>
    expectSameEnds(context, ["waits"], dies),
  "crash: a process that dies while it takes over changes nothing": (context) => expectSameEnds(context, ALL, diesTwice),
  "crash: an append whose answer is lost is found to have counted": (context) => expectSameEnds(context, ALL, noAnswer),
  "crash: an append that the store refuses is made again": (context) => expectSameEnds(context, ALL, refused),
  "crash: a process that seemed dead writes nothing more once another has claimed its saga": (context) =>
    expectSameEnds(context, ALL, stalled),
};

const ALL: readonly CrashSagaName[] = ["goesBack", "goesForward", "waits"];

/** Every life with trouble at one append, held against the one without. */
async function expectSameEnds({ open }: CaseContext, sagas: readonly CrashSagaName[], troublesAt: TroublesAt): Promise<void> {
  let lives = 0;
  const nextId = (): string => `life-${String((lives += 1)).padStart(4, "0")}`;
  for (const saga of sagas) {
    const calm = await live({ saga, sagaId: nextId(), troubles: [], open });
    const plans = Array.from({ length: calm.appends }, (_, index) => troublesAt(index + 1)).flat();
    const worker = async (): Promise<void> => {
      for (let troubles = plans.shift(); troubles !== undefined; troubles = plans.shift()) {
        const { left } = await live({ saga, sagaId: nextId(), troubles, open });
        expectEqual(left, calm.left, `${saga} leaves what it leaves undisturbed, with trouble at ${JSON.stringify(troubles)}`);
      }
    };
    const giveUp = (failure: unknown): never => {
      plans.length = 0;
      throw failure;
    };
    // All are waited for: the storage goes with the case, and nobody may still live in it.
    const workers = await Promise.allSettled(Array.from({ length: LIVES_SIDE_BY_SIDE }, () => worker().catch(giveUp)));
    for (const settled of workers) if (settled.status === "rejected") throw settled.reason;
  }
}

interface Plan {
  readonly saga: CrashSagaName;
  readonly sagaId: string;
  readonly troubles: Troubles;
  readonly open: () => Promise<JournalStore>;
}

/** Processes, one after the other, until the saga has ended; and what is left of it, read through a store that was opened after the last death. */
async function live(plan: Plan): Promise<{ readonly appends: number; readonly left: unknown }> {
  const processes: CrashProcess[] = [];
  const stores: JournalStore[] = [];
  const bound = createAbortController();
  const tooLong = hostTimer.sleep(LIFE_MS_MAX, bound.signal).then(() => "tooLong" as const);
  try {
    const ended = await Promise.race([tooLong, runThrough(plan, processes, stores)]);
    if (ended === "tooLong") {
      throw new ConformanceFailure(`${plan.saga} comes to its end`, `within ${LIFE_MS_MAX} ms`, { troubles: plan.troubles });
    }
    return ended;
  } finally {
    bound.abort();
    for (const process of processes) process.die();
    for (const store of stores) await store.close();
  }
}

async function runThrough({ saga, sagaId, troubles, open }: Plan, processes: CrashProcess[], stores: JournalStore[]) {
  const participants = new Participants();
  const told: Told = { started: false, signalled: false };
  const acknowledged = new Map<number, string>();
  const sagas = createCrashSagas(participants);
  const late: Promise<Result<void, AppendError>>[] = [];
  for (;;) {
    const store = await open();
    stores.push(store);
    const former = processes.at(-1);
    const trouble = troubles[processes.length];
    const process = startProcess({
      store,
      sagas: Object.values(sagas),
      owns: (id) => id === sagaId,
      trouble,
      onAcknowledged({ sequence, record }) {
        // The first one is to stay: a place that is given twice has lost what it was given for.
        if (!acknowledged.has(sequence)) acknowledged.set(sequence, record);
      },
      async onClaimed() {
        if (former === undefined || late.length > 0 || troubles[processes.length - 2]?.moment !== "stalled") return;
        late.push(former.goOn());
        await Promise.all(late);
      },
    });
    processes.push(process);
    const done = await Promise.race([outside(process.engine, sagas[saga], sagaId, told), process.over]);
    if (done === "over") continue;
    for (const verdict of await Promise.all(late)) {
      expectErr(verdict, { _tag: "StaleEpoch", sagaId }, "an append that comes after another's claim is refused");
    }
    const records = expectOk(await store.load(sagaId), "a saga that has ended can be loaded")?.records ?? [];
    const kept = Array.from(acknowledged, ([sequence]) => [sequence, records[sequence]]);
    expectEqual(kept, [...acknowledged], "what was answered ok before a process died is there after it");
    const left = JSON.stringify({ answer: done, rows: participants.rows(), ...(await readWhatIsLeft(store, sagaId)) });
    return { appends: process.appends(), left: JSON.parse(left.replaceAll(sagaId, "life")) as unknown };
  }
}

/** What those outside were answered. They rely on it, and ask no second time. */
interface Told {
  started: boolean;
  signalled: boolean;
}

/** What those outside do, and do again with the next process when one dies, as callers do who got no answer. */
async function outside(engine: Engine, saga: Saga<string, number, unknown, unknown>, sagaId: string, told: Told): Promise<unknown> {
  if (!told.started) await untilAvailable(() => engine.start(saga, INPUT, { id: sagaId }));
  told.started = true;
  if (saga.name === "waits" && !told.signalled) {
    while (!told.signalled && (await comesToListen(engine, sagaId))) {
      told.signalled = isAvailable(await engine.signal(sagaId, go, 9, { key: "once" }));
      if (!told.signalled) await hostTimer.sleep(1);
    }
  }
  const ended = await untilAvailable(() => engine.result(saga, sagaId));
  return ended.isOk() ? { ok: ended.value } : { err: ended.error };
}

async function untilAvailable<Answer extends Result<unknown, unknown>>(ask: () => PromiseLike<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (isAvailable(answer)) return answer;
    await hostTimer.sleep(1);
  }
}

function isAvailable(answer: Result<unknown, unknown>): boolean {
  return answer.isOk() || (answer.error as { readonly _tag: string })._tag !== "SagaUnavailable";
}

/** Whether the saga waits for its signal, once it does that or does nothing more. */
async function comesToListen(engine: Engine, sagaId: string): Promise<boolean> {
  for (;;) {
    const { status, view } = expectOk(await untilAvailable(() => engine.inspect(sagaId)), "a saga that was started can be looked at");
    if ([...view.waits.values()].some(({ signal }) => signal !== undefined)) return true;
    if (status !== "running" && status !== "waiting") return false;
    await hostTimer.sleep(1);
  }
}

async function readWhatIsLeft(store: JournalStore, sagaId: string) {
  const journal = expectOk(await store.load(sagaId), "a saga that has ended can be loaded");
  const entries = journal?.records.flatMap((record) =>
    expectOk(decodeRecord(record).mapErr(asFlaw), "a record comes back as it was written"),
  );
  const events = expectOk(await store.outbox.pending({ limit: OUTBOX_EVENTS_MAX }), "the outbox can be read");
  return {
    status: journal?.status,
    entries: entries?.map((entry) => Object.fromEntries(Object.entries(entry).filter(([member]) => !PASSING.has(member)))),
    outbox: events.filter((event) => event.sagaId === sagaId).map(({ id, type, data }) => ({ id, type, data })),
  };
}

function asFlaw(message: string): { readonly _tag: string; readonly message: string } {
  return { _tag: "RecordUnreadable", message };
}
