/** What the journal tells of every saga, read as it is stored, without the engine that wrote it; and the laws that one saga's journal keeps by itself. */
import { decodeRecord, type Entry, statusOf, viewOf } from "@backstep/saga-core/engine";
import type { JournalStore, StoredJournal } from "@backstep/saga-core/journal";
import type { Result } from "neverthrow";
import type { Violation } from "../src/conservation.ts";

/** More than any run has. */
const SAGAS_MAX = 10_000_000;
const SIDE_BY_SIDE = 32;

export interface Story {
  readonly sagaId: string;
  readonly status: StoredJournal["status"];
  /** How often it was taken over from one worker by another. */
  readonly takenOver: number;
  readonly input: { readonly orderId: string; readonly memberId: string; readonly couponId?: string };
  /** Of one that completed. */
  readonly output?: { readonly paymentId: string; readonly orderId: string } | undefined;
  /** Of one that went back: the tag of its first error. */
  readonly cause?: string | undefined;
  readonly unfinishedMs: number;
  readonly violations: readonly Violation[];
}

/** Every saga there is, by id. */
export async function readStories(store: JournalStore): Promise<ReadonlyMap<string, Story>> {
  const unfinished = expectOk(await store.unfinished({ limit: SAGAS_MAX, waiting: true })).sagaIds;
  const ended = expectOk(await store.ended({ before: Number.MAX_SAFE_INTEGER, limit: SAGAS_MAX })).sagaIds;
  const stories = new Map<string, Story>();
  const queue = [...unfinished, ...ended];
  const work = async (): Promise<void> => {
    for (let sagaId = queue.pop(); sagaId !== undefined; sagaId = queue.pop()) {
      const journal = expectOk(await store.load(sagaId));
      if (journal !== undefined) stories.set(sagaId, tell(journal));
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return stories;
}

function tell(journal: StoredJournal): Story {
  const { sagaId, status, epoch, records } = journal;
  const entries = records.flatMap((record) => [...expectOk(decodeRecord(record))]);
  const view = viewOf(entries);
  const { ending, cause, startedAt, updatedAt } = view;
  return {
    sagaId,
    status,
    takenOver: epoch - 1,
    input: view.input as unknown as Story["input"],
    output: ending?._tag === "Completed" ? (ending.output as unknown as Story["output"]) : undefined,
    cause: cause?._tag === "RejectedCause" ? cause.error._tag : cause?._tag,
    unfinishedMs: updatedAt - startedAt,
    violations: brokenLaws(sagaId, entries, status),
  };
}

/** Of one saga, by its journal alone. */
export function brokenLaws(sagaId: string, entries: readonly Entry[], status: StoredJournal["status"]): readonly Violation[] {
  return [...LAWS].flatMap(([law, broken]) => {
    const found = broken(entries, status);
    return found === undefined ? [] : [{ law, about: sagaId, expected: "it is kept", found }];
  });
}

/** What is wrong, or nothing. */
type Law = (entries: readonly Entry[], status: StoredJournal["status"]) => string | undefined;

const ENDS: ReadonlySet<Entry["_tag"]> = new Set(["SagaCompleted", "SagaCompensated", "OperatorAbandoned"]);

const LAWS: ReadonlyMap<string, Law> = new Map<string, Law>([
  [
    "a saga has one end, and nothing comes after it",
    (entries) => {
      const ends = entries.filter(({ _tag }) => ENDS.has(_tag)).length;
      return ends === 1 && ENDS.has(entries.at(-1)?._tag ?? "SagaStarted")
        ? undefined
        : `${ends} ends, the last entry is ${entries.at(-1)?._tag}`;
    },
  ],
  [
    "a saga's state is the fold of its journal",
    (entries, status) => {
      const folded = statusOf(viewOf(entries));
      return folded === status ? undefined : `stored ${status}, folded ${folded}`;
    },
  ],
  [
    "an outcome comes after its intent, and each has one",
    (entries) => {
      const open = new Set<string>();
      for (const entry of entries) {
        if (entry._tag === "OperationIntended") open.add(`${entry.path} action`);
        if (entry._tag === "CompensationIntended") open.add(`${entry.path} compensation`);
        if (entry._tag === "OperationSettled" && !open.delete(`${entry.path} ${entry.slot}`))
          return `${entry.path} ${entry.slot} settled without an intent`;
      }
      return open.size === 0 ? undefined : `open: ${[...open].join(", ")}`;
    },
  ],
  [
    "nothing is undone after the pivot",
    (entries) => {
      const pivots = new Set(
        entries.flatMap((entry) => (entry._tag === "OperationIntended" && entry.kind === "pivot" ? [entry.path] : [])),
      );
      const passed = entries.findIndex(
        (entry) => entry._tag === "OperationSettled" && pivots.has(entry.path) && entry.outcome._tag === "Succeeded",
      );
      const undone = entries.slice(passed).find(({ _tag }) => _tag === "CompensationIntended" || _tag === "SagaCompensated");
      return passed === -1 || undone === undefined ? undefined : undone._tag;
    },
  ],
  [
    "what may have had an effect is undone when a saga went back, and nothing else",
    (entries) => {
      const wrong = [...viewOf(entries).operations.values()].filter(({ kind, action, compensation }) => {
        const mayStand = kind === "compensatable" && action.outcome !== undefined && action.outcome._tag !== "NoEffect";
        return mayStand !== (compensation?.outcome?._tag === "Succeeded");
      });
      return entries.at(-1)?._tag !== "SagaCompensated" || wrong.length === 0 ? undefined : wrong.map(({ path }) => path).join(", ");
    },
  ],
]);

function expectOk<Value, Failure>(result: Result<Value, Failure>): Value {
  return result.match(
    (value) => value,
    (error) => {
      throw new Error(`the journal could not be read: ${JSON.stringify(error)}`);
    },
  );
}
