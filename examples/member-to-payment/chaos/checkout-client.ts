/** Asks for one checkout as a patient client does: at any worker, again under the same key when there was no answer, and at the status link when it is told to wait. */
import type { SagaStatusDocument } from "@backstep/http-adapter/server";
import type { Random } from "./random.ts";

export interface PaymentRequest {
  readonly orderId: string;
  readonly memberId: string;
  readonly couponId?: string | undefined;
  readonly points?: number | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** How long its sender wishes not to be asked again, in milliseconds. */
  readonly retryAfterMs: number;
}

/** One key of one client, and what became of it. */
export interface Checkout {
  readonly sagaId: string;
  readonly key: string;
  readonly request: PaymentRequest;
  readonly askedAt: number;
  /** The first final one. */
  answer?: Answer | undefined;
  answeredAt?: number | undefined;
  /** A final answer that was another one, to the same key. */
  contradiction?: Answer | undefined;
  /** How often it was asked. */
  asked: number;
}

const ANSWER_MS = 15_000;
/** Between two questions: doubled from one to the next, since a fleet that is behind does not get on by being asked. */
const AGAIN_MS = { least: 100, most: 30_000 };
const ENDED: ReadonlySet<string> = new Set(["completed", "compensated", "abandoned"]);

export class CheckoutClient {
  readonly #workers: readonly string[];
  readonly #random: Random;

  constructor(workers: readonly string[], random: Random) {
    this.#workers = workers;
    this.#random = random;
  }

  begin(request: PaymentRequest, key: string): Checkout {
    return { sagaId: `checkout:${request.memberId}:${key}`, key, request, askedAt: performance.now(), asked: 0 };
  }

  /** Until there is a final answer, or nobody waits any more. */
  async pay(checkout: Checkout, givenUp: AbortSignal): Promise<Answer | undefined> {
    for (let asked = 0; !givenUp.aborted; asked += 1) {
      const answer = await this.ask(checkout);
      if (answer !== undefined && isFinal(answer)) {
        settle(checkout, answer);
        return answer;
      }
      if (answer?.status === 202 && this.#random.chance(0.5)) await this.#watch(checkout.sagaId, givenUp);
      await this.#rest(asked, answer);
    }
    return undefined;
  }

  /** Once, at any worker; `undefined` when no answer came. */
  async ask(checkout: Checkout): Promise<Answer | undefined> {
    checkout.asked += 1;
    return this.#send(`/checkouts`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": `"${checkout.key}"` },
      body: JSON.stringify(checkout.request),
    });
  }

  /** An operator's verb, once; whether it was heard. */
  async operate(sagaId: string, verb: "cancel" | "approval", order: object): Promise<boolean> {
    const answer = await this.#send(`/operator/sagas/${encodeURIComponent(sagaId)}/${verb}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    return answer?.status === 204;
  }

  async #watch(sagaId: string, givenUp: AbortSignal): Promise<void> {
    for (let asked = 0; !givenUp.aborted; asked += 1) {
      const answer = await this.#send(`/checkouts/${encodeURIComponent(sagaId)}`, {});
      if (answer?.status === 200 && ENDED.has((JSON.parse(answer.text) as SagaStatusDocument).status)) return;
      // It may not be there: the worker that was asked first may have died before it began.
      if (answer?.status === 404) return;
      await this.#rest(asked, answer);
    }
  }

  async #send(path: string, init: RequestInit): Promise<Answer | undefined> {
    const worker = this.#random.pick(this.#workers) ?? "";
    try {
      const response = await fetch(`${worker}${path}`, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
      const retryAfterMs = Number(response.headers.get("retry-after") ?? "0") * 1_000;
      return { status: response.status, text: await response.text(), retryAfterMs };
    } catch {
      return undefined;
    }
  }

  #rest(asked: number, answer: Answer | undefined): Promise<void> {
    const restMs =
      (answer?.retryAfterMs ?? 0) + this.#random.whole(AGAIN_MS.least, Math.min(AGAIN_MS.least * 2 ** (asked + 1), AGAIN_MS.most));
    return new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

/** An answer that is for the key, the same ever after. Another one in the four hundreds is none of a checkout that was asked for properly: it is final, too, and for the audit to find. */
export function isFinal({ status, text }: Answer): boolean {
  if (status === 200) return true;
  if (status === 202) return false;
  return text.includes('"decided":"key"') || (status >= 400 && status < 500 && status !== 429);
}

export function settle(checkout: Checkout, answer: Answer): void {
  if (checkout.answer === undefined) {
    checkout.answer = answer;
    checkout.answeredAt = performance.now();
  } else if (checkout.answer.status !== answer.status || checkout.answer.text !== answer.text) {
    checkout.contradiction = answer;
  }
}
