/** Value schemas that every domain shares, so that an amount or an id out of range is refused at every edge alike. */
import { z } from "zod";

/** 1 to 64 characters that need no escaping in a path, a key or a header. Not `.` or `..`, which make a path another one. */
export const id = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,64}$/, "1 to 64 characters of A-Z a-z 0-9 . _ : -, not dots alone");

/** 10^12 minor units: sums of a thousand of them stay exact integers. */
export const AMOUNT_MINOR_MAX = 1_000_000_000_000;

/** An amount in minor units (cents, won): a whole number from 0 to `AMOUNT_MINOR_MAX`. */
export const amountMinor = z.int().min(0).max(AMOUNT_MINOR_MAX);

/** ISO 4217, upper case. */
export const currency = z.string().regex(/^[A-Z]{3}$/, "a currency is three upper-case letters");

export const money = z.strictObject({ amountMinor, currency });

export type Money = z.output<typeof money>;

/** Units of a product in one line: 1 to 10,000. */
export const quantity = z.int().min(1).max(10_000);

/** A point in time, epoch milliseconds, 1970 to 9999. */
export const epochMs = z.int().min(0).max(253_402_300_799_999);
