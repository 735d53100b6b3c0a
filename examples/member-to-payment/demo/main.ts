/**
 * `npm run demo`: six services and a payment gateway, every failure of the table, and what is true afterwards. `npm run demo -- F5` plays one scenario, `F10` all that begin with it.
 * Ends with the conservation check over everything that was played; the exit code tells. Leaves nothing behind, also on Ctrl-C.
 */
import { checkConservation } from "../src/conservation.ts";
import { Network } from "./network.ts";
import { bold, dim, green, printLine, printOutcome, printTimeline, printTitle, printVerdict, red } from "./print.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { type Failure, Stage } from "./stage.ts";

interface Books {
  readonly stock: Map<string, number>;
  readonly points: Map<string, number>;
  readonly abandoned: Set<string>;
}

const wanted = process.argv.slice(2).map((name) => name.toUpperCase());
const unknown = wanted.filter((name) => !SCENARIOS.some(({ id }) => isMeant(id, name)));
if (unknown.length > 0) {
  printLine(`There is no scenario ${unknown.join(", ")}. There are ${SCENARIOS.map(({ id }) => id).join(", ")}.`);
  process.exit(2);
}
const chosen = SCENARIOS.filter(({ id }) => wanted.length === 0 || wanted.some((name) => isMeant(id, name)));

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop());

printLine(dim("Starting six services, each a process with its own database, and a payment gateway …"));
const starting = Network.start();
const network = await starting.catch(giveUp);
process.exitCode = (await playAll().catch(giveUp)) === 0 ? 0 : 1;
await network.close();

function isMeant(id: string, name: string): boolean {
  return id.toUpperCase() === name || id.toUpperCase().startsWith(`${name}.`);
}

/** Ends the services and removes their data, whatever is under way. */
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  printLine("\nStopping the services …");
  await closeNetwork();
  process.exit(130);
}

async function giveUp(error: unknown): Promise<never> {
  await unlessStopping();
  console.error(error instanceof Error ? error.message : String(error));
  await closeNetwork();
  process.exit(1);
}

/** One that could not be started has cleaned up after itself. */
async function closeNetwork(): Promise<void> {
  const started = await starting.catch(() => undefined);
  await started?.close();
}

/** Whoever stops the demo does not want to read what that broke: from then on nothing more is played or told. */
async function unlessStopping(): Promise<void> {
  if (stopping) await new Promise(() => undefined);
}

async function playAll(): Promise<number> {
  const books: Books = { stock: new Map(), points: new Map(), abandoned: new Set() };
  let failures = 0;
  for (const scenario of chosen) failures += (await play(scenario, books)) ? 0 : 1;
  const conserved = await audit(books);
  const passed = chosen.length - failures;
  const verdict = `${passed} of ${counted(chosen.length, "scenario")} passed; everything is ${conserved ? "conserved" : "NOT conserved"}.`;
  printLine(`\n${failures === 0 && conserved ? green(verdict) : red(verdict)}`);
  return failures + (conserved ? 0 : 1);
}

async function play(scenario: Scenario, books: Books): Promise<boolean> {
  await unlessStopping();
  printTitle(scenario);
  const stage = new Stage(network, scenario.id.replace(".", "-"));
  const startedAt = performance.now();
  try {
    const outcome = await scenario.play(stage);
    await showSagas(stage, books);
    printOutcome(outcome);
  } catch (error) {
    await unlessStopping();
    stage.failures.push({ what: "the scenario could not be played", expected: "an outcome", found: String(error) } satisfies Failure);
  } finally {
    await network.calm();
  }
  for (const [productId, units] of stage.openings.stock) books.stock.set(productId, units);
  for (const [memberId, points] of stage.openings.points) books.points.set(memberId, points);
  printVerdict(stage.failures, performance.now() - startedAt);
  return stage.failures.length === 0;
}

async function showSagas(stage: Stage, books: Books): Promise<void> {
  for (const sagaId of stage.sagaIds) {
    const status = await stage.status(sagaId);
    if (status === undefined) continue;
    if (status.status === "abandoned") books.abandoned.add(sagaId);
    printTimeline(status);
  }
}

async function audit(books: Books): Promise<boolean> {
  const report = await checkConservation(network.services, books, books.abandoned);
  printLine(
    `\n${bold("Audit")}  ${counted(report.products, "product")}, ${counted(report.members, "member")}, ${counted(report.orders, "order")} of which ${report.paidOrders} paid, ${counted(report.usedCoupons, "used coupon")}, ${counted(report.authorisations, "card authorisation")}, ${counted(books.abandoned.size, "abandoned saga")}`,
  );
  for (const { law, about, expected, found } of report.violations)
    printLine(red(`       ${law}: ${about} expected ${expected}, found ${found}`));
  return report.violations.length === 0;
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
