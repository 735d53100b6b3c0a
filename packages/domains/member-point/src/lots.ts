/**
 * Points as lots: how many of them were accrued on which day. Every ledger entry is such a list, positive or negative, so that a ledger is
 * the sum of its entries, day by day, and an entry is undone by its negation. Pure.
 */
import type { Lot } from "./contract.ts";

/** By day, ascending; at most one lot per day, none of zero. */
export type Lots = readonly Lot[];

export function lotsOf(day: string, amountMinor: number): Lots {
  return sumOf([[{ day, amountMinor }]]);
}

export function sumOf(parts: readonly Lots[]): Lots {
  const amounts = new Map<string, number>();
  for (const { day, amountMinor } of parts.flat()) amounts.set(day, (amounts.get(day) ?? 0) + amountMinor);
  return [...amounts]
    .filter(([, amountMinor]) => amountMinor !== 0)
    .map(([day, amountMinor]) => ({ day, amountMinor }))
    .sort((left, right) => (left.day < right.day ? -1 : 1));
}

export function negationOf(lots: Lots): Lots {
  return lots.map(({ day, amountMinor }) => ({ day, amountMinor: -amountMinor }));
}

/** In minor units. */
export function totalOf(lots: Lots): number {
  return lots.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}

/** Takes lots in the order they are given until the amount is reached, the last one in part. Less where there is less. */
export function firstOf(lots: Lots, amountMinor: number): Lots {
  let missing = amountMinor;
  const taken = lots.map((lot) => {
    const part = Math.min(lot.amountMinor, missing);
    missing -= part;
    return { ...lot, amountMinor: part };
  });
  return sumOf([taken]);
}
