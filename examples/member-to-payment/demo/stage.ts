/**
 * A stage for one scenario: members, products, coupons and orders of its own, a way to pay, the state of all of it read over HTTP, and expectations
 * that are counted. Ids carry the scenario's name, so that scenarios do not meet.
 */
import { isDeepStrictEqual } from "node:util";
import type { SagaStatusDocument } from "@backstep/http-adapter/server";
import { idempotencyKey } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";
import { CURRENCY } from "../src/conservation.ts";
import type { Network } from "./network.ts";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly location: string | undefined;
}

/** Everything that a payment may change, as one line. Absent: there is none. */
export interface State {
  readonly order?: string | undefined;
  /** Why the order's payment failed, as the order keeps it. */
  readonly reason?: string | undefined;
  readonly coupon?: string | undefined;
  readonly stock: Readonly<Record<string, number>>;
  readonly points?: number | undefined;
  readonly payment?: string | undefined;
  /** What the gateway holds for it: reserved (`open`), taken (`captured`) or let go (`voided`), with the amount. */
  readonly card?: string | undefined;
}

export interface Failure {
  readonly what: string;
  readonly expected: unknown;
  readonly found: unknown;
}

interface Cast {
  readonly memberId: string;
  readonly orderId?: string | undefined;
  readonly couponId?: string | undefined;
  readonly productIds: readonly string[];
}

export interface PaymentRequest {
  readonly orderId: string;
  readonly memberId: string;
  readonly couponId?: string | undefined;
  /** The rest is paid by card. */
  readonly points?: number | undefined;
  readonly key: string;
}

export interface CouponOptions {
  readonly memberId: string;
  readonly discountMinor: number;
  readonly minimumOrderMinor?: number | undefined;
  readonly expired?: boolean | undefined;
}

const HOUR = 60 * 60 * 1_000;

export class Stage {
  readonly network: Network;
  readonly failures: Failure[] = [];
  readonly sagaIds = new Set<string>();
  readonly openings = { stock: new Map<string, number>(), points: new Map<string, number>() };
  readonly #name: string;
  #count = 0;

  constructor(network: Network, name: string) {
    this.network = network;
    this.#name = name.toLowerCase();
  }

