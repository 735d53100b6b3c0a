/**
 * The port to an outside payment gateway. Every request carries an idempotency key: the same key with the same request is answered as the
 * first time. An answer is a value; a promise that rejects means that nobody knows, and that the gateway has to be asked.
 */
import type { Money } from "@backstep/contract";
import type { Result } from "neverthrow";

export interface GatewayCall {
  /** 1 to 255 characters of printable ASCII. */
  readonly idempotencyKey: string;
  /** Aborts when the caller waits no longer. The request may have been received all the same. */
  readonly signal: AbortSignal;
}

export interface AuthoriseRequest {
  readonly amount: Money;
  /** The merchant's own name for it, e.g. the payment's id. */
  readonly reference: string;
}

export interface CaptureRequest {
  readonly authorisationId: string;
  /** No more than was authorised. */
  readonly amount: Money;
}

export interface VoidRequest {
  readonly authorisationId: string;
}

export interface Authorised {
  readonly _tag: "Authorised";
  readonly authorisationId: string;
}

export interface Captured {
  readonly _tag: "Captured";
  readonly captureId: string;
  /** Of which authorisation, so that an answer found by its key alone can be told from another one's. */
  readonly authorisationId: string;
}

export interface Voided {
  readonly _tag: "Voided";
}

export interface AuthorisationDeclined {
  readonly _tag: "AuthorisationDeclined";
  /** The issuer's word, e.g. `insufficient-funds`. */
  readonly reason: string;
}

export interface AuthorisationNotFound {
  readonly _tag: "AuthorisationNotFound";
  readonly authorisationId: string;
}

/** Captured or voided already. */
export interface AuthorisationClosed {
  readonly _tag: "AuthorisationClosed";
  readonly authorisationId: string;
  readonly by: "Captured" | "Voided";
}

export interface CaptureTooLarge {
  readonly _tag: "CaptureTooLarge";
  readonly authorised: Money;
}

/** The key came with another request, or was settled as "never" before its request came. */
export interface GatewayKeyRefused {
  readonly _tag: "GatewayKeyRefused";
  readonly why: "reused" | "sealed";
}

export type AuthoriseRejection = AuthorisationDeclined | GatewayKeyRefused;
export type CaptureRejection = AuthorisationNotFound | AuthorisationClosed | CaptureTooLarge | GatewayKeyRefused;
export type VoidRejection = AuthorisationNotFound | AuthorisationClosed | GatewayKeyRefused;

export type GatewayAnswer = Result<Authorised, AuthoriseRejection> | Result<Captured, CaptureRejection> | Result<Voided, VoidRejection>;

/** What became of a key. */
export type Settled =
  | { readonly _tag: "Answered"; readonly answer: GatewayAnswer }
  /** No request came under this key, and one that comes from now on is refused. */
  | { readonly _tag: "Sealed" };

export interface PaymentGateway {
  /** Reserves the amount on the payer's card. */
  authorise(request: AuthoriseRequest, call: GatewayCall): Promise<Result<Authorised, AuthoriseRejection>>;
  /** Takes the reserved amount, once. There is no way back but a refund. */
  capture(request: CaptureRequest, call: GatewayCall): Promise<Result<Captured, CaptureRejection>>;
  /** Lets the reserved amount go. */
  void(request: VoidRequest, call: GatewayCall): Promise<Result<Voided, VoidRejection>>;
  /** The deciding query: its answer stays true, whatever is still under way. */
  settle(idempotencyKey: string, signal: AbortSignal): Promise<Settled>;
}
