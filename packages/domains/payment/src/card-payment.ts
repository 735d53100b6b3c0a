/**
 * Paying by card through the outside gateway, as foreign effects for a fence in intent mode: the intent is committed before the gateway is
 * called, and whoever finds an intent without an answer asks the gateway, which settles it. What the gateway holds is written down in the
 * same transaction as its answer.
 */
import assert from "node:assert/strict";
import type { Money } from "@backstep/contract";
import type { ForeignAction, ForeignContext, ForeignUndo, ForeignVerdict, Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import { type Authorisation, type AuthorisationNotInState, capture, grant, notInState, openOf, release, request } from "./authorisation.ts";
import type { Payment } from "./contract.ts";
import type {
  Authorised,
  AuthoriseRejection,
  Captured,
  CaptureRejection,
  GatewayCall,
  PaymentGateway,
  Settled,
  Voided,
  VoidRejection,
} from "./gateway.ts";
import { type PaymentNotPending, pendingOf } from "./payment.ts";
import { authorisationTable, paymentTable } from "./tables.ts";

export interface AuthoriseCard {
  readonly paymentId: string;
  /** The payment's own amount. */
  readonly amount: Money;
}

export interface CaptureCard {
  readonly paymentId: string;
  readonly authorisationId: string;
  /** No more than was authorised. */
  readonly amount: Money;
}

export interface AmountNotDue {
  readonly _tag: "AmountNotDue";
  readonly paymentId: string;
  readonly due: Money;
}

export interface PaymentMissing {
  readonly _tag: "PaymentNotFound";
  readonly paymentId: string;
}

type LocalRejection = PaymentMissing | PaymentNotPending | AmountNotDue | AuthorisationNotInState;
export type CardRejection = LocalRejection | AuthoriseRejection | CaptureRejection;

export interface CardPayments {
  /** Reserves the amount of a pending payment. */
  authorise(input: AuthoriseCard): ForeignAction<Authorised, CardRejection>;
  /** The undo of `authorise`: lets the reserved amount go. */
  voidAuthorisation(input: AuthoriseCard): ForeignUndo<Authorised, CardRejection>;
  /** Takes the reserved amount of a pending payment. No way back: in a saga it belongs to the pivot. */
  capture(input: CaptureCard): ForeignAction<Captured, CardRejection>;
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
        const { authorisationId } = context.undone as unknown as Authorised;
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
    effect: (context) => gateway.authorise({ amount, reference: paymentId }, callOf(context)),
    query: (context) => settle(gateway, context),
    async conclude({ transaction, now }, conclusion) {
      if (conclusion._tag !== "Succeeded") return transaction.remove(authorisationTable, paymentId);
      return change(transaction, paymentId, (held) => grant(held, conclusion.output.authorisationId, now));
    },
  });
}

function captureWith(gateway: PaymentGateway): CardPayments["capture"] {
  return ({ paymentId, authorisationId, amount }) => ({
    async prepare({ transaction }) {
      const pending = await loadPending(transaction, paymentId);
      if (pending.isErr()) return err(pending.error);
      const held = await transaction.get(authorisationTable, paymentId);
      return held === undefined ? err(notInState(paymentId, held)) : openOf(held, authorisationId).map(() => undefined);
    },
    effect: (context) => gateway.capture({ authorisationId, amount }, callOf(context)),
    query: (context) => settle(gateway, context),
    async conclude({ transaction, now }, conclusion) {
      if (conclusion._tag !== "Succeeded") return;
      await change(transaction, paymentId, (held) => capture(held, authorisationId, conclusion.output.captureId, now));
    },
  });
}

async function loadPending(transaction: Transaction, paymentId: string): Promise<Result<Payment, LocalRejection>> {
  const payment = await transaction.get(paymentTable, paymentId);
  return payment === undefined ? err({ _tag: "PaymentNotFound", paymentId }) : pendingOf(payment);
}

function expectDue({ paymentId, amount: due }: Payment, amount: Money): Result<void, LocalRejection> {
  const same = due.amountMinor === amount.amountMinor && due.currency === amount.currency;
  return same ? ok() : err({ _tag: "AmountNotDue", paymentId, due });
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

/** A key belongs to one operation, so its recorded answer is of that operation's type. */
async function settle<Output>(gateway: PaymentGateway, { key, signal }: ForeignContext): Promise<ForeignVerdict<Output, CardRejection>> {
  const settled: Settled = await gateway.settle(key, signal);
  if (settled._tag === "Sealed") return settled;
  return settled.answer.match<ForeignVerdict<Output, CardRejection>>(
    (output) => ({ _tag: "Succeeded", output: output as Output }),
    (rejection) => ({ _tag: "Rejected", rejection }),
  );
}
