/**
 * Goal: three payment workers on one journal in Postgres, and five services on the same server, lose it for a while: none of them ends, each says so and says when it is over, and nothing of what was under
 * way is lost. And the audit that says so would have said otherwise. Method: the real processes, a real server that is ended at once, clients all the while; then records that are falsified by hand.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { JournalStore } from "@backstep/saga-core/journal";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../chaos/audit.ts";
import { Faults } from "../chaos/faults.ts";
import { Fleet } from "../chaos/fleet.ts";
import { Load } from "../chaos/load.ts";
import { Log } from "../chaos/log.ts";
import { loseDatabase } from "../chaos/outage.ts";
import { untilQuiet } from "../chaos/quiet.ts";
import { Random } from "../chaos/random.ts";
import { Shop } from "../chaos/shop.ts";
import { openJournal } from "../src/storage.ts";

const LONG = { timeout: 180_000 };
const AWAY_MS = 6_000;
const QUIET_MS_MAX = 60_000;

const log = new Log({ path: undefined, verbose: false });
let fleet: Fleet;
let shop: Shop;
let load: Load;
let store: JournalStore;

beforeAll(async () => {
  fleet = await Fleet.start(log);
  shop = new Shop(fleet.services);
  await shop.open();
  store = await openJournal({ dataDir: "", database: fleet.postgres.url() });
}, 120_000);

afterAll(async () => {
  await store.close();
  await fleet.close();
});

const audited = () => audit({ fleet, shop, checkouts: load.checkouts, store });

test("while Postgres is away every process lives on and says so; when it is back, nothing is lost", LONG, async () => {
  const random = new Random(1);
  const over = new AbortController();
  const givenUp = AbortSignal.timeout(LONG.timeout);
  load = new Load({ shop, workers: fleet.workerUrls, random: random.split(), inFlight: 12, over: over.signal, givenUp });
  const loading = load.run();
  await sleep(2_000);
  // Alive, 503 while it is away, 200 when it is back: of all eight.
  expect(await loseDatabase(fleet, new Faults(fleet, random, log), AWAY_MS)).toEqual([]);
  over.abort();
  await loading;
  await untilQuiet(store, performance.now() + QUIET_MS_MAX);
  const { stories, violations } = await audited();
  expect(violations).toEqual([]);
  expect(stories.size).toBeGreaterThan(10);
  expect(fleet.seats.filter(({ crashes }) => crashes > 0)).toEqual([]);
});

test("the audit objects to whatever is falsified", LONG, async () => {
  const [first, second] = load.checkouts.filter(({ answer }) => answer?.status === 200);
  if (first === undefined || second === undefined) throw new Error("nothing was paid");
  const client = new pg.Client({ connectionString: fleet.postgres.url() });
  await client.connect();
  for (const falsifying of [
    `UPDATE product.products SET document = jsonb_set(document::jsonb, '{available}', '99999')::text WHERE key = 'p0'`,
    `UPDATE member.backstep_fence SET document = jsonb_set(document::jsonb, '{state}', '{"_tag":"Open","token":1,"leaseUntil":1}')::text WHERE key IN (SELECT key FROM member.backstep_fence LIMIT 1)`,
    `UPDATE "order".orders SET document = jsonb_set(document::jsonb, '{order,state}', '{"_tag":"PAYMENT_PENDING","sagaId":"nobody","since":1}')::text WHERE key = '${first.request.orderId}'`,
    `DELETE FROM member_point.backstep_inbox WHERE key IN (SELECT key FROM member_point.backstep_inbox LIMIT 1)`,
  ])
    expect([falsifying, (await client.query(falsifying)).rowCount]).toEqual([falsifying, 1]);
  await client.end();
  second.answer = { status: 200, text: '{"paymentId":"another"}', retryAfterMs: 0 };
  const { violations } = await audited();
  expect([...new Set(violations.map(({ law }) => law))].toSorted()).toEqual(
    [
      "a completed saga's order is paid, by it",
      "a fence has decided on every key",
      "initial stock = stock + units of paid orders",
      "no order is held by a saga that has ended",
      "one event per completed saga was taken in",
      "one paid payment per paid order",
      "the answer to a client is the saga's end",
      "the same key gets the same answer",
    ].toSorted(),
  );
});
