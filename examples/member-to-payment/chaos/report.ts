/** What a run came to, as text: what was done to the fleet, how the sagas ended, what does not hold. */
import { cpus, totalmem } from "node:os";
import type { Violation } from "../src/conservation.ts";
import type { AuditReport } from "./audit.ts";
import type { Checkout } from "./checkout-client.ts";
import type { Seat } from "./seat.ts";
import type { Story } from "./stories.ts";

export interface RunReport {
  readonly seed: number;
  readonly seconds: number;
  readonly inFlight: number;
  readonly postgres: string;
  readonly faults: ReadonlyMap<string, number>;
  readonly seats: readonly Seat[];
  readonly checkouts: readonly Checkout[];
  /** Absent when the fleet did not come to rest. */
  readonly audit: AuditReport | undefined;
  readonly violations: readonly Violation[];
  /** From the end of all faults to the end of the last saga, or to when it was no longer waited for. */
  readonly settledMs: number;
}

const SHOWN_MAX = 40;

export function describeRun(run: RunReport): string {
  const { faults, checkouts, audit, violations, seats } = run;
  const waits = checkouts.flatMap(({ askedAt, answeredAt }) => (answeredAt === undefined ? [] : [answeredAt - askedAt]));
  return [
    `seed ${run.seed}, ${run.seconds} s of faults, ${run.inFlight} clients at a time; Node ${process.version}, ${run.postgres}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    "",
    `faults injected       ${sum([...faults.values()])}`,
    ...table(faults),
    `checkouts asked for   ${checkouts.length}, by ${sum(checkouts.map(({ asked }) => asked))} requests`,
    ...table(counted(checkouts.map(({ answer }) => answerName(answer)))),
    ...(audit === undefined ? [] : sagaLines([...audit.stories.values()], run.seconds)),
    `a client waited       ${spread(waits)}`,
    audit === undefined
      ? `not all had ended     ${seconds(run.settledMs)} after the last fault`
      : `all ended             ${seconds(run.settledMs)} after the last fault`,
    `processes             ${seats.length}, of which ended by themselves ${sum(seats.map(({ crashes }) => crashes))}, did not end in time when asked to ${sum(seats.map(({ overstayed }) => overstayed))}`,
    ...(audit === undefined ? [] : [booksLine(audit)]),
    `violations            ${violations.length}`,
    ...violations.slice(0, SHOWN_MAX).map(({ law, about, expected, found }) => `  ${law}: ${about}: expected ${expected}, found ${found}`),
    ...(violations.length > SHOWN_MAX ? [`  and ${violations.length - SHOWN_MAX} more`] : []),
  ].join("\n");
}

function sagaLines(stories: readonly Story[], durationSeconds: number): readonly string[] {
  const ends = counted(stories.map(({ status, cause }) => (status === "compensated" ? `compensated: ${cause}` : status)));
  const takenOver = stories.map((story) => story.takenOver);
  return [
    `sagas                 ${stories.length}, ${Math.round(stories.length / durationSeconds)} a second`,
    ...table(ends),
    `taken over            ${sum(takenOver)} times, ${takenOver.filter((times) => times > 0).length} sagas, one of them ${most(takenOver)} times`,
    `unfinished            ${spread(stories.map(({ unfinishedMs }) => unfinishedMs))}`,
  ];
}

function booksLine({ books, askedAgain }: AuditReport): string {
  const { orders, paidOrders, usedCoupons, authorisations } = books;
  return `books                 ${orders} orders, ${paidOrders} paid; ${usedCoupons} coupons used; ${authorisations} card authorisations; ${askedAgain} answers asked for again`;
}

function spread(durationsMs: readonly number[]): string {
  return `longest ${seconds(most(durationsMs))}, 99 of 100 ${seconds(percentile(durationsMs, 0.99))}, half ${seconds(percentile(durationsMs, 0.5))}`;
}

function answerName(answer: Checkout["answer"]): string {
  if (answer === undefined) return "none";
  const { error, type } = JSON.parse(answer.text) as { readonly error?: { readonly _tag?: string }; readonly type?: string };
  return `${answer.status} ${error?._tag ?? type?.split(":").at(-1) ?? ""}`.trim();
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function table(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts].toSorted(([, left], [, right]) => right - left).map(([name, count]) => `${String(count).padStart(9)}  ${name}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}

/** Not by spreading: there may be more than a call takes arguments. */
function most(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => Math.max(left, right), 0);
}

function percentile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor((numbers.length - 1) * share)] ?? 0;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(1)} s`;
}
