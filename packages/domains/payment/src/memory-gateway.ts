/** A payment gateway in memory: for tests and demonstrations. It keeps the port's promises about keys, and moves no money. */
import { isDeepStrictEqual } from "node:util";
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
  PaymentGateway,
  Voided,
  VoidRejection,
  VoidRequest,
} from "./gateway.ts";

export interface HeldAuthorisation {
  readonly authorisationId: string;
  readonly reference: string;
  readonly amount: Money;
  readonly state: "Open" | "Captured" | "Voided";
  /** What was taken of the amount; absent until something was. */
  readonly captured?: Money | undefined;
}

/** What a key came with first. */
export type GatewayRequest =
  | ({ readonly operation: "authorisation" } & AuthoriseRequest)
  | ({ readonly operation: "capture" } & CaptureRequest)
  | ({ readonly operation: "void" } & VoidRequest);

/** What is kept of a key: its first request with the answer, or that it was sealed before any request came. */
export type GatewayKeyRecord =
  | { readonly _tag: "Answered"; readonly request: GatewayRequest; readonly answer: GatewayAnswer }
  | { readonly _tag: "Sealed" };

export interface MemoryGatewayOptions {
  /** Says why an authorisation is declined; `undefined` grants it. Default: all are granted. */
  readonly decline?: ((request: AuthoriseRequest) => string | undefined) | undefined;
  /** Begins every id. One that forgets at its end needs another prefix in its next life, or two authorisations would share a name. Default: none. */
  readonly idPrefix?: string | undefined;
}

export interface MemoryGateway extends PaymentGateway {
  /** What it holds, in the order it was authorised. */
  held(): readonly HeldAuthorisation[];
  /** Looks a key up, and leaves it as it is. */
  recordOf(idempotencyKey: string): GatewayKeyRecord | undefined;
}

export function createMemoryGateway({ decline = () => undefined, idPrefix = "" }: MemoryGatewayOptions = {}): MemoryGateway {
  const held = new Map<string, HeldAuthorisation>();
  const keys = new Map<string, GatewayKeyRecord>();

  /** Decides a key once; `decide` runs for its first request only. */
  function once<Answer extends GatewayAnswer>(key: string, request: GatewayRequest, decide: () => Answer): Answer {
    const known = keys.get(key);
    if (known === undefined) {
      const answer = decide();
      keys.set(key, { _tag: "Answered", request, answer });
      return answer;
    }
    if (known._tag === "Sealed") return err({ _tag: "GatewayKeyRefused", why: "sealed" }) as Answer;
    if (!isDeepStrictEqual(known.request, request)) return err({ _tag: "GatewayKeyRefused", why: "reused" }) as Answer;
    // The same request means the same operation, so the recorded answer is of its type.
    return known.answer as Answer;
  }

  function authorise(request: AuthoriseRequest): Result<Authorised, AuthoriseRejection> {
    const reason = decline(request);
    if (reason !== undefined) return err({ _tag: "AuthorisationDeclined", reason });
    const authorisationId = `${idPrefix}authorisation-${held.size + 1}`;
    const { amount, reference } = request;
    held.set(authorisationId, { authorisationId, amount, reference, state: "Open" });
    return ok({ _tag: "Authorised", authorisationId });
  }

  function close(authorisationId: string, state: "Captured" | "Voided", captured?: Money) {
    const authorisation = held.get(authorisationId);
    if (authorisation === undefined) return err({ _tag: "AuthorisationNotFound", authorisationId } as const);
    if (authorisation.state !== "Open") return err({ _tag: "AuthorisationClosed", authorisationId, by: authorisation.state } as const);
    held.set(authorisationId, { ...authorisation, state, captured });
    return ok(authorisation);
  }

  function capture({ authorisationId, amount }: CaptureRequest): Result<Captured, CaptureRejection> {
    const authorised = held.get(authorisationId)?.amount;
    const fits = authorised === undefined || (amount.currency === authorised.currency && amount.amountMinor <= authorised.amountMinor);
    if (!fits) return err({ _tag: "CaptureTooLarge", authorised });
    return close(authorisationId, "Captured", amount).map(() => ({
      _tag: "Captured",
      captureId: `capture-of-${authorisationId}`,
      authorisationId,
    }));
  }

  function release({ authorisationId }: VoidRequest): Result<Voided, VoidRejection> {
    return close(authorisationId, "Voided").map(() => ({ _tag: "Voided" }));
  }

  return {
    authorise: async (request, { idempotencyKey }) =>
      once(idempotencyKey, { operation: "authorisation", ...request }, () => authorise(request)),
    capture: async (request, { idempotencyKey }) => once(idempotencyKey, { operation: "capture", ...request }, () => capture(request)),
    void: async (request, { idempotencyKey }) => once(idempotencyKey, { operation: "void", ...request }, () => release(request)),
    async settle(idempotencyKey) {
      const known = keys.get(idempotencyKey) ?? { _tag: "Sealed" };
      keys.set(idempotencyKey, known);
      return known._tag === "Sealed" ? known : { _tag: "Answered", answer: known.answer };
    },
    held: () => [...held.values()],
    recordOf: (idempotencyKey) => keys.get(idempotencyKey),
  };
}
