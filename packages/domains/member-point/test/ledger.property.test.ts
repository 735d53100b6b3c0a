/**
 * The ledger against a heap of single points, each with the day it was accrued on: whatever is accrued, spent, given back, clawed back,
 * expired and settled, in whatever order, both hold the same, and nothing is ever below zero.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BALANCE_MINOR_MAX, type Entry } from "../src/contract.ts";
import { accrue, deduct, expire, heldBy, recover, statementOf } from "../src/ledger.ts";
import { type Lots, lotsOf, negationOf, sumOf, totalOf } from "../src/lots.ts";

const DAYS = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"] as const;
const day = fc.constantFrom(...DAYS);
const few = fc.integer({ min: 0, max: 12 });
const points = (amountMinor: number) => ({ amountMinor, currency: "KRW" });

const move = fc.oneof(
  fc.record({ move: fc.constant("accrue" as const), day, amount: few }),
  fc.record({ move: fc.constant("deduct" as const), amount: few }),
  fc.record({ move: fc.constant("restore" as const), index: fc.nat(20) }),
  fc.record({ move: fc.constant("recover" as const), index: fc.nat(20) }),
  fc.record({ move: fc.constant("expire" as const), day }),
  fc.record({ move: fc.constant("settle" as const) }),
);

type Move = typeof move extends fc.Arbitrary<infer Made> ? Made : never;

/** A heap of points, one day each, oldest first; and what was taken from it for each deduction that stands. */
class Heap {
  days: string[] = [];
  readonly deductions: string[][] = [];
  readonly accruals: { readonly day: string; left: number }[] = [];

  add(days: readonly string[]): void {
    this.days = [...this.days, ...days].sort();
  }

  take(amount: number, first?: string): string[] {
    const ordered = [...this.days.filter((each) => each === first), ...this.days.filter((each) => each !== first)];
    const taken = ordered.slice(0, amount);
    this.days = ordered.slice(amount).sort();
    return taken;
  }
}

/** The ledger under test: entries by period, the open one last. */
class Ledger {
  readonly periods: Entry[][] = [[]];
  readonly deductions: Lots[] = [];
  readonly accruals: { readonly lots: Lots; recoverable: number }[] = [];

  get open(): Entry[] {
    return this.periods.at(-1) as Entry[];
  }

  get held(): Lots {
    return heldBy(this.open);
  }

  enter(_tag: Entry["_tag"], lots: Lots): void {
    this.open.push({ _tag, entryId: "000000000001", period: this.periods.length, at: 0, reference: "any", lots });
  }
}

function make(ledger: Ledger, heap: Heap, made: Move): void {
  switch (made.move) {
    case "accrue": {
      const lots = accrue(ledger.held, points(made.amount), made.day)._unsafeUnwrap();
      ledger.enter("Accrued", lots);
      ledger.accruals.push({ lots, recoverable: made.amount });
      heap.add(Array<string>(made.amount).fill(made.day));
      heap.accruals.push({ day: made.day, left: made.amount });
      break;
    }
    case "deduct": {
      const available = heap.days.length;
      const deducted = deduct(ledger.held, points(made.amount));
      expect(deducted.isOk()).toBe(made.amount <= available);
      if (deducted.isErr()) {
        const rejection = { _tag: "InsufficientPoints", required: points(made.amount), available: points(available) };
        expect(deducted.error).toEqual(rejection);
      } else {
        ledger.enter("Deducted", deducted.value);
        ledger.deductions.push(deducted.value);
        heap.deductions.push(heap.take(made.amount));
      }
      break;
    }
    case "restore": {
      const index = made.index % Math.max(1, ledger.deductions.length);
      const [lots] = ledger.deductions.splice(index, 1);
      if (lots !== undefined) ledger.enter("Restored", negationOf(lots));
      heap.add(heap.deductions.splice(index, 1).flat());
      break;
    }
    case "recover": {
      const index = made.index % Math.max(1, ledger.accruals.length);
      const accrual = ledger.accruals[index];
      const modelled = heap.accruals[index];
      if (accrual === undefined || modelled === undefined) break;
      const lots = recover(ledger.held, accrual.lots, accrual.recoverable);
      ledger.enter("Recovered", lots);
      accrual.recoverable += totalOf(lots);
      modelled.left -= heap.take(modelled.left, modelled.day).length;
      expect(accrual.recoverable).toBe(modelled.left);
      break;
    }
    case "expire":
      ledger.enter("Expired", expire(ledger.held, made.day));
      heap.days = heap.days.filter((each) => each >= made.day);
      break;
    case "settle": {
      const { held } = ledger;
      ledger.periods.push([]);
      ledger.enter("Opened", held);
      break;
    }
    default:
      made satisfies never;
  }
}

function countsOf(days: readonly string[]): Lots {
  return sumOf(days.map((each) => lotsOf(each, 1)));
}

describe("a ledger", () => {
  it("holds what a heap of single points holds, day by day, and its balance is the sum of all its entries", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 50 }), (moves) => {
        const ledger = new Ledger();
        const heap = new Heap();
        for (const made of moves) {
          make(ledger, heap, made);
          expect(ledger.held).toEqual(countsOf(heap.days));
          const ever = ledger.periods.flat().filter(({ _tag }) => _tag !== "Opened");
          expect(totalOf(heldBy(ever))).toBe(heap.days.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("settles every period with a statement that adds up and that the next one starts from", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 50 }), (moves) => {
        const ledger = new Ledger();
        const heap = new Heap();
        for (const made of moves) make(ledger, heap, made);
        let closing = 0;
        for (const [index, entries] of ledger.periods.entries()) {
          const made = statementOf(index + 1, "KRW", entries);
          const { openingMinor, accruedMinor, deductedMinor, restoredMinor, recoveredMinor, expiredMinor, closingMinor } = made;
          expect(openingMinor).toBe(closing);
          expect(openingMinor + accruedMinor - deductedMinor + restoredMinor - recoveredMinor - expiredMinor).toBe(closingMinor);
          for (const amount of [accruedMinor, deductedMinor, restoredMinor, recoveredMinor, expiredMinor, closingMinor]) {
            expect(amount).toBeGreaterThanOrEqual(0);
          }
          closing = closingMinor;
        }
        expect(closing).toBe(heap.days.length);
      }),
    );
  });

  it("is as it was after a deduction and its restoration, day by day", () => {
    const lots = fc.array(fc.tuple(day, few), { maxLength: 8 }).map((parts) => sumOf(parts.map(([on, amount]) => lotsOf(on, amount))));
    fc.assert(
      fc.property(lots, fc.nat(100), (held, wanted) => {
        const deducted = deduct(held, points(Math.min(wanted, totalOf(held))))._unsafeUnwrap();
        expect(sumOf([held, deducted, negationOf(deducted)])).toEqual(held);
      }),
    );
  });

  it("grows to the largest balance, and by not one point more", () => {
    const held = lotsOf("2026-03-01", BALANCE_MINOR_MAX - 1);
    expect(accrue(held, points(1), "2026-03-02").isOk()).toBe(true);
    const balanceMax = points(BALANCE_MINOR_MAX);
    expect(accrue(held, points(2), "2026-03-02")._unsafeUnwrapErr()).toEqual({ _tag: "BalanceTooLarge", balanceMax });
  });
});
