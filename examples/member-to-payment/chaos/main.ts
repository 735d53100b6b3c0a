/**
 * `npm run chaos -- --seconds 40 --seed 7`: the six services on a real Postgres, with three payment workers on one journal, and many clients, while processes are killed and paused, Postgres is ended and
 * connections are cut, for the whole time. Then everything is let go, and all of it is audited. Ends with 1 when something does not hold. `--verbose` tells each fault, `--log <file>` writes them down.
 */
import { parseArgs } from "node:util";
import pg from "pg";
import type { Violation } from "../src/conservation.ts";
import { openJournal } from "../src/storage.ts";
import { audit } from "./audit.ts";
import { Faults } from "./faults.ts";
import { Fleet } from "./fleet.ts";
import { Load } from "./load.ts";
import { Log } from "./log.ts";
import { loseDatabase } from "./outage.ts";
import { untilQuiet } from "./quiet.ts";
import { Random } from "./random.ts";
import { describeRun } from "./report.ts";
import { Shop } from "./shop.ts";

/** The longest that Postgres is away, and the share of a shorter run. */
const AWAY_MS_MAX = 60_000;
const AWAY_SHARE = 0.2;
/** Nobody and nothing may take longer, once all is well again: for what went wrong, and for each client that stands in line. */
const SETTLED_MS_MAX = 180_000;
const SETTLED_MS_MAX_EACH = 200;

const options = readOptions();
const log = new Log(options);
let ending = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop());

console.log("Starting Postgres, five services, three payment workers and a payment gateway …");
const starting = Fleet.start(log);
try {
  process.exitCode = (await run(await starting)) === 0 ? 0 : 1;
} catch (error) {
  if (ending) await new Promise(() => undefined);
  console.error(error);
  process.exitCode = 1;
} finally {
  await (await starting.catch(() => undefined))?.close();
  await log.close();
  // Whatever a link still holds is of no interest to anybody.
  process.exit();
}

async function run(fleet: Fleet): Promise<number> {
  const { seed, durationMs, inFlight } = options;
  const random = new Random(seed);
  const shop = new Shop(fleet.services);
  await shop.open();
  const [over, givenUp] = [new AbortController(), new AbortController()];
  const load = new Load({ shop, workers: fleet.workerUrls, random: random.split(), inFlight, over: over.signal, givenUp: givenUp.signal });
  const loading = Promise.all([load.run(), shop.settleLedgers(over.signal, random.split())]);
  console.log(`${inFlight} clients pay, and everything goes wrong, for ${durationMs / 1_000} s …`);
  const faults = new Faults(fleet, random.split(), log);
  const outage = await rage(fleet, faults, durationMs);

  console.log("All is let go …");
  over.abort();
  const letGoAt = performance.now();
  await fleet.heal();
  const settledMsMax = SETTLED_MS_MAX + inFlight * SETTLED_MS_MAX_EACH;
  const late = setTimeout(() => givenUp.abort(), settledMsMax);
  await Promise.race([loading, new Promise((resolve) => givenUp.signal.addEventListener("abort", resolve))]);
  clearTimeout(late);
  const store = await openJournal({ dataDir: "", database: fleet.postgres.url() });
  try {
    const left = await untilQuiet(store, letGoAt + settledMsMax);
    const settledMs = performance.now() - letGoAt;
    if (left === undefined) console.log("Every saga, every service and every answer is looked at …\n");
    // Books of services that are still at it agree with nothing.
    const audited = left === undefined ? await audit({ fleet, shop, checkouts: load.checkouts, store }) : undefined;
    const violations = [...outage, ...crashes(fleet), ...(audited?.violations ?? [notSettled(settledMsMax, left)])];
    const { seats } = fleet;
    const report = { seed, seconds: durationMs / 1_000, inFlight, postgres: await versionOf(fleet), faults: faults.counts, seats };
    const text = describeRun({ ...report, checkouts: load.checkouts, audit: audited, violations, settledMs });
    console.log(text);
    log.write(text);
    return violations.length;
  } finally {
    await store.close();
  }
}

/** Faults for the whole time, but for the one stretch that belongs to an outage alone. */
async function rage(fleet: Fleet, faults: Faults, durationMs: number): Promise<readonly Violation[]> {
  const awayMs = Math.min(AWAY_MS_MAX, durationMs * AWAY_SHARE);
  const partMs = (durationMs - awayMs) / 2;
  await faults.rage(AbortSignal.timeout(partMs));
  const violations = await loseDatabase(fleet, faults, awayMs);
  await faults.rage(AbortSignal.timeout(partMs));
  return violations;
}

function notSettled(settledMsMax: number, left: string | undefined): Violation {
  const found = `${left}, and perhaps more; nothing was audited`;
  return { law: "all has ended in time", about: "the fleet", expected: `within ${settledMsMax / 1_000} s`, found };
}

function crashes({ seats }: Fleet): readonly Violation[] {
  return seats.flatMap(({ name, crashes: found }) =>
    found === 0 ? [] : [{ law: "no process ends by itself", about: name, expected: 0, found }],
  );
}

async function versionOf({ postgres }: Fleet): Promise<string> {
  const client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly server_version: string }>("SHOW server_version");
    return `Postgres ${rows[0]?.server_version}`;
  } finally {
    await client.end();
  }
}

/** Ends every process, whatever is under way. */
async function stop(): Promise<void> {
  if (ending) return;
  ending = true;
  console.log("\nStopping …");
  await (await starting.catch(() => undefined))?.close();
  process.exit(130);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string" },
        minutes: { type: "string" },
        seed: { type: "string", default: "1" },
        "in-flight": { type: "string", default: "64" },
        log: { type: "string" },
        verbose: { type: "boolean", default: false },
      },
    });
    const seconds = values.minutes === undefined ? Number(values.seconds ?? "40") : Number(values.minutes) * 60;
    const [seed, inFlight] = [Number(values.seed), Number(values["in-flight"])];
    if (!(seconds >= 10) || !Number.isSafeInteger(seed) || !Number.isSafeInteger(inFlight) || inFlight < 1)
      throw new TypeError("--seconds from 10 on, or --minutes; --seed and --in-flight are whole numbers");
    return { durationMs: seconds * 1_000, seed, inFlight, path: values.log, verbose: values.verbose };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}
