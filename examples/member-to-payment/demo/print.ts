/** What a reader of the demo sees: one block per scenario, aligned, without colours where nobody would see them. */
import type { OperationStatus, SagaStatusDocument } from "@backstep/http-adapter/server";
import type { Outcome, Scenario } from "./scenarios.ts";
import type { Failure } from "./stage.ts";

const COLOURS = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;

function paint(code: number, text: string): string {
  return COLOURS ? `\u001b[${code}m${text}\u001b[0m` : text;
}

const bold = (text: string): string => paint(1, text);
const dim = (text: string): string => paint(2, text);
const green = (text: string): string => paint(32, text);
const red = (text: string): string => paint(31, text);
const yellow = (text: string): string => paint(33, text);

export function printTitle({ id, title }: Scenario): void {
  console.log(`\n${bold(id.padEnd(6))} ${title}`);
}

/** The steps of a saga in the order in which they began. */
export function printTimeline(status: SagaStatusDocument): void {
  console.log(dim(`       saga ${status.sagaId}: ${status.status}`));
  const pathWidth = Math.max(...status.operations.map(({ path, slot }) => labelOf(path, slot).length), 0);
  for (const operation of status.operations) {
    const { path, slot, attempts, tookMs } = operation;
    const tries = `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`.padStart(11);
    const took = tookMs === undefined ? "" : `${tookMs} ms`.padStart(8);
    console.log(`       ${labelOf(path, slot).padEnd(pathWidth)}  ${outcomeText(operation)} ${dim(tries)} ${dim(took)}`);
  }
}

function labelOf(path: string, slot: OperationStatus["slot"]): string {
  return slot === "compensation" ? `↩ ${path}` : `  ${path}`;
}

function outcomeText({ slot, outcome, reason }: OperationStatus): string {
  const width = 10;
  if (outcome === "succeeded") return slot === "compensation" ? yellow("undone".padEnd(width)) : green("succeeded".padEnd(width));
  if (outcome === "inDoubt") return yellow("in doubt".padEnd(width));
  return red(reason === undefined ? outcome.padEnd(width) : `${outcome} (${reason})`);
}

export function printOutcome({ answer, before, after }: Outcome): void {
  const { error, type } = answer.body as { readonly error?: { readonly _tag?: string }; readonly type?: string };
  console.log(`       client   ${answer.status} ${error?._tag ?? type?.split(":").at(-1) ?? ""}`.trimEnd());
  console.log(`       before   ${stateText(before)}`);
  console.log(`       after    ${stateText(after)}`);
}

function stateText({ order, reason, coupon, stock, points, payment, card }: Outcome["before"]): string {
  const why = reason === undefined ? "" : `  because of ${reason}`;
  const onCard = card === undefined ? "" : `  card ${card}`;
  const units = Object.values(stock).join("+");
  return `order ${(order ?? "none").padEnd(15)} coupon ${(coupon ?? "none").padEnd(6)} stock ${units.padEnd(5)} points ${String(points ?? 0).padEnd(6)} payment ${payment ?? "none"}${onCard}${why}`;
}

export function printVerdict(failures: readonly Failure[], tookMs: number): void {
  const took = dim(`(${(tookMs / 1_000).toFixed(1)} s)`);
  if (failures.length === 0) console.log(`       ${green("pass")} ${took}`);
  else console.log(`       ${red("FAIL")} ${took}`);
  for (const { what, expected, found } of failures) {
    console.log(red(`       ${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`));
  }
}

export function printLine(text: string): void {
  console.log(text);
}

export { bold, dim, green, red };
