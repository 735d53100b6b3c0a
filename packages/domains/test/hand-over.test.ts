/**
 * Goal: what one domain says, the next one takes, though neither knows the other. Method: whatever the order and coupon services answer at
 * random, up to the largest amounts, goes into the inputs that a payment makes of it; and whatever the payment's event may say goes into the
 * points' handler.
 */
import { AMOUNT_MINOR_MAX } from "@backstep/contract";
import { createCouponService } from "@backstep/coupon";
import { couponContract } from "@backstep/coupon/contract";
import { accrueForPayment, createMemberPointService } from "@backstep/member-point";
import { memberPointContract } from "@backstep/member-point/contract";
import { createOrderService } from "@backstep/order";
import { orderContract } from "@backstep/order/contract";
import { paymentContract } from "@backstep/payment/contract";
import { productContract } from "@backstep/product/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openRig } from "./rig.ts";

const RUNS = 100;

const id = fc.stringMatching(/^[A-Za-z0-9:-][A-Za-z0-9._:-]{0,63}$/);
const currency = fc.constantFrom("KRW", "EUR");
const amountMinor = fc.oneof(fc.constantFrom(0, 1, 99, 100, AMOUNT_MINOR_MAX), fc.integer({ min: 0, max: AMOUNT_MINOR_MAX }));
const cheapLine = fc.record({
  productId: id,
  quantity: fc.oneof(fc.constant(10_000), fc.integer({ min: 1, max: 10_000 })),
  unitPriceMinor: fc.nat(1_000_000),
});
const dearLine = fc.record({ productId: id, quantity: fc.constant(1), unitPriceMinor: amountMinor });
const order = fc.record({
  orderId: id,
  memberId: id,
  currency,
  lines: fc.oneof(fc.array(cheapLine, { minLength: 1, maxLength: 100 }), fc.tuple(dearLine)),
});
const discount = fc.oneof(
  fc.record({ _tag: fc.constant("Fixed" as const), amountMinor }),
  fc.record({ _tag: fc.constant("Percentage" as const), basisPoints: fc.integer({ min: 1, max: 10_000 }) }),
);

it("an order that was placed can be discounted, and what is left of it can be paid, shipped and deducted", () =>
  fc.assert(
    fc.asyncProperty(order, discount, async (placed, promised) => {
      const orders = await openRig(orderContract, createOrderService(), "memory");
      const coupons = await openRig(couponContract, createCouponService(), "memory");
      const { orderId, memberId } = placed;
      await orders.do("createOrder", placed);
      const begun = await orders.do("beginPayment", { orderId, memberId }, "saga-1/2");

      const terms = {
        currency: placed.currency,
        discount: promised,
        minimumOrderMinor: 0,
        validFrom: 0,
        validUntil: coupons.clock.now + 1,
      };
      await coupons.do("definePolicy", { policyId: "spring", terms });
      await coupons.do("issueCoupon", { couponId: "coupon-1", policyId: "spring", memberId });
      const used = await coupons.do("useCoupon", { couponId: "coupon-1", memberId, orderTotal: begun.total }, "saga-1/3");

      expect(used.discount.currency).toBe(begun.total.currency);
      const amount = { ...begun.total, amountMinor: begun.total.amountMinor - used.discount.amountMinor };
      const { createPayment } = paymentContract.operations;
      expect(createPayment.input.parse({ orderId, memberId, amount }).amount).toEqual(amount);
      expect(memberPointContract.operations.deductPoints.input.parse({ memberId, amount }).amount).toEqual(amount);
      for (const { productId, quantity } of begun.lines) {
        const taken = { orderId, productId, quantity };
        expect(productContract.operations.deductStock.input.parse(taken)).toEqual(taken);
      }
    }),
    { numRuns: RUNS },
  ));

it("whatever the event of a completed payment says accrues a hundredth of it, rounded down", () => {
  const said = fc.record({
    paymentId: id,
    orderId: id,
    memberId: id,
    amount: fc.record({ amountMinor, currency }),
    paidAt: fc.oneof(fc.constantFrom(0, 253_402_300_799_999), fc.integer({ min: 0, max: 253_402_300_799_999 })),
  });
  return fc.assert(
    fc.asyncProperty(said, async (told) => {
      const data = paymentContract.events.paymentCompleted.data.parse(told);
      const rig = await openRig(memberPointContract, createMemberPointService(), "memory");
      await rig.database.transaction((transaction) => accrueForPayment(transaction, data, rig.clock.now));
      const { balance } = (await rig.ask("findBalance", { memberId: told.memberId, currency: told.amount.currency }))._unsafeUnwrap();
      expect(balance.amountMinor).toBe(Math.floor(told.amount.amountMinor / 100));
    }),
    { numRuns: RUNS },
  );
});
