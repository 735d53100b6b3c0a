/**
 * The words of the gateway's REST API, once, for the adapter that speaks them and for the reference server that understands them. In the shape of Toss Payments' and
 * Stripe's: authorise, capture and void apart from each other, a secret key in Basic authentication, an idempotency key with every request, errors with a code.
 *
 *     POST /v1/authorisations                          { amount, reference }   → 201 authorisation
 *     POST /v1/authorisations/{id}/captures            { amount }              → 201 capture
 *     POST /v1/authorisations/{id}/voids               {}                      → 201 void
 *     GET  /v1/authorisations?reference=…&after=…                              → 200 up to 100, oldest first
 *     GET  /v1/idempotency-keys/{key}                                          → 200 what was recorded under the key, or 404 key-unknown
 *     POST /v1/idempotency-keys/{key}/cancellation                             → 200 the same; a key under which nothing came is sealed first
 *
 * The last one is the deciding query. Recording a request and sealing its key exclude each other, so whatever it answers stays true, and a request that comes later
 * is refused with `key-sealed`.
 */
import { money } from "@backstep/contract";
import { z } from "zod";

/** The gateway's own name for something. */
const gatewayId = z.string().min(1).max(255);
/** An issuer's word is a word: whatever else stands in its place is not passed on. */
const issuerReason = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/);

export const authorisationBody = z.strictObject({ amount: money, reference: z.string().min(1).max(255) });
export const captureBody = z.strictObject({ amount: money });
export const voidBody = z.strictObject({});

/** Answers may hold more than is known of them here: a gateway adds members without asking. */
export const authorisationAnswer = z.object({ id: gatewayId, status: z.literal("authorised"), amount: money, reference: z.string() });
export const captureAnswer = z.object({ id: gatewayId, authorisationId: gatewayId, status: z.literal("captured"), amount: money });
export const voidAnswer = z.object({ authorisationId: gatewayId, status: z.literal("voided") });

export const listAnswer = z.object({
  authorisations: z
    .array(
      z.object({
        id: gatewayId,
        reference: z.string(),
        amount: money,
        status: z.enum(["authorised", "captured", "voided"]),
        captured: money.optional(),
      }),
    )
    .readonly(),
});

/** Errors that are the gateway's decision, each with the status that carries it. Any other error decides nothing. */
export const DECISION_STATUS = {
  declined: 402,
  "authorisation-not-found": 404,
  "authorisation-closed": 409,
  "capture-too-large": 422,
  "key-reused": 422,
  "key-sealed": 410,
} as const;

export const decisionError = z.object({
  error: z.discriminatedUnion("code", [
    z.object({ code: z.literal("declined"), reason: issuerReason }),
    z.object({ code: z.literal("authorisation-not-found") }),
    z.object({ code: z.literal("authorisation-closed"), by: z.enum(["captured", "voided"]) }),
    z.object({ code: z.literal("capture-too-large"), authorised: money }),
    z.object({ code: z.literal("key-reused") }),
    z.object({ code: z.literal("key-sealed") }),
  ]),
});

export type DecisionError = z.output<typeof decisionError>["error"];

export const KEY_UNKNOWN = { status: 404, code: "key-unknown" } as const;
export const keyUnknownError = z.object({ error: z.object({ code: z.literal(KEY_UNKNOWN.code) }) });

/** `sealed`: no request came, and none will be accepted. `answered`: what came, and the response that was and will be given to it. */
export const keyAnswer = z.discriminatedUnion("status", [
  z.object({ status: z.literal("sealed") }),
  z.object({
    status: z.literal("answered"),
    request: z.discriminatedUnion("operation", [
      z.object({ operation: z.literal("authorisation"), amount: money, reference: z.string() }),
      z.object({ operation: z.literal("capture"), authorisationId: gatewayId, amount: money }),
      z.object({ operation: z.literal("void"), authorisationId: gatewayId }),
    ]),
    response: z.object({ status: z.int(), body: z.unknown() }),
  }),
]);

/** Printable ASCII, no space at either end, where a header would lose it. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
