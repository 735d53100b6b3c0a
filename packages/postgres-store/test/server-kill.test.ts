// Goal: what was answered ok is there after the server was killed, whole and once, and what was refused is not. Method: a real server, killed and started again while appends are under way; it
// recovers from its log.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresStore } from "../src/index.ts";
import { eventIds, pendingIds, recordsOf, recordTexts, request } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

const SAGAS = 16;
const KILLS = 3;

let postgres: Postgres;
beforeAll(async () => {
  // Otherwise a commit is answered before it is in the log. Whether the log is on the disk is of no matter: the machine goes on.
  postgres = await startServer({ settings: { synchronous_commit: "on" } });
});
afterAll(() => postgres.close());

test("killed again and again, the server has what it said it has", async () => {
  const schema = postgres.newSchema();
  const store = await createPostgresStore({ connectionString: postgres.url(), schema });
  let working = true;
  const accepted = new Map<string, number>();
  const refusals = new Set<string>();

  async function run(sagaId: string): Promise<void> {
    for (let sequence = 0; working; ) {
      const verdict = await store.append(request(sagaId, sequence));
      if (verdict.isOk()) {
        sequence += 1;
        accepted.set(sagaId, sequence);
      } else {
        refusals.add(verdict.error._tag);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  const sagaIds = Array.from({ length: SAGAS }, (_, index) => `saga-${index}`);
  const running = Promise.all(sagaIds.map(run));
  for (let kills = 0; kills < KILLS; kills++) {
    const before = accepted.get("saga-0") ?? 0;
    await expect.poll(() => accepted.get("saga-0") ?? 0, { interval: 1, timeout: 20_000 }).toBeGreaterThan(before + 3);
    await postgres.server.kill();
    await postgres.server.start();
  }
  const last = accepted.get("saga-0") ?? 0;
  await expect.poll(() => accepted.get("saga-0") ?? 0, { timeout: 20_000 }).toBeGreaterThan(last + 3);
  working = false;
  await running;

  // A place that was refused though it was written would have shown as a conflict.
  expect([...refusals].filter((tag) => tag !== "StoreUnavailable")).toEqual([]);
  const events: string[] = [];
  for (const sagaId of sagaIds) {
    const count = accepted.get(sagaId) ?? 0;
    expect(await recordsOf(store, sagaId)).toEqual(recordTexts(sagaId, count));
    events.push(...Array.from({ length: count }, (_, sequence) => eventIds(sagaId, sequence)).flat());
  }
  expect((await pendingIds(store)).toSorted()).toEqual(events.toSorted());
  await store.close();
});
