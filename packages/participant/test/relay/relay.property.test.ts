// Goal: whatever fails, every event arrives in the order of its subject. Method: random commits, receivers and marks that fail at random.
import fc from "fast-check";
import { err, ok } from "neverthrow";
import { expect, test } from "vitest";
import { RelayBench, refused } from "./relay-bench.ts";

const RUNS = 60;

test("whatever fails, every event arrives, and none overtakes another of its subject", async () => {
  const commits = fc.array(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
  const trouble = fc.array(fc.constantFrom("ok", "ok", "ok", "refused", "throws", "lost"), { maxLength: 40 });
  const options = fc.record({ batchSize: fc.integer({ min: 1, max: 5 }), concurrency: fc.integer({ min: 1, max: 4 }) });
  await fc.assert(
    fc.asyncProperty(commits, trouble, trouble, options, async (committed, receiver, outbox, chosen) => {
      const bench = new RelayBench();
      const [troubles, marks] = [[...receiver], [...outbox]];
      const arrived: string[] = [];
      const relay = bench.start({
        ...chosen,
        intervalMs: 10,
        backoff: { initialMs: 10, maxMs: 40 },
        outbox: bench.outboxWith({
          async published(ids) {
            const fate = marks.shift() ?? "ok";
            if (fate === "throws") throw new RangeError("mark");
            return fate === "ok" ? bench.store.outbox.published(ids) : err({ _tag: "StoreUnavailable", message: fate });
          },
        }),
        publisher: {
          async publish({ id }) {
            const fate = troubles.shift() ?? "ok";
            if (fate === "throws") throw new RangeError("publish");
            if (fate === "refused") return err(refused);
            arrived.push(id);
            return fate === "lost" ? err(refused) : ok(undefined);
          },
        },
      });
      const expected: string[] = [];
      for (const subjects of committed) {
        const ids = subjects.map((subject, index) => `${subject}/${expected.length + index}`);
        expected.push(...ids);
        await bench.commit(ids);
        await bench.timer.advance(10);
      }
      for (let turn = 0; turn < 200 && (await bench.pending()).length > 0; turn++) await bench.timer.advance(40);
      await relay.stop();
      const first = [...new Set(arrived)];
      for (const subject of ["a", "b", "c"]) {
        const of = (ids: readonly string[]) => ids.filter((id) => id.startsWith(`${subject}/`));
        expect(of(first)).toEqual(of(expected));
      }
      expect(await bench.pending()).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
