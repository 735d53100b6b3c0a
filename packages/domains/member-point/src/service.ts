/** The member-point service: load, decide, enter. Entries are only ever added; an undo adds the opposite of what it undoes. */
import assert from "node:assert/strict";
import type { Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { entriesFor, loadBook, post } from "./book.ts";
import type { memberPointContract } from "./contract.ts";
import { dayOf } from "./day.ts";
import { accrue, deduct, expire, heldBy, recover, statementOf } from "./ledger.ts";
import { negationOf, totalOf } from "./lots.ts";
import { accountKey, entryTable } from "./tables.ts";

export type MemberPointService = Service<typeof memberPointContract, Transaction>;

const PAGE_ROWS = 100;

export function createMemberPointService(): MemberPointService {
  return {
    async accruePoints({ transaction, key, now }, { memberId, amount }) {
      const { account, held } = await loadBook(transaction, { memberId, currency: amount.currency });
      const accrued = accrue(held, amount, dayOf(now));
      if (accrued.isErr()) return err(accrued.error);
      const accrualId = `operation/${key}`;
      await assertUnused(transaction, accrualId, "Accrued");
      await post(transaction, account, { _tag: "Accrued", reference: accrualId, at: now, lots: accrued.value });
      return ok({ accrualId });
    },
    async recoverPoints({ transaction, now }, { memberId, accrualId }) {
      const rows = await entriesFor(transaction, accrualId, ["Accrued", "Recovered"]);
      const accrued = rows.find(({ entry, ledger }) => entry._tag === "Accrued" && ledger.memberId === memberId);
      if (accrued === undefined) return err({ _tag: "AccrualNotFound", accrualId });
      const { currency } = accrued.ledger;
      const recoverableMinor = totalOf(heldBy(rows.map(({ entry }) => entry)));
      const { account, held } = await loadBook(transaction, accrued.ledger);
      const lots = recover(held, accrued.entry.lots, recoverableMinor);
      const recoveredMinor = Math.abs(totalOf(lots));
      if (recoveredMinor > 0) await post(transaction, account, { _tag: "Recovered", reference: accrualId, at: now, lots });
      return ok({
        recovered: { amountMinor: recoveredMinor, currency },
        outstanding: { amountMinor: recoverableMinor - recoveredMinor, currency },
      });
    },
    async deductPoints({ transaction, key: deductionId, now }, { memberId, amount }) {
      const { account, held } = await loadBook(transaction, { memberId, currency: amount.currency });
      const deducted = deduct(held, amount);
      if (deducted.isErr()) return err(deducted.error);
      await assertUnused(transaction, deductionId, "Deducted");
      await post(transaction, account, { _tag: "Deducted", reference: deductionId, at: now, lots: deducted.value });
      return ok({ deductionId });
    },
    async restorePoints({ transaction, now, undone: { deductionId } }) {
      const [deducted, ...rest] = await entriesFor(transaction, deductionId, ["Deducted", "Restored"]);
      assert(deducted !== undefined && rest.length === 0, `deduction ${deductionId} is to be restored, but does not stand`);
      const { account } = await loadBook(transaction, deducted.ledger);
      const lots = negationOf(deducted.entry.lots);
      await post(transaction, account, { _tag: "Restored", reference: deductionId, at: now, lots });
    },
    async expirePoints({ transaction, key, now }, { memberId, currency, accruedBefore }) {
      const { account, held } = await loadBook(transaction, { memberId, currency });
      const lots = expire(held, accruedBefore);
      if (lots.length > 0) await post(transaction, account, { _tag: "Expired", reference: key, at: now, lots });
      return ok({ expired: { amountMinor: Math.abs(totalOf(lots)), currency } });
    },
    async settlePeriod({ transaction, key, now }, { memberId, currency, period }) {
      const { account, entries, held } = await loadBook(transaction, { memberId, currency });
      if (account.period !== period) return err({ _tag: "PeriodNotOpen", period, open: account.period });
      const next = { ...account, period: period + 1 };
      await post(transaction, next, { _tag: "Opened", reference: key, at: now, lots: held });
      return ok(statementOf(period, currency, entries));
    },
    async findBalance({ transaction }, { memberId, currency }) {
      const { account, held } = await loadBook(transaction, { memberId, currency });
      return ok({ balance: { amountMinor: totalOf(held), currency }, period: account.period });
    },
    async listEntries({ transaction }, { memberId, currency, after }) {
      const account = accountKey({ memberId, currency });
      const page = { after: after === undefined ? undefined : `${account}/${after}`, limit: PAGE_ROWS };
      const rows = await transaction.find(entryTable, { field: "account", equals: account }, page);
      return ok({ entries: rows.map(({ entry }) => entry) });
    },
  };
}

/** Two entries of one name could not be told apart by what takes them back: rather none than a second one. */
async function assertUnused(transaction: Transaction, reference: string, tag: "Accrued" | "Deducted"): Promise<void> {
  const used = await entriesFor(transaction, reference, [tag]);
  assert(used.length === 0, `${tag} ${reference} stands in a ledger already: its key outlived the fence's memory of it`);
}
