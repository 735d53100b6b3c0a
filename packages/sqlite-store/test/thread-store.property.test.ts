// Goal: which way a call goes, past the thread or through it, is nobody's business but the store's. Method: random turns of appends and questions on few sagas, not waited for; every answer and every journal is as that of a store in memory.
import { createMemoryStore, type JournalStore, type StoredJournal } from "@backstep/saga-core/journal";
import fc from "fast-check";
import type { Result } from "neverthrow";
import { expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { request } from "./requests.ts";
import { temporaryFile } from "./temporary-folder.ts";
import { openThroughTheThread } from "./through-the-thread.ts";

const RUNS = 25;
const sagaIds = ["a", "b", "c", "d"] as const;

type Call = "append" | "append with a lock" | "append out of turn" | "claim" | "load";

/** How many loads of the loop pass before the next turn begins, so that it comes upon all that the store may have under way. */
const turn = fc.record({
  calls: fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.tuple(fc.constantFrom(...sagaIds), fc.constant<Call>("append")), { minLength: 1, maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.tuple(
          fc.constantFrom(...sagaIds),
          fc.constantFrom<Call>("append", "append", "append", "append with a lock", "append out of turn", "claim", "load"),
        ),
        { minLength: 1, maxLength: 20 },
      ),
    },
  ),
  restTurns: fc.constantFrom(0, 0, 1, 1, 2, 5),
  waits: fc.constantFrom(false, false, true),
});

test.each([
  ["the way that the store takes", (path: string) => createSqliteStore({ path, synchronous: "NORMAL" })],
  ["the thread alone", (path: string) => openThroughTheThread({ path })],
])("any turns of any calls are answered in their order: by %s", async (_way, open) => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 15 }), async (turns) => {
      const store = open(temporaryFile());
      const memory = createMemoryStore();
      const [ofStore, ofMemory] = [await play(store, turns), await play(memory, turns)];
      expect(ofStore).toEqual(ofMemory);
      for (const id of sagaIds) expect(journalOf(await store.load(id))).toEqual(journalOf(await memory.load(id)));
      await store.close();
    }),
    { numRuns: RUNS },
  );
});

type Turn = typeof turn extends fc.Arbitrary<infer Each> ? Each : never;

async function play(store: JournalStore, turns: readonly Turn[]): Promise<readonly unknown[]> {
  // As an engine counts: from what it was told, and from what it has under way.
  const standing = new Map<string, { sequence: number; epoch: number }>();
  const answers: Promise<unknown>[] = [];
  for (const { calls, restTurns, waits } of turns) {
    for (const [id, call] of calls) {
      const at = standing.get(id) ?? { sequence: 0, epoch: 1 };
      standing.set(id, at);
      // It may see more or less of what is under way; it is there for the way that it takes.
      if (call === "load") answers.push(store.load(id).then((loaded) => loaded.isOk()));
      else if (call === "claim") {
        answers.push(store.claim(id).then(journalOf));
        if (at.sequence > 0) at.epoch += 1;
      } else if (call === "append out of turn")
        answers.push(store.append({ ...request(id, at.sequence + 5), epoch: at.epoch, outbox: [] }).then(said));
      else {
        const locks = call === "append with a lock" ? { held: [], wanted: ["x"] } : undefined;
        answers.push(store.append({ ...request(id, at.sequence), epoch: at.epoch, outbox: [], locks }).then(said));
        at.sequence += 1;
      }
    }
    for (let rest = 0; rest < restTurns; rest++) await new Promise((resolve) => setImmediate(resolve));
    if (waits) await Promise.all(answers);
  }
  return Promise.all(answers);
}

function said(answer: Result<unknown, { readonly _tag: string }>): unknown {
  return answer.match(
    () => "done",
    (error) => ({ ...error, message: undefined }),
  );
}

function journalOf(loaded: Result<StoredJournal | undefined, unknown>): unknown {
  return loaded.match(
    (journal) => (journal === undefined ? "none" : { epoch: journal.epoch, records: journal.records }),
    (error) => error,
  );
}
