// Goal: what the README shows compiles and does what the text beside it says. Method: its program is a region of this file, and the README must hold it word for word.
import { readFile } from "node:fs/promises";
import { saga, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { expect, test } from "vitest";
import { z } from "zod";
import { fenced, type Site, scenario } from "../src/index.ts";

function openBank(site: Site) {
  return { accounts: { from: 100, to: 0 }, fence: fenced(site, "bank") };
}
type Bank = ReturnType<typeof openBank>;

function createTransfer({ accounts, fence }: Bank) {
  const move = (name: string, account: "from" | "to", sign: 1 | -1) =>
    step({
      name,
      run: (amount: number, { call }) =>
        fence.act(call, amount, () => {
          accounts[account] += sign * amount;
          return ok(undefined);
        }),
      compensate: (amount, { call }) =>
        fence.undo(call, amount, () => {
          accounts[account] -= sign * amount;
        }),
    });
  const withdraw = move("bank.withdraw", "from", -1);
  const deposit = move("bank.deposit", "to", 1);
  return saga({
    name: "transfer",
    input: z.strictObject({ amount: z.int() }),
    *run({ amount }) {
      yield* withdraw(amount);
      yield* deposit(amount);
    },
  });
}

test("the program proves its saga", async () => {
  const { prove, conserve } = await import("../src/index.ts");
  // The region imports what it uses, as its reader will; here it is there already.
  const summary = await prove(createTransfer, {
    input: { amount: 10 },
    participants: openBank, //                    (site) => participants, made anew for each schedule
    laws: [conserve("money", ({ accounts }: Bank) => accounts.from + accounts.to)],
  });
  expect(summary.exhaustive).toHaveLength(3);
  expect(summary.leftOut).toBeUndefined();
});

test("the scenario tells its story", async () => {
  const { answer, participants } = await scenario(createTransfer, { input: { amount: 10 }, participants: openBank })
    .given(({ accounts }) => {
      accounts.to = 5;
    })
    .when("bank.deposit #1", "lose-answer")
    .run();
  expect(answer._tag).toBe("Completed");
  expect(participants.accounts).toEqual({ from: 90, to: 15 });
});

test("a story in which something could not happen is refused, and says where it could", async () => {
  const told = scenario(createTransfer, { input: { amount: 10 }, participants: openBank })
    .when("bank.refund #1", "lose-answer")
    .run();
  await expect(told).rejects.toThrow("the points were append s1 0, bank.withdraw #1");
});

test("the README holds the program", async () => {
  const [readme, own] = await Promise.all([
    readFile(new URL("../README.md", import.meta.url), "utf8"),
    readFile(new URL(import.meta.url), "utf8"),
  ]);
  const [, program = ""] = /^ {2}(const summary = .*?^ {2}\}\);)$/ms.exec(own) ?? [];
  expect(program.length).toBeGreaterThan(100);
  expect(readme).toContain(program.replaceAll(/^ {2}/gm, ""));
});
