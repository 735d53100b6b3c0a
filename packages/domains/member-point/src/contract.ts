/**
 * What the member-point domain offers: one ledger per member and currency, opened by its first entry. Points are worth one minor unit of
 * their currency each.
 */
import { command, contract, currency, epochMs, id, money, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

/** A thousand of the largest single amounts. */
export const BALANCE_MINOR_MAX = 1_000_000_000_000_000;

/** A sum of many amounts. No bound of its own: a restored deduction may exceed `BALANCE_MINOR_MAX`. */
const pointSum = z.strictObject({ amountMinor: z.int().min(0), currency });

/** Named by what caused the entry: an idempotency key, or a payment. */
const reference = z.string().min(1).max(300);

const period = z.int().min(1);

/** Twelve digits; entries of one ledger are numbered without a gap. */
const entryId = z.string().regex(/^\d{12}$/);

/** Points that were accrued on one day, UTC. Negative in an entry that takes points away. */
const lot = z.strictObject({ day: z.iso.date(), amountMinor: z.int() });

export const entry = z.strictObject({
  _tag: z.enum(["Opened", "Accrued", "Deducted", "Restored", "Recovered", "Expired"]),
  entryId,
  period,
  at: epochMs,
  /** `Accrued` and `Recovered`: the accrual. `Deducted` and `Restored`: the deduction. Of the others: the operation's key. */
  reference,
  lots: z.array(lot).readonly(),
});

export const statement = z.strictObject({
  period,
  currency,
  openingMinor: z.int(),
  accruedMinor: z.int(),
  deductedMinor: z.int(),
  restoredMinor: z.int(),
  recoveredMinor: z.int(),
  expiredMinor: z.int(),
  closingMinor: z.int(),
});

export type Lot = Readonly<z.output<typeof lot>>;
export type Entry = Readonly<z.output<typeof entry>>;
export type Statement = Readonly<z.output<typeof statement>>;

const insufficientPoints = rejection("InsufficientPoints", { required: money, available: pointSum }, { status: 409 });
const balanceTooLarge = rejection("BalanceTooLarge", { balanceMax: pointSum });
const accrualNotFound = rejection("AccrualNotFound", { accrualId: reference }, { status: 404 });
const periodNotOpen = rejection("PeriodNotOpen", { period, open: period }, { status: 409 });

const ledger = z.strictObject({ memberId: id, currency });
const change = z.strictObject({ memberId: id, amount: money });

export const memberPointContract = contract({
  name: "member-point",
  operations: {
    accruePoints: command({
      summary: "Credits points to a member.",
      path: "/point-accounts/{memberId}/accruals",
      input: change,
      output: z.strictObject({ accrualId: reference }),
      rejections: [balanceTooLarge],
    }),
    recoverPoints: command({
      summary: "Claws an accrual back, as far as the balance goes, and tells what is outstanding.",
      path: "/point-accounts/{memberId}/recoveries",
      input: z.strictObject({ memberId: id, accrualId: reference }),
      output: z.strictObject({ recovered: pointSum, outstanding: pointSum }),
      rejections: [accrualNotFound],
    }),
    deductPoints: command({
      summary: "Spends a member's points, those accrued first before the rest.",
      path: "/point-accounts/{memberId}/deductions",
      input: change,
      output: z.strictObject({ deductionId: reference }),
      rejections: [insufficientPoints],
    }),
    restorePoints: undo({
      summary: "Gives the points of a deduction back, with the days on which they had been accrued.",
      path: "/point-accounts/{memberId}/restorations",
      undoes: "deductPoints",
      input: change,
    }),
    expirePoints: command({
      summary: "Expires what is left of points accrued before a day (UTC).",
      path: "/point-accounts/{memberId}/{currency}/expirations",
      input: ledger.extend({ accruedBefore: z.iso.date() }),
      output: z.strictObject({ expired: pointSum }),
      rejections: [],
    }),
    settlePeriod: command({
      summary: "Closes the open period with a statement and opens the next with what is left.",
      path: "/point-accounts/{memberId}/{currency}/settlements",
      input: ledger.extend({ period }),
      output: statement,
      rejections: [periodNotOpen],
    }),
    findBalance: query({
      summary: "Tells a member's balance in a currency, and the open period; nothing and 1 where no entry was made yet.",
      path: "/point-accounts/{memberId}/{currency}",
      input: ledger,
      output: z.strictObject({ balance: pointSum, period }),
      rejections: [],
    }),
    listEntries: query({
      summary: "Lists a ledger's entries in the order they were made, at most 100 at a time; `after` is the last id of the page before.",
      path: "/point-accounts/{memberId}/{currency}/entries",
      input: ledger.extend({ after: entryId.optional() }),
      output: z.strictObject({ entries: z.array(entry).readonly() }),
      rejections: [],
    }),
  },
});
