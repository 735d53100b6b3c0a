/**
 * Goal: an order is held exactly by the saga whose begun payment stands, is paid once at most, and tells a rival nothing. Method: random lives
 * of sagas through the fence, on every storage, that are paid, released and cancelled in between; every order's state is held against what
 * the answers say must have happened.
 */
import { createOrderService } from "@backstep/order";
import { orderContract } from "@backstep/order/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { expectDiscreet } from "../../test/discreet.ts";
import { expectLawfulLives, type Operation, type Standing, type World } from "../../test/random-life.ts";
import { openRig, STORAGES } from "../../test/rig.ts";

const ORDERS = ["order-1", "order-2"] as const;
const OWNERS: Readonly<Record<string, string>> = { "order-1": "ann", "order-2": "bob" };

interface Payer {
  readonly orderId: (typeof ORDERS)[number];
  readonly memberId: string;
}

type Event =
  | { readonly event: "pay" | "release"; readonly index: number }
  | { readonly event: "cancel"; readonly orderId: string; readonly memberId: string };

const orderId = fc.constantFrom("order-1" as const, "order-1" as const, "order-2" as const);
const memberId = fc.constantFrom("ann", "ann", "bob");
const input: fc.Arbitrary<Payer> = fc.record({ orderId, memberId });
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ event: fc.constant("pay" as const), index: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ event: fc.constant("release" as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ event: fc.constant("cancel" as const), orderId, memberId }) },
);

async function open(storage: (typeof STORAGES)[number]): Promise<World<Payer, Event>> {
  const rig = await openRig(orderContract, createOrderService(), storage);
  const lines = [{ productId: "pen", quantity: 1, unitPriceMinor: 1_000 }];
  for (const each of ORDERS) await rig.do("createOrder", { orderId: each, memberId: String(OWNERS[each]), currency: "KRW", lines });
  /** Ids of sagas whose order was begun, paid or released; ids of cancelled orders. */
  const begun = new Map<string, string>();
  const paid = new Set<string>();
  const released = new Set<string>();
  const cancelled = new Set<string>();

  const pay = async ({ sagaId, input }: Operation<Payer>): Promise<void> => {
    const answer = await rig.act("markPaid", { orderId: input.orderId, paymentId: `payment-of-${sagaId}` }, `${sagaId}/pay`);
    if (answer._tag === "Succeeded") paid.add(sagaId);
  };
  const release = async ({ sagaId }: Operation<Payer>): Promise<void> => {
    const answer = await rig.act("releasePayment", { sagaId, evidence: "its host is gone" });
    if (answer._tag === "Succeeded") released.add(sagaId);
  };

  const expectedState = (of: string, standing: readonly Standing<Payer>[]): object => {
    const own = standing.filter(({ input }) => input.orderId === of);
    const payer = own.find(({ sagaId }) => paid.has(sagaId));
    if (payer !== undefined) return { _tag: "PAID", sagaId: payer.sagaId, paymentId: `payment-of-${payer.sagaId}` };
    if (cancelled.has(of)) return { _tag: "CANCELLED" };
    const holder = own.find(({ sagaId }) => !released.has(sagaId));
    if (holder !== undefined) return { _tag: "PAYMENT_PENDING", sagaId: holder.sagaId };
    return { _tag: [...begun.values()].includes(of) ? "PAYMENT_FAILED" : "CREATED" };
  };

  return {
    async act({ key, sagaId, input }) {
      const answer = await rig.act("beginPayment", input, key);
      if (answer._tag === "Succeeded") begun.set(sagaId, input.orderId);
      if (answer._tag === "Rejected") expectDiscreet(answer.rejection, input.memberId);
      return answer;
    },
    undo: ({ key, input }) => rig.undo("failPayment", input, key),
    ruledOut: ({ sagaId }) => paid.has(sagaId),
    async happen(made, operations) {
      if (made.event === "cancel") {
        const answer = await rig.act("cancelOrder", { orderId: made.orderId, memberId: made.memberId });
        if (answer._tag === "Succeeded") cancelled.add(made.orderId);
        if (answer._tag === "Rejected") expectDiscreet(answer.rejection, made.memberId);
        return;
      }
      const operation = operations[made.index];
      if (operation !== undefined) await { pay, release }[made.event](operation);
    },
    async expectLaw(standing) {
      const { orders } = (await rig.ask("listOrders", {}))._unsafeUnwrap();
      expect(orders.map((order) => order.orderId)).toEqual(ORDERS);
      for (const order of orders) {
        expect(order).toMatchObject({ memberId: OWNERS[order.orderId], lines, state: expectedState(order.orderId, standing) });
        const holders = standing.filter(({ input, sagaId }) => input.orderId === order.orderId && !released.has(sagaId));
        expect(holders.length).toBeLessThanOrEqual(1);
      }
      for (const { sagaId, input } of standing) {
        expect(input.memberId, `${sagaId} pays for its own member`).toBe(OWNERS[input.orderId]);
      }
    },
    close: () => rig.close(),
  };
}

it.each(STORAGES)("an order is held by the one saga whose payment stands, and paid once at most, on %s", (storage) =>
  expectLawfulLives(storage, { input, event, open: () => open(storage) }),
);
