/** A payment gateway in memory: for tests and demonstrations. It keeps the port's promises about keys, and moves no money. */
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
}

export interface MemoryGatewayOptions {
  /** Says why an authorisation is declined; `undefined` grants it. Default: all are granted. */
  readonly decline?: ((request: AuthoriseRequest) => string | undefined) | undefined;
}

export interface MemoryGateway extends PaymentGateway {
  /** What it holds, in the order it was authorised. */
  held(): readonly HeldAuthorisation[];
}

/** A key's first request as text, and its answer; `undefined`: sealed before any request came. */
type KeyRecord = { readonly request: string; readonly answer: GatewayAnswer } | undefined;

export function createMemoryGateway({ decline = () => undefined }: MemoryGatewayOptions = {}): MemoryGateway {
  const held = new Map<string, HeldAuthorisation>();
  const keys = new Map<string, KeyRecord>();

  /** Decides a key once; `decide` runs for its first request only. */
  function once<Answer extends GatewayAnswer>(key: string, request: object, decide: () => Answer): Answer {
    const asked = JSON.stringify(request);
    const known = keys.get(key);
    if (known === undefined && keys.has(key)) return err({ _tag: "GatewayKeyRefused", why: "sealed" }) as Answer;
    if (known !== undefined && known.request !== asked) return err({ _tag: "GatewayKeyRefused", why: "reused" }) as Answer;
    // The same request means the same operation, so the recorded answer is of its type.
    if (known !== undefined) return known.answer as Answer;
    const answer = decide();
    keys.set(key, { request: asked, answer });
    return answer;
  }

  function authorise(request: AuthoriseRequest): Result<Authorised, AuthoriseRejection> {
    const reason = decline(request);
    if (reason !== undefined) return err({ _tag: "AuthorisationDeclined", reason });
    const authorisationId = `authorisation-${held.size + 1}`;
    held.set(authorisationId, { authorisationId, ...request, state: "Open" });
    return ok({ _tag: "Authorised", authorisationId });
  }

  function close(authorisationId: string, state: "Captured" | "Voided") {
    const authorisation = held.get(authorisationId);
    if (authorisation === undefined) return err({ _tag: "AuthorisationNotFound", authorisationId } as const);
    if (authorisation.state !== "Open") return err({ _tag: "AuthorisationClosed", authorisationId, by: authorisation.state } as const);
    held.set(authorisationId, { ...authorisation, state });
    return ok(authorisation);
  }

  function capture({ authorisationId, amount }: CaptureRequest): Result<Captured, CaptureRejection> {
    const authorised = held.get(authorisationId)?.amount;
    const fits = authorised === undefined || (amount.currency === authorised.currency && amount.amountMinor <= authorised.amountMinor);
    if (!fits) return err({ _tag: "CaptureTooLarge", authorised });
    return close(authorisationId, "Captured").map(() => ({ _tag: "Captured", captureId: `capture-of-${authorisationId}` }));
  }

  function release({ authorisationId }: VoidRequest): Result<Voided, VoidRejection> {
    return close(authorisationId, "Voided").map(() => ({ _tag: "Voided" }));
  }

  return {
    authorise: async (request, { idempotencyKey }) => once(idempotencyKey, { authorise: request }, () => authorise(request)),
    capture: async (request, { idempotencyKey }) => once(idempotencyKey, { capture: request }, () => capture(request)),
    void: async (request, { idempotencyKey }) => once(idempotencyKey, { void: request }, () => release(request)),
    async settle(idempotencyKey) {
      const known = keys.get(idempotencyKey);
      if (known !== undefined) return { _tag: "Answered", answer: known.answer };
      keys.set(idempotencyKey, undefined);
      return { _tag: "Sealed" };
    },
    held: () => [...held.values()],
  };
}
