/**
 * What an outside gateway holds for a payment: REQUESTED → AUTHORISED → CAPTURED or VOIDED. Pure. One per payment: REQUESTED stands from the
 * moment the gateway may have been asked, so that it is not asked twice under two keys.
 */
import { epochMs, id, type Money, money } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import { z } from "zod";

/** The gateway's own name for something, of whatever form. */
const gatewayId = z.string().min(1);

export const authorisation = z.strictObject({
  paymentId: id,
  amount: money,
  state: z.discriminatedUnion("_tag", [
    z.strictObject({ _tag: z.literal("REQUESTED"), key: z.string() }),
    z.strictObject({ _tag: z.literal("AUTHORISED"), authorisationId: gatewayId, authorisedAt: epochMs }),
    z.strictObject({ _tag: z.literal("CAPTURED"), authorisationId: gatewayId, captureId: gatewayId, capturedAt: epochMs }),
    z.strictObject({ _tag: z.literal("VOIDED"), authorisationId: gatewayId, voidedAt: epochMs }),
  ]),
});

export type Authorisation = Readonly<z.output<typeof authorisation>>;

/** The state of what is held does not allow this, or another authorisation is meant. */
export interface AuthorisationNotInState {
  readonly _tag: "AuthorisationNotInState";
  readonly paymentId: string;
  readonly state: Authorisation["state"]["_tag"] | "NONE";
}

type Changed = Result<Authorisation, AuthorisationNotInState>;

export function request(paymentId: string, amount: Money, key: string): Authorisation {
  return { paymentId, amount, state: { _tag: "REQUESTED", key } };
}

export function grant(held: Authorisation, authorisationId: string, now: number): Changed {
  if (held.state._tag !== "REQUESTED") return err(notInState(held.paymentId, held));
  return ok({ ...held, state: { _tag: "AUTHORISED", authorisationId, authorisedAt: now } });
}

export function capture(held: Authorisation, authorisationId: string, captureId: string, now: number): Changed {
  return openOf(held, authorisationId).map((open) => ({
    ...open,
    state: { _tag: "CAPTURED", authorisationId, captureId, capturedAt: now },
  }));
}

export function release(held: Authorisation, now: number): Changed {
  if (held.state._tag !== "AUTHORISED") return err(notInState(held.paymentId, held));
  return ok({ ...held, state: { _tag: "VOIDED", authorisationId: held.state.authorisationId, voidedAt: now } });
}

/** Authorised under this id, and neither captured nor voided. */
export function openOf(held: Authorisation, authorisationId: string): Changed {
  const { state } = held;
  const open = state._tag === "AUTHORISED" && state.authorisationId === authorisationId;
  return open ? ok(held) : err(notInState(held.paymentId, held));
}

export function notInState(paymentId: string, held: Authorisation | undefined): AuthorisationNotInState {
  return { _tag: "AuthorisationNotInState", paymentId, state: held?.state._tag ?? "NONE" };
}
