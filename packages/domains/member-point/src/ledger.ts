/**
 * What may be entered into a ledger. Pure: each decision is given what the ledger holds and answers with the lots of the new entry. None
 * takes away more than is there, so no day's points, and no balance, are ever below zero.
 */
import type { Money, RejectionOf } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import { BALANCE_MINOR_MAX, type Entry, type memberPointContract, type Statement } from "./contract.ts";
import { firstOf, type Lots, lotsOf, negationOf, sumOf, totalOf } from "./lots.ts";

type Operations = (typeof memberPointContract)["operations"];

export function accrue(held: Lots, amount: Money, day: string): Result<Lots, RejectionOf<Operations["accruePoints"]>> {
  if (totalOf(held) + amount.amountMinor > BALANCE_MINOR_MAX) {
    return err({ _tag: "BalanceTooLarge", balanceMax: { ...amount, amountMinor: BALANCE_MINOR_MAX } });
  }
  return ok(lotsOf(day, amount.amountMinor));
}

/** Oldest points first. */
export function deduct(held: Lots, required: Money): Result<Lots, RejectionOf<Operations["deductPoints"]>> {
  const available = totalOf(held);
  if (available < required.amountMinor) {
    return err({ _tag: "InsufficientPoints", required, available: { ...required, amountMinor: available } });
  }
  return ok(negationOf(firstOf(held, required.amountMinor)));
}

/** Points of the accrual's own day first, then the oldest: what was spent already is clawed back from what the member has instead. */
export function recover(held: Lots, accrual: Lots, recoverableMinor: number): Lots {
  const days = new Set(accrual.map(({ day }) => day));
  const ownFirst = [...held.filter(({ day }) => days.has(day)), ...held.filter(({ day }) => !days.has(day))];
  return negationOf(firstOf(ownFirst, recoverableMinor));
}

/** @param before - The first day whose points stay. */
export function expire(held: Lots, before: string): Lots {
  return negationOf(held.filter(({ day }) => day < before));
}

/** What a ledger holds: all entries of one period, the opening one included, say it. */
export function heldBy(entries: readonly Entry[]): Lots {
  return sumOf(entries.map(({ lots }) => lots));
}

/** Opening + accrued − deducted + restored − recovered − expired = closing. */
export function statementOf(period: number, currency: string, entries: readonly Entry[]): Statement {
  const totalMinor = (tag: Entry["_tag"]): number => totalOf(heldBy(entries.filter(({ _tag }) => _tag === tag)));
  return {
    period,
    currency,
    openingMinor: totalMinor("Opened"),
    accruedMinor: totalMinor("Accrued"),
    deductedMinor: Math.abs(totalMinor("Deducted")),
    restoredMinor: totalMinor("Restored"),
    recoveredMinor: Math.abs(totalMinor("Recovered")),
    expiredMinor: Math.abs(totalMinor("Expired")),
    closingMinor: totalOf(heldBy(entries)),
  };
}
