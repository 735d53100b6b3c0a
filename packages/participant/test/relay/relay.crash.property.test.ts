// Goal: a relay that dies at any call loses nothing and reorders nothing; its successor repeats at most what was not marked.
// Method: random outboxes, relays cut off from the world at a random call to outbox or publisher, and an inbox that counts effects.
import { type CloudEvent, createInbox, createMemoryDatabase, type NotDelivered } from "@backstep/participant";
import fc from "fast-check";
import { ok, type Result } from "neverthrow";
import { expect, test } from "vitest";
import { idle } from "../manual-timer.ts";
import { RelayBench } from "./relay-bench.ts";

const RUNS = 80;
const SUBJECTS = ["a", "b", "c"] as const;

/** Lets so many calls through. The one after them is cut off before or after it took effect, and so is everything later. */
interface Death {
  readonly calls: number;
  readonly before: boolean;
}

function mortal({ calls, before }: Death) {
  let left = calls;
  return async <Value>(call: () => Promise<Value>): Promise<Value> => {
    left -= 1;
    if (left >= 0) return call();
    if (left === -1 && !before) await call();
    return new Promise(() => undefined);
  };
}

test("whenever relays die, every event has one effect, in the order of its subject, under one id", async () => {
  const deaths = fc.array(fc.record({ calls: fc.nat({ max: 12 }), before: fc.boolean() }), { maxLength: 6 });
  const subjects = fc.array(fc.constantFrom(...SUBJECTS), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(subjects, deaths, fc.integer({ min: 1, max: 4 }), async (committed, lives, concurrency) => {
      const bench = new RelayBench();
      const inbox = createInbox({ database: createMemoryDatabase(), retentionMs: 1_000_000 });
      const effects: string[] = [];
      const publish = async (event: CloudEvent): Promise<Result<void, NotDelivered>> => {
        await inbox.consume(event, async () => void effects.push(event.id));
        return ok(undefined);
      };
      const ids = committed.map((subject, index) => `${subject}/${index}`);
      await bench.commit(ids);
      for (const death of lives) {
        const alive = mortal(death);
        const { outbox } = bench.store;
        bench.start({
          concurrency,
          outbox: {
            pending: (options) => alive(() => outbox.pending(options)),
            published: (marked) => alive(() => outbox.published(marked)),
          },
          publisher: { publish: (event) => alive(() => publish(event)) },
        });
        await idle();
      }
      const last = bench.start({ concurrency, publisher: { publish } });
      for (let turn = 0; turn < 20 && (await bench.pending()).length > 0; turn++) await idle();
      await last.stop();
      expect(await bench.pending()).toEqual([]);
      for (const subject of SUBJECTS) {
        const of = (all: readonly string[]) => all.filter((id) => id.startsWith(`${subject}/`));
        expect(of(effects)).toEqual(of(ids));
      }
    }),
    { numRuns: RUNS },
  );
});
