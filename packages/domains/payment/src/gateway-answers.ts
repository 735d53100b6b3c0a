/**
 * What the gateway answers, as values of the port. A response counts for what its status, its schema and the request that it answers allow together: an answer about
 * another amount or another authorisation is none. `undefined`: it decides nothing.
 */
import type { Money } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import type {
  Authorised,
  AuthoriseRejection,
  AuthoriseRequest,
  Captured,
  CaptureRejection,
  CaptureRequest,
  GatewayAnswer,
  GatewayKeyRefused,
  Voided,
  VoidRejection,
  VoidRequest,
} from "./gateway.ts";
import {
  authorisationAnswer,
  captureAnswer,
  DECISION_STATUS,
  type DecisionError,
  decisionError,
  keyAnswer,
  voidAnswer,
} from "./gateway-wire.ts";

export interface GatewayResponse {
  readonly status: number;
  /** Parsed JSON; `undefined` where there was none. */
  readonly body: unknown;
}

export function readAuthorised(
  { amount, reference }: AuthoriseRequest,
  { status, body }: GatewayResponse,
): Result<Authorised, AuthoriseRejection> | undefined {
  if (isDone(status)) {
    const { data } = authorisationAnswer.safeParse(body);
    const fits = data !== undefined && isSame(data.amount, amount) && data.reference === reference;
    return fits ? ok({ _tag: "Authorised", authorisationId: data.id }) : undefined;
  }
  const error = readDecision({ status, body });
  if (error?.code === "declined") return err({ _tag: "AuthorisationDeclined", reason: error.reason });
  return refusedKey(error);
}

export function readCaptured(
  { authorisationId, amount }: CaptureRequest,
  { status, body }: GatewayResponse,
): Result<Captured, CaptureRejection> | undefined {
  if (isDone(status)) {
    const { data } = captureAnswer.safeParse(body);
    const fits = data !== undefined && isSame(data.amount, amount) && data.authorisationId === authorisationId;
    return fits ? ok({ _tag: "Captured", captureId: data.id, authorisationId }) : undefined;
  }
  const error = readDecision({ status, body });
  if (error?.code === "capture-too-large") return err({ _tag: "CaptureTooLarge", authorised: error.authorised });
  return notOpen(authorisationId, error) ?? refusedKey(error);
}

export function readVoided({ authorisationId }: VoidRequest, { status, body }: GatewayResponse): Result<Voided, VoidRejection> | undefined {
  if (isDone(status)) {
    const { data } = voidAnswer.safeParse(body);
    return data?.authorisationId === authorisationId ? ok({ _tag: "Voided" }) : undefined;
  }
  const error = readDecision({ status, body });
  return notOpen(authorisationId, error) ?? refusedKey(error);
}

/** What a key is settled as, out of a 200. */
export function readSettled(
  body: unknown,
): { readonly _tag: "Sealed" } | { readonly _tag: "Answered"; readonly answer: GatewayAnswer } | undefined {
  const { data } = keyAnswer.safeParse(body);
  if (data?.status !== "answered") return data === undefined ? undefined : { _tag: "Sealed" };
  const { request, response } = data;
  const read = {
    authorisation: () => (request.operation === "authorisation" ? readAuthorised(request, response) : undefined),
    capture: () => (request.operation === "capture" ? readCaptured(request, response) : undefined),
    void: () => (request.operation === "void" ? readVoided(request, response) : undefined),
  };
  const answer = read[request.operation]();
  return answer === undefined ? undefined : { _tag: "Answered", answer };
}

function readDecision({ status, body }: GatewayResponse): DecisionError | undefined {
  const { data } = decisionError.safeParse(body);
  return data !== undefined && DECISION_STATUS[data.error.code] === status ? data.error : undefined;
}

function notOpen(authorisationId: string, error: DecisionError | undefined) {
  if (error?.code === "authorisation-not-found") return err({ _tag: "AuthorisationNotFound", authorisationId } as const);
  if (error?.code !== "authorisation-closed") return undefined;
  return err({ _tag: "AuthorisationClosed", authorisationId, by: error.by === "captured" ? "Captured" : "Voided" } as const);
}

const KEY_REFUSED: Readonly<Record<string, GatewayKeyRefused["why"]>> = { "key-reused": "reused", "key-sealed": "sealed" };

function refusedKey(error: DecisionError | undefined): Result<never, GatewayKeyRefused> | undefined {
  const why = error === undefined ? undefined : KEY_REFUSED[error.code];
  return why === undefined ? undefined : err({ _tag: "GatewayKeyRefused", why });
}

/** A 202 is a promise, not an answer. */
function isDone(status: number): boolean {
  return status === 200 || status === 201;
}

function isSame(left: Money, right: Money): boolean {
  return left.amountMinor === right.amountMinor && left.currency === right.currency;
}
