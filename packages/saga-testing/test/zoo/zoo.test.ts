/** The zoo of wrong sagas: each has one small thing wrong with it, and each is caught by the law that it breaks, with a counterexample of at most three faults. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { explore, parseSchedule } from "../../src/index.ts";
import { exploreMutant, type Mutant } from "./mutant.ts";
import { checkoutOf, ORDER, openShop, SHOP_LAWS, shopSteps, stateOfShop } from "./shop.ts";
import { WRONG_ENGINES } from "./wrong-engines.ts";
import { WRONG_PARTICIPANTS } from "./wrong-participants.ts";
import { WRONG_SAGAS } from "./wrong-sagas.ts";

const FAULTS_MAX = 3;

function caught(mutants: readonly Mutant[]): void {
  test.each(mutants.map((mutant) => [mutant.name, mutant.says, mutant] as const))("%s: %s", async (_name, _says, mutant) => {
    const explored = await exploreMutant(mutant);
    if (explored._tag === "Proved") throw new Error(`nothing was found in ${explored.summary.exhaustive.join(" + ")} schedules`);
    const { schedule, violations } = explored.counterexample;
    expect(violations.map(({ law }) => law)).toContain(mutant.breaks);
    expect(parseSchedule(schedule)._unsafeUnwrap().deviations.length).toBeLessThanOrEqual(FAULTS_MAX);
  });
}

describe("wrong sagas are caught", () => caught(WRONG_SAGAS));
describe("wrong participants are caught", () => caught(WRONG_PARTICIPANTS));
describe("wrong engines are caught", () => caught(WRONG_ENGINES));

test("the zoo has two dozen animals at least, each of its own name", () => {
  const names = [...WRONG_SAGAS, ...WRONG_PARTICIPANTS, ...WRONG_ENGINES].map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(24);
  expect(new Set(names).size).toBe(names.length);
});

test("the right saga passes every single and double fault", { timeout: 240_000 }, async () => {
  const explored = await explore((shop: ReturnType<typeof openShop>) => checkoutOf(shopSteps(shop)), {
    input: ORDER,
    participants: openShop,
    laws: SHOP_LAWS,
    state: stateOfShop,
  });
  if (explored._tag === "Refuted") throw new Error(explored.counterexample.timeline);
  expect(explored.summary.leftOut).toBeUndefined();
});

describe("the page of the zoo", () => {
  const page = readFileSync(new URL("../../../../docs/zoo.md", import.meta.url), "utf8");
  const shown = [...WRONG_SAGAS, ...WRONG_PARTICIPANTS, ...WRONG_ENGINES].filter(({ name }) => page.includes(`## ${sentence(name)}`));

  test("lists all animals, and shows three as diagrams", () => {
    for (const { name, says } of [...WRONG_SAGAS, ...WRONG_PARTICIPANTS, ...WRONG_ENGINES]) expect(page).toContain(`| ${name} | ${says} |`);
    expect(shown).toHaveLength(3);
  });

  test.each(shown.map((mutant) => [mutant.name, mutant] as const))("draws what is found: %s", async (_name, mutant) => {
    const explored = await exploreMutant(mutant);
    if (explored._tag === "Proved") throw new Error("nothing was found");
    const { mermaid, schedule } = explored.counterexample;
    expect(page).toContain(`\`\`\`mermaid\n${mermaid}\n\`\`\``);
    expect(page).toContain(`\`${schedule}\``);
  });
});

function sentence(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