  async member({ points, active = true }: { readonly points: number; readonly active?: boolean }): Promise<string> {
    const memberId = this.#next("member");
    const { members, points: accounts } = this.network.services;
    await done(members.registerMember({ memberId, name: "A member" }, this.#key()));
    if (points > 0) await done(accounts.accruePoints({ memberId, amount: { amountMinor: points, currency: CURRENCY } }, this.#key()));
    this.openings.points.set(memberId, points);
    if (!active) await done(members.deactivateMember({ memberId }, this.#key()));
    return memberId;
  }

  async product({ stock, priceMinor }: { readonly stock: number; readonly priceMinor: number }): Promise<string> {
    const productId = this.#next("product");
    const { products } = this.network.services;
    await done(
      products.registerProduct({ productId, name: "A product", price: { amountMinor: priceMinor, currency: CURRENCY } }, this.#key()),
    );
    if (stock > 0) await done(products.addStock({ productId, quantity: stock }, this.#key()));
    this.openings.stock.set(productId, stock);
    return productId;
  }

  async coupon({ memberId, discountMinor, minimumOrderMinor = 0, expired = false }: CouponOptions): Promise<string> {
    const couponId = this.#next("coupon");
    const policyId = this.#next("policy");
    const { coupons } = this.network.services;
    const now = Date.now();
    const terms = {
      currency: CURRENCY,
      discount: { _tag: "Fixed", amountMinor: discountMinor },
      minimumOrderMinor,
      validFrom: now - 2 * HOUR,
      validUntil: expired ? now - HOUR : now + HOUR,
    } as const;
    await done(coupons.definePolicy({ policyId, terms }, this.#key()));
    await done(coupons.issueCoupon({ couponId, policyId, memberId }, this.#key()));
    return couponId;
  }

  async order(
    memberId: string,
    lines: readonly (readonly [productId: string, quantity: number, unitPriceMinor: number])[],
  ): Promise<string> {
    const orderId = this.#next("order");
    const { orders } = this.network.services;
    const placed = lines.map(([productId, quantity, unitPriceMinor]) => ({ productId, quantity, unitPriceMinor }));
    await done(orders.createOrder({ orderId, memberId, currency: CURRENCY, lines: placed }, this.#key()));
    return orderId;
  }

  /** Asks the payment service to pay, as a client would. Rejects when the connection breaks, as a client's would. */
  pay(request: PaymentRequest): Promise<Answer> {
    this.sagaIds.add(sagaIdOf(request));
    const answer = this.#ask(request);
    // A scenario may break something before it awaits this: until then a rejection is nobody's, and no reason to end the demo.
    answer.catch(() => undefined);
    return answer;
  }

  async #ask({ key, ...body }: PaymentRequest): Promise<Answer> {
    const response = await fetch(`${this.network.paymentUrl}/checkouts`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": `"${key}"` },
      body: JSON.stringify(body),
    });
    return toAnswer(response);
  }

  /** Asks until the answer is final, as a patient client does: through broken connections and 202s. */
  async payPatiently(request: PaymentRequest): Promise<Answer> {
    for (let asked = 0; ; asked += 1) {
      const answer = await this.pay(request).catch(() => undefined);
      if (answer !== undefined && answer.status !== 202 && answer.status !== 503) return answer;
      if (answer !== undefined && answer.body["decided"] === "key") return answer;
      if (asked > 200) throw new Error(`no final answer for key ${request.key}`);
      await sleep(100);
    }
  }

  async operate(sagaId: string, verb: "retry" | "abandon" | "cancel", order: Readonly<Record<string, string>>): Promise<number> {
    const response = await fetch(`${this.network.paymentUrl}/operator/sagas/${encodeURIComponent(sagaId)}/${verb}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ by: "demo", reason: `scenario ${this.#name}`, ...order }),
    });
    return response.status;
  }

  /** Somebody's word on a large payment. */
  async approve(sagaId: string, approved: boolean): Promise<number> {
    const response = await fetch(`${this.network.paymentUrl}/operator/sagas/${encodeURIComponent(sagaId)}/approval`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ by: "the head of sales", approved }),
    });
    return response.status;
  }

  /** The order service's operator command: frees what an abandoned saga holds. */
  async release(sagaId: string): Promise<readonly string[]> {
    const { orders } = this.network.services;
    const { orderIds } = await done(orders.releasePayment({ sagaId, evidence: "the saga was abandoned" }, this.#key()));
    return orderIds;
  }

  async status(sagaId: string): Promise<SagaStatusDocument | undefined> {
    const response = await fetch(`${this.network.paymentUrl}/checkouts/${encodeURIComponent(sagaId)}`).catch(() => undefined);
    return response?.status === 200 ? ((await response.json()) as SagaStatusDocument) : undefined;
  }

  /** Waits until a saga's status is as wanted, and hands it back. */
  async until(sagaId: string, wanted: (status: SagaStatusDocument) => boolean): Promise<SagaStatusDocument> {
    for (let looks = 0; looks < 1_000; looks += 1) {
      const status = await this.status(sagaId);
      if (status !== undefined && wanted(status)) return status;
      await sleep(20);
    }
    throw new Error(`saga ${sagaId} never came to what was waited for`);
  }

  /** Reads every service that a payment of this cast touches. */
  async state({ memberId, orderId, couponId, productIds }: Cast): Promise<State> {
    const { orders, coupons, products, points, payments, gateway } = this.network.services;
    const stock: Record<string, number> = {};
    for (const productId of productIds) stock[short(productId)] = (await done(products.findProduct({ productId }))).available;
    const order = orderId === undefined ? undefined : await orders.findOrder({ orderId });
    const coupon = couponId === undefined ? undefined : await done(coupons.findCoupon({ couponId }));
    const paid = orderId === undefined ? [] : (await done(payments.listPayments({ orderId }))).payments;
    const held = (await Promise.all(paid.map(({ paymentId }) => gateway.list({ reference: paymentId })))).flat();
    const state = order?.isOk() === true ? order.value.state : undefined;
    return {
      order: state?._tag,
      reason: state?._tag === "PAYMENT_FAILED" ? reasonOf(state.reason) : undefined,
      coupon: coupon?.state._tag,
      stock,
      points: (await done(points.findBalance({ memberId, currency: CURRENCY }))).balance.amountMinor,
      payment: paid.at(-1)?.state._tag,
      card: held.length === 0 ? undefined : held.map((each) => `${each.state.toLowerCase()} ${each.amount.amountMinor}`).join(", "),
    };
  }

  expect(what: string, found: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(found, expected)) this.failures.push({ what, expected, found });
  }

  #next(kind: string): string {
    this.#count += 1;
    return `${this.#name}-${kind}-${this.#count}`;
  }

  #key(): { readonly key: ReturnType<typeof idempotencyKey> } {
    this.#count += 1;
    return { key: idempotencyKey({ sagaId: `demo-${this.#name}`, path: String(this.#count), slot: "action" }) };
  }
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: unknown = JSON.parse(text);
  return {
    status: response.status,
    body: typeof body === "object" && body !== null ? (body as Answer["body"]) : {},
    text,
    location: response.headers.get("location") ?? undefined,
  };
}

function reasonOf(reason: { readonly _tag: "WentBack"; readonly cause?: string | undefined } | { readonly _tag: "Released" }): string {
  return reason._tag === "WentBack" ? (reason.cause ?? "") : reason._tag;
}

/** As the payment service names it: saga, client, key. */
export function sagaIdOf({ memberId, key }: Pick<PaymentRequest, "memberId" | "key">): string {
  return `checkout:${memberId}:${key}`;
}

/** `f5-product-2` → `product-2`. */
function short(id: string): string {
  return id.slice(id.indexOf("-") + 1);
}

/** The stage itself must stand: what fails here is no scenario but the theatre. */
async function done<Value, Failure>(result: ResultAsync<Value, Failure>): Promise<Value> {
  return (await result).match(
    (value) => value,
    (error) => {
      throw new Error(`the stage could not be set: ${JSON.stringify(error)}`);
    },
  );
}

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
