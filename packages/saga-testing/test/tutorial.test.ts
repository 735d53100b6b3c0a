// Goal: the tutorial leads where it says. Method: the regions below are its code, word for word, and what it shows as output is what comes out here.
import { readFileSync } from "node:fs";
// #region imports
import { type Fault, saga, step } from "@backstep/saga-core";
import { conserve, fenced, invariant, prove, type Site, scenario } from "@backstep/saga-testing";
import { err, ok } from "neverthrow";
import { describe, expect, test } from "vitest";
import { z } from "zod";

// #endregion imports

// #region participants
function openCinema(site: Site) {
  return {
    seats: { free: 2, taken: 0 },
    purse: { held: 30, paid: 0 },
    cinema: fenced(site, "cinema"),
    bank: fenced(site, "bank"),
  };
}
type Cinema = ReturnType<typeof openCinema>;
// #endregion participants

// #region steps
function takeSeatIn({ seats, cinema }: Cinema) {
  return step({
    name: "cinema.take-seat",
    run: (count: number, { call }) =>
      cinema.act(call, count, () => {
        if (seats.free < count) return err({ _tag: "SoldOut" as const });
        seats.free -= count;
        seats.taken += count;
        return ok(undefined);
      }),
    compensate: (count, { call }) =>
      cinema.undo(call, count, () => {
        seats.free += count;
        seats.taken -= count;
      }),
  });
}

function chargeAt({ purse, bank }: Cinema) {
  return step({
    name: "bank.charge",
    run: (amount: number, { call }) =>
      bank.act(call, amount, () => {
        if (purse.held < amount) return err({ _tag: "TooLittleMoney" as const });
        purse.held -= amount;
        purse.paid += amount;
        return ok(undefined);
      }),
    compensate: (amount, { call, outcome }) => {
      // Nobody knows that it was charged, so there is nothing to refund.
      if (outcome._tag === "InDoubt") return ok<undefined, Fault>(undefined);
      return bank.undo(call, amount, () => {
        purse.held += amount;
        purse.paid -= amount;
      });
    },
  });
}
// #endregion steps

// #region saga
function bookTicket(cinema: Cinema) {
  const takeSeat = takeSeatIn(cinema);
  const charge = chargeAt(cinema);
  return saga({
    name: "book-ticket",
    input: z.strictObject({ price: z.int().min(1) }),
    *run({ price }) {
      yield* takeSeat(1);
      yield* charge(price);
    },
  });
}
// #endregion saga

// #region laws
const laws = [
  conserve("money, held and paid", ({ purse }: Cinema) => purse.held + purse.paid),
  invariant("a seat for each who paid", ({ seats, purse }: Cinema) =>
    purse.paid === 10 * seats.taken ? undefined : `${purse.paid} was paid for ${seats.taken} seats`,
  ),
];
// #endregion laws

// #region fix
function chargeAndRefundAt({ purse, bank }: Cinema) {
  return step({
    name: "bank.charge",
    run: (amount: number, { call }) =>
      bank.act(call, amount, () => {
        if (purse.held < amount) return err({ _tag: "TooLittleMoney" as const });
        purse.held -= amount;
        purse.paid += amount;
        return ok(undefined);
      }),
    // In doubt or not: the fence knows whether there is something to refund, and seals the key where there is nothing yet.
    compensate: (amount, { call }) =>
      bank.undo(call, amount, () => {
        purse.held += amount;
        purse.paid -= amount;
      }),
  });
}

function bookTicketSafely(cinema: Cinema) {
  const takeSeat = takeSeatIn(cinema);
  const charge = chargeAndRefundAt(cinema);
  return saga({
    name: "book-ticket",
    input: z.strictObject({ price: z.int().min(1) }),
    *run({ price }) {
      yield* takeSeat(1);
      yield* charge(price);
    },
  });
}
// #endregion fix

describe("the tutorial", () => {
  test("the story that everybody tests goes well", async () => {
    // #region happy
    const { answer, participants } = await scenario(bookTicket, { input: { price: 10 }, participants: openCinema }).run();
    expect(answer._tag).toBe("Completed");
    expect(participants.purse.paid).toBe(10);
    // #endregion happy
  });

  test("the proof finds what is wrong", async () => {
    // #region prove
    const proof = prove(bookTicket, { input: { price: 10 }, participants: openCinema, laws });
    // #endregion prove
    await expect(proof).rejects.toThrow(/bank\.charge stands, though all is said to be taken back/);
    const { message } = (await proof.catch((thrown: unknown) => thrown)) as Error;
    const [shown = ""] = /(?<=^```text\n).*?(?=^```)/ms.exec(tutorial) ?? [];
    expect(shown.trim().length).toBeGreaterThan(0);
    expect(message).toContain(shown.trim());
  });

  test("the counterexample is replayed", async () => {
    // #region replay
    const replayed = prove(bookTicket, { input: { price: 10 }, participants: openCinema, laws, replay: "4:lose-every-answer" });
    // #endregion replay
    await expect(replayed).rejects.toThrow(/a seat for each who paid/);
  });

  test("the same story, told by hand", async () => {
    // #region story
    const { participants, violations } = await scenario(bookTicket, { input: { price: 10 }, participants: openCinema, laws })
      .when("bank.charge #1", "lose-every-answer")
      .run();
    expect(participants).toMatchObject({ seats: { taken: 0 }, purse: { paid: 10 } });
    expect(violations.map(({ law }) => law)).toContain("a seat for each who paid");
    // #endregion story
  });

  test("the saga that refunds whatever it knows is proved", async () => {
    // #region proved
    const summary = await prove(bookTicketSafely, {
      input: { price: 10 },
      participants: openCinema,
      laws,
      state: ({ seats, purse }) => [seats, purse],
    });
    // #endregion proved
    expect(summary.leftOut).toBeUndefined();
  });

  test("holds this code word for word", () => {
    const source = readFileSync(new URL(import.meta.url), "utf8");
    const regions = [...source.matchAll(/^( *)\/\/ #region (\w+)\n(.*?)^ *\/\/ #endregion \2$/gms)];
    expect(regions.map(([, , name]) => name)).toEqual([
      "imports",
      "participants",
      "steps",
      "saga",
      "laws",
      "fix",
      "happy",
      "prove",
      "replay",
      "story",
      "proved",
    ]);
    for (const [, indent = "", , region = ""] of regions) {
      const code = `${region.replaceAll(new RegExp(`^${indent}`, "gm"), "").trimEnd()}\n`;
      expect(tutorial).toContain(`\`\`\`ts\n${code}\`\`\``);
    }
  });
});

const tutorial = readFileSync(new URL("../../../docs/tutorial.md", import.meta.url), "utf8");
