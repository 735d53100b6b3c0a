/**
 * Goal: every payment that was created is in the one state that its history allows, and an order has one paid payment at most. Method: random
 * lives through the fence, on every storage, with completions in between that are sent more than once.
 */
import { createPaymentService } from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { expectLawfulLives, type World } from "../../test/random-life.ts";
import { openRig, STORAGES } from "../../test/rig.ts";

interface Request {
  readonly orderId: string;
  readonly memberId: string;
  readonly amount: { readonly amountMinor: number; readonly currency: string };
}

interface Completion {
  readonly index: number;
}

const input: fc.Arbitrary<Request> = fc.record({
  orderId: fc.constantFrom("order-1", "order-1", "order-2"),
  memberId: fc.constantFrom("ann", "bob"),
  amount: fc.record({ amountMinor: fc.nat(10_000), currency: fc.constantFrom("KRW", "EUR") }),
});
const event: fc.Arbitrary<Completion> = fc.record({ index: fc.nat(5) });

async function open(storage: (typeof STORAGES)[number]): Promise<World<Request, Completion>> {
  const rig = await openRig(paymentContract, createPaymentService(), storage);
  const created = new Map<string, { readonly paymentId: string; readonly input: Request }>();
  const paid = new Set<string>();
  return {
    async act({ key, sagaId, input }) {
      const answer = await rig.act("createPayment", input, key);
      if (answer._tag === "Succeeded") created.set(sagaId, { ...answer.output, input });
      return answer;
    },
    undo: ({ key, input }) => rig.undo("failPayment", input, key),
    ruledOut: ({ sagaId }) => paid.has(sagaId),
    async happen({ index }) {
      const sagaId = `saga-${index}`;
      const payment = created.get(sagaId);
      if (payment === undefined) return;
      const answer = await rig.act("completePayment", { paymentId: payment.paymentId }, `${sagaId}/2`);
      if (answer._tag === "Succeeded") paid.add(sagaId);
    },
    async expectLaw(standing) {
      const { payments } = (await rig.ask("listPayments", {}))._unsafeUnwrap();
      expect(payments).toHaveLength(created.size);
      for (const [sagaId, { paymentId, input }] of created) {
        const stands = standing.some((each) => each.sagaId === sagaId);
        expect(stands || !paid.has(sagaId), "what is paid is not taken back").toBe(true);
        const state = paid.has(sagaId) ? "PAID" : stands ? "PENDING" : "FAILED";
        expect(payments.find((payment) => payment.paymentId === paymentId)).toMatchObject({ ...input, sagaId, state: { _tag: state } });
      }
      const paidOrders = payments.filter(({ state }) => state._tag === "PAID").map(({ orderId }) => orderId);
      expect(new Set(paidOrders).size).toBe(paidOrders.length);
    },
    close: () => rig.close(),
  };
}

it.each(STORAGES)("a payment is pending, failed or paid as its history says, and an order is paid once at most, on %s", (storage) =>
  expectLawfulLives(storage, { input, event, open: () => open(storage) }),
);
