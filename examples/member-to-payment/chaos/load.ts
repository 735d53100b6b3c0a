/** Many clients at once, who order and pay in every way there is: twice at a time, with rivals, with a coupon that two want, by points or card or both, declined, refused, cancelled, and again. */
import { APPROVAL_FROM_MINOR } from "../src/checkout.ts";
import { type Answer, type Checkout, CheckoutClient, type PaymentRequest } from "./checkout-client.ts";
import type { Random } from "./random.ts";
import type { Line, Shop } from "./shop.ts";

export interface LoadOptions {
  readonly shop: Shop;
  readonly workers: readonly string[];
  readonly random: Random;
  /** Checkouts at a time. */
  readonly inFlight: number;
  /** No new ones from then on. */
  readonly over: AbortSignal;
  /** Nobody waits any more. */
  readonly givenUp: AbortSignal;
}

const TRIES_MAX = 3;
/** Between two tries to approve. */
const APPROVAL_MS = 600;
/** What is left to pay by card when it ends so is declined: see the gateway's test issuer. */
const DECLINED_ENDING = 51;

export class Load {
  readonly checkouts: Checkout[] = [];
  readonly #options: LoadOptions;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Resolves when every client has had its last answer. */
  async run(): Promise<void> {
    const { inFlight, random } = this.#options;
    await Promise.all(Array.from({ length: inFlight }, () => this.#live(random.split())));
  }

  async #live(random: Random): Promise<void> {
    while (!this.#options.over.aborted) await this.#buy(random);
  }

  async #buy(random: Random): Promise<void> {
    const { shop, over } = this.#options;
    const memberId = random.pick(shop.members) ?? "";
    const lines = this.#basket(random);
    const orderId = await shop.order(memberId, lines);
    const totalMinor = lines.reduce((sum, { quantity, unitPriceMinor }) => sum + quantity * unitPriceMinor, 0);
    const couponId = random.chance(0.3) ? await shop.coupon(memberId) : undefined;
    // Another order of theirs that wants the same coupon.
    const rival = couponId !== undefined && random.chance(0.3) ? await shop.order(memberId, lines) : undefined;
    const request = { orderId, memberId, couponId, points: pointsOf(random, totalMinor) };
    const answers = [this.#payUntilPaid(random, request, totalMinor)];
    if (rival !== undefined) answers.push(this.#payUntilPaid(random, { ...request, orderId: rival }, totalMinor));
    if (!over.aborted || answers.length > 0) await Promise.all(answers);
  }

  #basket(random: Random): readonly Line[] {
    const { products } = this.#options.shop;
    const large = products.at(-1);
    if (large !== undefined && random.chance(0.06)) return [{ productId: large.productId, quantity: 1, unitPriceMinor: large.priceMinor }];
    const chosen = products.slice(0, -1).filter(() => random.chance(0.35));
    const some = chosen.length > 0 ? chosen : products.slice(0, 1);
    return some.map(({ productId, priceMinor }) => ({ productId, quantity: random.whole(1, 3), unitPriceMinor: priceMinor }));
  }

  /** A payment that failed is tried again, under another key, by some. */
  async #payUntilPaid(random: Random, request: PaymentRequest, totalMinor: number): Promise<void> {
    for (let tried = 0, wanted = request; tried < TRIES_MAX; tried += 1) {
      const answer = await this.#pay(random, wanted, totalMinor);
      if (answer === undefined || answer.status === 200) return;
      if (random.chance(0.5)) void this.#missed(answer, wanted.memberId);
      if (this.#options.over.aborted || random.chance(0.5)) return;
      wanted = { ...wanted, points: pointsOf(random, totalMinor) };
    }
  }

  async #pay(random: Random, request: PaymentRequest, totalMinor: number): Promise<Answer | undefined> {
    const { workers, givenUp } = this.#options;
    const client = new CheckoutClient(workers, random);
    const checkout = this.#begin(client, request);
    const asking = [client.pay(checkout, givenUp)];
    // An impatient finger, at another worker; and somebody else who pays the same order.
    if (random.chance(0.15)) asking.push(client.pay(checkout, givenUp));
    if (random.chance(0.05)) asking.push(client.pay(this.#begin(client, { ...request, couponId: undefined }), givenUp));
    if (random.chance(0.08)) void this.#cancelSoon(client, checkout, random.whole(0, 1_500));
    if (totalMinor >= APPROVAL_FROM_MINOR && random.chance(0.8)) void this.#approve(client, checkout, random.chance(0.7));
    const [answer] = await Promise.all(asking);
    return answer;
  }

  #begin(client: CheckoutClient, request: PaymentRequest): Checkout {
    const checkout = client.begin(request, this.#options.shop.name("pay-"));
    this.checkouts.push(checkout);
    return checkout;
  }

  async #cancelSoon(client: CheckoutClient, { sagaId }: Checkout, afterMs: number): Promise<void> {
    await sleep(afterMs);
    await client.operate(sagaId, "cancel", { by: "the client", reason: "changed its mind" });
  }

  async #approve(client: CheckoutClient, checkout: Checkout, approved: boolean): Promise<void> {
    // It may not have been begun yet, or the worker may be dead: said until it is heard, or all is over.
    for (let heard = false; !heard && checkout.answer === undefined && !this.#options.givenUp.aborted; ) {
      await sleep(APPROVAL_MS);
      heard = await client.operate(checkout.sagaId, "approval", { by: "the head of sales", approved });
    }
  }

  async #missed({ text }: Answer, memberId: string): Promise<void> {
    const { error } = JSON.parse(text) as { readonly error?: { readonly _tag: string; readonly productId?: string } };
    if (error?._tag === "OutOfStock") await this.#options.shop.fillUp({ productId: error.productId });
    if (error?._tag === "InsufficientPoints") await this.#options.shop.fillUp({ memberId });
  }
}

/** All by points, by half, by card, or so that the card declines. */
function pointsOf(random: Random, totalMinor: number): number | undefined {
  const way = random.weighed({ points: 5, half: 3, card: 3, declined: 1 });
  if (way === "points") return totalMinor >= APPROVAL_FROM_MINOR ? 0 : undefined;
  if (way === "half") return Math.floor(totalMinor / 200) * 100;
  return way === "card" ? 0 : Math.max(0, (totalMinor % 100) - DECLINED_ENDING + 100);
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
