/**
 * What a coupon takes off an order. A percentage is rounded down to a whole minor unit, so that a discount never exceeds what was promised;
 * no discount exceeds its cap or the order's total.
 */
import { match } from "ts-pattern";
import type { Terms } from "./contract.ts";

const BASIS_POINTS_OF_ALL = 10_000n;

/** @returns Minor units, 0 to the smaller of cap and total. */
export function discountMinorOf({ discount, capMinor }: Terms, orderTotalMinor: number): number {
  const promised = match(discount)
    .with({ _tag: "Fixed" }, ({ amountMinor }) => amountMinor)
    .with({ _tag: "Percentage" }, ({ basisPoints }) => percentageOf(orderTotalMinor, basisPoints))
    .exhaustive();
  return Math.min(promised, capMinor ?? orderTotalMinor, orderTotalMinor);
}

/** In big integers: the product of the largest amount and 10,000 is no exact number. */
function percentageOf(amountMinor: number, basisPoints: number): number {
  return Number((BigInt(amountMinor) * BigInt(basisPoints)) / BASIS_POINTS_OF_ALL);
}
