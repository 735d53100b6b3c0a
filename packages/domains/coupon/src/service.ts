/** The coupon service: load, decide, store. A coupon is used in the name of a saga, and only that saga gives it back. */
import assert from "node:assert/strict";
import type { RejectionOf, Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import type { Coupon, couponContract, Policy } from "./contract.ts";
import { issue, restore, use } from "./coupon.ts";
import { couponTable, policyTable } from "./tables.ts";

export type CouponService = Service<typeof couponContract, Transaction>;

const PAGE_ROWS = 100;

export function createCouponService(): CouponService {
  return {
    async definePolicy({ transaction }, { policyId, terms }) {
      const before = await transaction.get(policyTable, policyId);
      const version = (before?.version ?? 0) + 1;
      await transaction.put(policyTable, { policyId, version, terms });
      return ok({ policyId, version });
    },
    findPolicy: ({ transaction }, { policyId }) => loadPolicy(transaction, policyId),
    async issueCoupon({ transaction }, { couponId, policyId, memberId }) {
      const policy = await loadPolicy(transaction, policyId);
      if (policy.isErr()) return err(policy.error);
      const issued = await transaction.insert(couponTable, issue(policy.value, couponId, memberId));
      return issued ? ok({ couponId }) : err({ _tag: "CouponExists", couponId });
    },
    findCoupon: ({ transaction }, { couponId }) => loadCoupon(transaction, couponId),
    async listCoupons({ transaction }, { memberId, after }) {
      const page = { after, limit: PAGE_ROWS };
      if (memberId === undefined) return ok({ coupons: await transaction.list(couponTable, page) });
      return ok({ coupons: await transaction.find(couponTable, { field: "memberId", equals: memberId }, page) });
    },
    async useCoupon({ transaction, sagaId, now }, { couponId, memberId, orderTotal }) {
      if (sagaId === undefined) return err({ _tag: "SagaRequired" });
      const coupon = await loadCoupon(transaction, couponId);
      const used = coupon.andThen((found) => use(found, { memberId, orderTotal, sagaId, now }));
      if (used.isOk()) await transaction.put(couponTable, used.value);
      return used.map(({ terms: { currency }, state }) => ({ couponId, discount: { amountMinor: state.discountMinor, currency } }));
    },
    async restoreCoupon({ transaction, sagaId, undone: { couponId } }) {
      assert(sagaId !== undefined, `coupon ${couponId} is given back by the saga that used it; this undo names none`);
      const coupon = await transaction.get(couponTable, couponId);
      assert(coupon !== undefined, `coupon ${couponId} was used, and is gone`);
      await transaction.put(couponTable, restore(coupon, sagaId));
    },
  };
}

type Operations = (typeof couponContract)["operations"];

async function loadPolicy(transaction: Transaction, policyId: string): Promise<Result<Policy, RejectionOf<Operations["findPolicy"]>>> {
  const policy = await transaction.get(policyTable, policyId);
  return policy === undefined ? err({ _tag: "PolicyNotFound", policyId }) : ok(policy);
}

async function loadCoupon(transaction: Transaction, couponId: string): Promise<Result<Coupon, RejectionOf<Operations["findCoupon"]>>> {
  const coupon = await transaction.get(couponTable, couponId);
  return coupon === undefined ? err({ _tag: "CouponNotFound", couponId }) : ok(coupon);
}
