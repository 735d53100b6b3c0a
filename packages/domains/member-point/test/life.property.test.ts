/**
 * Goal: no point is made or lost, and a balance is the sum of its ledger. Method: random lives through the fence, on every storage, while
 * points are accrued, clawed back, expired and settled; the balance is held against the answers, and against all entries ever made.
 */
import { createMemberPointService, type Statement } from "@backstep/member-point";
import { memberPointContract } from "@backstep/member-point/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { expectLawfulLives, type World } from "../../test/random-life.ts";
import { openRig, STORAGES } from "../../test/rig.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const CURRENCY = "KRW";
const MEMBERS = ["ann", "bob"] as const;

interface Spend {
  readonly memberId: string;
  readonly amount: { readonly amountMinor: number; readonly currency: string };
}

type Event =
  | { readonly event: "accrue"; readonly memberId: string; readonly points: number }
  | { readonly event: "recover"; readonly index: number }
  | { readonly event: "expire" | "settle"; readonly memberId: string }
  | { readonly event: "wait"; readonly days: number };

const memberId = fc.constantFrom("ann", "ann", "bob");
const input: fc.Arbitrary<Spend> = fc.record({
  memberId,
  amount: fc.record({ amountMinor: fc.nat(60), currency: fc.constant(CURRENCY) }),
});
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ event: fc.constant("accrue" as const), memberId, points: fc.nat(50) }),
  fc.record({ event: fc.constant("recover" as const), index: fc.nat(10) }),
  fc.record({ event: fc.constantFrom("expire" as const, "settle" as const), memberId }),
  fc.record({ event: fc.constant("wait" as const), days: fc.integer({ min: 1, max: 2 }) }),
);

interface Books {
  accrued: number;
  recovered: number;
  expired: number;
  readonly statements: Statement[];
}

async function open(storage: (typeof STORAGES)[number]): Promise<World<Spend, Event>> {
  const rig = await openRig(memberPointContract, createMemberPointService(), storage);
  const books = new Map<string, Books>(MEMBERS.map((each) => [each, { accrued: 0, recovered: 0, expired: 0, statements: [] }]));
  const accruals: { readonly memberId: string; readonly accrualId: string }[] = [];
  const booksOf = (of: string): Books => books.get(of) as Books;

  const accrue = async (of: string, points: number): Promise<void> => {
    const amount = { amountMinor: points, currency: CURRENCY };
    const { accrualId } = await rig.do("accruePoints", { memberId: of, amount });
    accruals.push({ memberId: of, accrualId });
    booksOf(of).accrued += points;
  };
  for (const each of MEMBERS) await accrue(each, 40);

  const happen = {
    accrue: (made: Extract<Event, { readonly event: "accrue" }>) => accrue(made.memberId, made.points),
    async recover({ index }: Extract<Event, { readonly event: "recover" }>) {
      const accrual = accruals[index % accruals.length];
      if (accrual === undefined) return;
      const { recovered } = await rig.do("recoverPoints", accrual);
      booksOf(accrual.memberId).recovered += recovered.amountMinor;
    },
    async expire({ memberId: of }: { readonly memberId: string }) {
      const accruedBefore = new Date(rig.clock.now - DAY_MS).toISOString().slice(0, 10);
      const { expired } = await rig.do("expirePoints", { memberId: of, currency: CURRENCY, accruedBefore });
      booksOf(of).expired += expired.amountMinor;
    },
    async settle({ memberId: of }: { readonly memberId: string }) {
      const { period } = (await rig.ask("findBalance", { memberId: of, currency: CURRENCY }))._unsafeUnwrap();
      const answer = await rig.act("settlePeriod", { memberId: of, currency: CURRENCY, period });
      if (answer._tag === "Succeeded") booksOf(of).statements.push(answer.output);
    },
    async wait({ days }: Extract<Event, { readonly event: "wait" }>) {
      rig.clock.now += days * DAY_MS;
    },
  };

  return {
    act: ({ key, input }) => rig.act("deductPoints", input, key),
    // Told another member and amount than was deducted, which must make no difference.
    undo: ({ key }) => rig.undo("restorePoints", { memberId: "eve", amount: { amountMinor: 1, currency: "EUR" } }, key),
    happen: (made) => happen[made.event](made as never),
    async expectLaw(standing) {
      for (const each of MEMBERS) {
        const ledger = { memberId: each, currency: CURRENCY };
        const { balance } = (await rig.ask("findBalance", ledger))._unsafeUnwrap();
        const { accrued, recovered, expired, statements } = booksOf(each);
        const spends = standing.filter(({ input }) => input.memberId === each);
        const deducted = spends.reduce((sum, { input }) => sum + input.amount.amountMinor, 0);
        expect(balance.amountMinor).toBe(accrued - deducted - recovered - expired);
        const { entries } = (await rig.ask("listEntries", ledger))._unsafeUnwrap();
        expect(totalOf(entries.filter(({ _tag }) => _tag !== "Opened"))).toBe(balance.amountMinor);
        expectNoDayBelowZero(entries);
        expectStatementsToFollow(statements);
      }
    },
    close: () => rig.close(),
  };
}

interface Lots {
  readonly _tag: string;
  readonly lots: readonly { readonly day: string; readonly amountMinor: number }[];
}

function totalOf(entries: readonly Lots[]): number {
  return entries.flatMap(({ lots }) => lots).reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}

function expectNoDayBelowZero(entries: readonly Lots[]): void {
  const days = new Map<string, number>();
  for (const { day, amountMinor } of entries.filter(({ _tag }) => _tag !== "Opened").flatMap(({ lots }) => lots)) {
    days.set(day, (days.get(day) ?? 0) + amountMinor);
    expect(days.get(day)).toBeGreaterThanOrEqual(0);
  }
}

/** Each statement adds up, and opens with what the one before closed with. */
function expectStatementsToFollow(statements: readonly Statement[]): void {
  for (const [index, made] of statements.entries()) {
    const { openingMinor, accruedMinor, deductedMinor, restoredMinor, recoveredMinor, expiredMinor, closingMinor } = made;
    expect(made.period).toBe(index + 1);
    expect(openingMinor).toBe(statements[index - 1]?.closingMinor ?? 0);
    expect(openingMinor + accruedMinor - deductedMinor + restoredMinor - recoveredMinor - expiredMinor).toBe(closingMinor);
  }
}

it.each(STORAGES)("a balance is what was accrued less what stands deducted, clawed back or expired, on %s", (storage) =>
  expectLawfulLives(storage, { input, event, open: () => open(storage) }),
);
