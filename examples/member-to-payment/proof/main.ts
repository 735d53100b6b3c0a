/**
 * Proves the checkout: every single and double fault of a payment by points, and of one partly by card; then two of them at once on short stock, at random, with three
 * faults. Prints the counts, and ends with 1 and a counterexample when a law is broken.
 */
import { cpus } from "node:os";
import { type Counterexample, describeNamed, describeSummary, type ExploreOptions, explore } from "@backstep/saga-testing";
import type { CheckoutInput } from "./shop.ts";
import { accrue, byCard, byPoints, CONSERVATION, checkoutOf, openShop, type ProvedShop } from "./shop.ts";

type Options = ExploreOptions<CheckoutInput, ProvedShop>;

const [schedules = "100000"] = process.argv.slice(2);
const RANDOM_SCHEDULES = Number(schedules);
if (!Number.isSafeInteger(RANDOM_SCHEDULES) || RANDOM_SCHEDULES < 0) {
  console.error(`npm run prove -- <random schedules>: a whole number from 0; found ${schedules}`);
  process.exit(2);
}

function optionsFor(inputs: readonly CheckoutInput[], more: Partial<Options>): Options {
  return {
    inputs,
    participants: (site) => openShop(site, inputs.length),
    laws: [CONSERVATION],
    onEvent: accrue,
    onProgress: ({ schedules: run, tookMs }) => process.stderr.write(`  ${run} schedules, ${Math.round(tookMs / 1_000)} s\r`),
    ...more,
  };
}

const PROOFS: readonly (readonly [what: string, options: Options])[] = [
  ["a payment by points, all single and double faults", optionsFor([byPoints("o1")], {})],
  ["a payment partly by card, all single and double faults", optionsFor([byCard("o1")], {})],
  [
    "two payments at once on short stock, three faults at random",
    optionsFor([byPoints("o1"), byCard("o2")], { faults: 0, random: { schedules: RANDOM_SCHEDULES, faults: 3 } }),
  ],
];

function refute({ timeline, schedule, violations }: Counterexample<ProvedShop>): void {
  console.error(timeline);
  console.error(`${violations.length} laws are broken; replay: ${JSON.stringify(schedule)}`);
  process.exitCode = 1;
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`);
for (const [what, options] of PROOFS) {
  console.log(`\n${what}`);
  const explored = await explore(checkoutOf, options);
  console.log(describeSummary(explored.summary));
  if (explored._tag === "Refuted") refute(explored.counterexample);
  else console.log(describeNamed(explored.summary));
}
