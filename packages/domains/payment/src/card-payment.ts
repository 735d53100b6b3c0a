/**
 * Paying by card through the outside gateway, as foreign effects for a fence in intent mode: the intent is committed before the gateway is
 * called, and whoever finds an intent without an answer asks the gateway, which settles it. What the gateway holds, and that the payment is
 * paid by it, is written down in the same transaction as its answer.
 */
import assert from "node:assert/strict";
import type { InputOf, OutputOf, RejectionOf } from "@backstep/contract";
import type { ForeignAction, ForeignContext, ForeignUndo, ForeignVerdict, Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import { type Authorisation, type AuthorisationNotInState, capture, grant, notInState, openOf, release, request } from "./authorisation.ts";
import type { Payment, paymentContract } from "./contract.ts";
import type { GatewayCall, GatewayKeyRefused, PaymentGateway, Voided, VoidRejection } from "./gateway.ts";
import { complete, dueByCard, pendingOf } from "./payment.ts";
import { isPaid, loadPayment } from "./payment-rows.ts";
import { authorisationTable, paymentTable } from "./tables.ts";

type Operations = (typeof paymentContract)["operations"];
export type AuthoriseCard = Readonly<InputOf<Operations["authorisePayment"]>>;
export type CaptureCard = Readonly<InputOf<Operations["capturePayment"]>>;
type AuthorisedCard = OutputOf<Operations["authorisePayment"]>;
type CapturedCard = OutputOf<Operations["capturePayment"]>;
export type AuthoriseCardRejection = RejectionOf<Operations["authorisePayment"]>;
export type CaptureCardRejection = RejectionOf<Operations["capturePayment"]>;

export interface CardPayments {
  /** Reserves the card part of a pending payment. */
  authorise(input: AuthoriseCard): ForeignAction<AuthorisedCard, AuthoriseCardRejection>;
  /** The undo of `authorise`: lets the reserved amount go. */
  voidAuthorisation(input: AuthoriseCard): ForeignUndo<AuthorisedCard, AuthoriseCardRejection>;
  /** Takes the reserved amount, and the payment to PAID. No way back: in a saga it is the pivot. */
  capture(input: CaptureCard): ForeignAction<CapturedCard, CaptureCardRejection>;
}

/** Binds the gateway to the payment's records. The gateway must keep a key's answer for as long as the fence remembers the key. */
export function createCardPayments(gateway: PaymentGateway): CardPayments {
  const authorise = authoriseWith(gateway);
  return {
    authorise,
    voidAuthorisation: (input) => ({
      action: authorise(input),
      async effect(context) {
        // The recorded output of `authorise`.
        const { authorisationId } = context.undone as unknown as AuthorisedCard;
        const answer = await gateway.void({ authorisationId }, callOf(context));
        assert(isVoided(answer), `authorisation ${authorisationId} could not be voided: ${JSON.stringify(answer)}`);
      },
      conclude: ({ transaction, now }) => change(transaction, input.paymentId, (held) => release(held, now)),
    }),
    capture: captureWith(gateway),
  };
}

function authoriseWith(gateway: PaymentGateway): CardPayments["authorise"] {
  return ({ paymentId, amount }) => ({
    async prepare({ transaction, key }) {
      const due = (await loadPending(transaction, paymentId)).andThen((payment) => expectDue(payment, amount));
      if (due.isErr()) return err(due.error);
      const requested = await transaction.insert(authorisationTable, request(paymentId, amount, key));
      return requested ? ok() : err(notInState(paymentId, await transaction.get(authorisationTable, paymentId)));
    },
    effect: async (context) => decided(await gateway.authorise({ amount, reference: paymentId }, callOf(context))),
    query: (context) => settle<AuthorisedCard, AuthoriseCardRejection>(gateway, context, (output) => output),
    async conclude({ transaction, key, now }, conclusion) {
      const held = await transaction.get(authorisationTable, paymentId);
      // Whoever asks what became of a key may err about the payment that it is for.
      assert(
        held?.state._tag === "REQUESTED" && held.state.key === key,
        `the authorisation of payment ${paymentId} was not requested as ${key}`,
      );
      if (conclusion._tag !== "Succeeded") return transaction.remove(authorisationTable, paymentId);
      return change(transaction, paymentId, (requested) => grant(requested, conclusion.output.authorisationId, now));
    },
  });
}

function captureWith(gateway: PaymentGateway): CardPayments["capture"] {
  return ({ paymentId, authorisationId, amount }) => ({
    async prepare({ transaction }) {
      const pending = await loadPending(transaction, paymentId);
      const due = pending.andThen((payment) => expectDue(payment, amount));
      if (due.isErr()) return err(due.error);
      const { orderId } = due.value;
      if (await isPaid(transaction, orderId)) return err({ _tag: "OrderAlreadyPaid", orderId });
      const held = await transaction.get(authorisationTable, paymentId);
      return held === undefined ? err(notInState(paymentId, held)) : openOf(held, authorisationId).map(() => undefined);
    },
    async effect(context) {
      const answer = decided(await gateway.capture({ authorisationId, amount }, callOf(context)));
      return answer.map((captured) => ({ ...captured, paidAt: context.now }));
    },
    query: (context) => settle<CapturedCard, CaptureCardRejection>(gateway, context, (output) => ({ ...output, paidAt: context.now })),
    async conclude({ transaction, now }, conclusion) {
      if (conclusion._tag !== "Succeeded") return;
      const { captureId, paidAt, authorisationId: captured } = conclusion.output;
      assert(captured === authorisationId, `what was captured is ${captured}, not ${authorisationId}`);
      await change(transaction, paymentId, (held) => capture(held, authorisationId, captureId, now));
      const paid = (await loadPending(transaction, paymentId)).andThen((payment) => complete(payment, paidAt));
      assert(paid.isOk(), `payment ${paymentId} was captured and cannot be paid: ${JSON.stringify(paid)}`);
      await transaction.put(paymentTable, paid.value);
    },
  });
}

type NotPending = Extract<CaptureCardRejection, { readonly _tag: "PaymentNotFound" | "PaymentNotPending" }>;
type NotDue = Extract<CaptureCardRejection, { readonly _tag: "AmountNotDue" }>;

async function loadPending(transaction: Transaction, paymentId: string): Promise<Result<Payment, NotPending>> {
  return (await loadPayment(transaction, paymentId)).andThen(pendingOf);
}

function expectDue(payment: Payment, amount: Payment["amount"]): Result<Payment, NotDue> {
  const due = dueByCard(payment);
  const same = due.amountMinor === amount.amountMinor && due.currency === amount.currency;
  return same && due.amountMinor > 0 ? ok(payment) : err({ _tag: "AmountNotDue", paymentId: payment.paymentId, due });
}

async function change(
  transaction: Transaction,
  paymentId: string,
  decide: (held: Authorisation) => Result<Authorisation, AuthorisationNotInState>,
): Promise<void> {
  const held = await transaction.get(authorisationTable, paymentId);
  const changed = held === undefined ? err(notInState(paymentId, held)) : decide(held);
  assert(changed.isOk(), `the gateway has changed what it holds for payment ${paymentId}, which was ${held?.state._tag ?? "nothing"}`);
  await transaction.put(authorisationTable, changed.value);
}

/** By this request or by another one. */
function isVoided(answer: Result<Voided, VoidRejection>): boolean {
  return answer.match(
    () => true,
    (rejection) => rejection._tag === "AuthorisationClosed" && rejection.by === "Voided",
  );
}

function callOf({ key, signal }: ForeignContext): GatewayCall {
  return { idempotencyKey: key, signal };
}

/**
 * A key that the gateway refuses says nothing of what became of it: somebody has settled it, or something else was sent under it. Thrown, it leaves the operation
 * open, and whoever comes next asks.
 */
function decided<Output, Rejection extends { readonly _tag: string }>(
  answer: Result<Output, Rejection | GatewayKeyRefused>,
): Result<Output, Exclude<Rejection, GatewayKeyRefused>> {
  return answer.mapErr((rejection) => {
    assert(!isKeyRefused(rejection), `the gateway refuses the key: ${JSON.stringify(rejection)}`);
    return rejection as Exclude<Rejection, GatewayKeyRefused>;
  });
}

function isKeyRefused(rejection: { readonly _tag: string }): rejection is GatewayKeyRefused {
  return rejection._tag === "GatewayKeyRefused";
}

/** A key belongs to one operation, so its recorded answer is of that operation's type; the contract's schema is asked once more before it is recorded. */
async function settle<Output, Rejection>(
  gateway: PaymentGateway,
  { key, signal }: ForeignContext,
  outputOf: (output: Output) => Output,
): Promise<ForeignVerdict<Output, Rejection>> {
  const settled = await gateway.settle(key, signal);
  if (settled._tag === "Sealed") return settled;
  return settled.answer.match<ForeignVerdict<Output, Rejection>>(
    (output) => ({ _tag: "Succeeded", output: outputOf(output as Output) }),
    (rejection) => ({ _tag: "Rejected", rejection: rejection as Rejection }),
  );
}
