/** What there is to buy and who buys: few members, products and coupons, which run out and are filled up again; and how it is told to services that are being shot at. Keeps the openings of the books. */
import type { Tagged } from "@backstep/saga-core/adapter";
import { idempotencyKey, isFault } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";
import type { Services } from "../src/checkout.ts";
import { CURRENCY, type Openings } from "../src/conservation.ts";
import type { Random } from "./random.ts";

const MEMBERS = 24;
const STOCK = 150;
const POINTS = 60_000;
const RESTOCK = 60;
const TOP_UP = 40_000;
const HOUR = 60 * 60 * 1_000;
/** Small things, and one that needs an approval. */
const PRICES = [900, 1_500, 2_200, 3_100, 4_700, 8_600, 1_250_000] as const;
const POLICY = "chaos-policy";
/** Between two tries: doubled from one to the next, and never the same for two who failed at once. */
const AGAIN_MS = { least: 150, most: 10_000 };
/** A ledger of so many entries is closed, as at the end of a month: what is read for each deduction stays short. */
const SETTLE_EVERY_MS = 20_000;

type Keyed = { readonly key: ReturnType<typeof idempotencyKey> };

export interface Line {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
}

export class Shop {
  readonly members = Array.from({ length: MEMBERS }, (_, index) => `m${index}`);
  readonly products = PRICES.map((priceMinor, index) => ({ productId: `p${index}`, priceMinor }));
  readonly #services: Services;
  readonly #stock = new Map<string, number>();
  readonly #points = new Map<string, number>();
  readonly #filling = new Set<string>();
  #count = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  get openings(): Openings {
    return { stock: this.#stock, points: this.#points };
  }

  async open(): Promise<void> {
    const { members, products, coupons } = this.#services;
    const now = Date.now();
    const terms = {
      currency: CURRENCY,
      discount: { _tag: "Fixed", amountMinor: 700 },
      minimumOrderMinor: 2_000,
      validFrom: now - HOUR,
      validUntil: now + 24 * HOUR,
    } as const;
    await insist(() => coupons.definePolicy({ policyId: POLICY, terms }, this.key()));
    await Promise.all(this.members.map((memberId) => this.#insist((key) => members.registerMember({ memberId, name: "A member" }, key))));
    await Promise.all(this.members.map((memberId) => this.#accrue(memberId, POINTS)));
    await Promise.all(
      this.products.map(async ({ productId, priceMinor }) => {
        await this.#insist((key) => products.registerProduct({ productId, name: "A product", price: won(priceMinor) }, key));
        await this.#supply(productId, STOCK);
      }),
    );
  }

  /** Places an order, however often it takes. */
  async order(memberId: string, lines: readonly Line[]): Promise<string> {
    const orderId = this.name("o");
    await this.#insist((key) => this.#services.orders.createOrder({ orderId, memberId, currency: CURRENCY, lines }, key));
    return orderId;
  }

  async coupon(memberId: string): Promise<string> {
    const couponId = this.name("c");
    await this.#insist((key) => this.#services.coupons.issueCoupon({ couponId, policyId: POLICY, memberId }, key));
    return couponId;
  }

  /** Something ran out. Some of it comes again, once at a time. */
  async fillUp(what: { readonly productId?: string | undefined; readonly memberId?: string | undefined }): Promise<void> {
    const name = what.productId ?? what.memberId ?? "";
    if (this.#filling.has(name)) return;
    this.#filling.add(name);
    if (what.productId !== undefined) await this.#supply(what.productId, RESTOCK);
    else if (what.memberId !== undefined) await this.#accrue(what.memberId, TOP_UP);
    this.#filling.delete(name);
  }

  /** Closes the period of one ledger after the other, until `over`. */
  async settleLedgers(over: AbortSignal, random: Random): Promise<void> {
    while (!over.aborted) {
      const memberId = random.pick(this.members) ?? "";
      await this.#settle(memberId);
      await sleep(SETTLE_EVERY_MS / MEMBERS);
    }
  }

  name(kind: string): string {
    this.#count += 1;
    return `${kind}${String(this.#count).padStart(7, "0")}`;
  }

  key(): Keyed {
    return { key: idempotencyKey({ sagaId: "chaos", path: this.name("k"), slot: "action" }) };
  }

  async #settle(memberId: string): Promise<void> {
    const { points } = this.#services;
    const found = await insist(() => points.findBalance({ memberId, currency: CURRENCY }));
    if (found.isErr()) return;
    const { period } = found.value;
    // Whose answer was lost has been closed: the same key gets the same answer.
    await this.#insist((key) => points.settlePeriod({ memberId, currency: CURRENCY, period }, key));
  }

  async #supply(productId: string, quantity: number): Promise<void> {
    await this.#insist((key) => this.#services.products.addStock({ productId, quantity }, key));
    this.#stock.set(productId, (this.#stock.get(productId) ?? 0) + quantity);
  }

  async #accrue(memberId: string, amountMinor: number): Promise<void> {
    await this.#insist((key) => this.#services.points.accruePoints({ memberId, amount: won(amountMinor) }, key));
    this.#points.set(memberId, (this.#points.get(memberId) ?? 0) + amountMinor);
  }

  async #insist<Output, Failure extends Tagged>(command: (key: Keyed) => ResultAsync<Output, Failure>): Promise<void> {
    const key = this.key();
    const answer = await insist(() => command(key));
    if (answer.isErr()) throw new Error(`the shop was refused: ${JSON.stringify(answer.error)}`);
  }
}

/** What asking again does not change. */
const FOR_GOOD: ReadonlySet<string> = new Set(["Faulted", "Sealed", "KeyReused", "EvidenceLost"]);

/** Asks again, under the same key, until there is an answer: a refusal by the service is one. */
async function insist<Output, Failure extends Tagged>(ask: () => ResultAsync<Output, Failure>) {
  for (let restMs = AGAIN_MS.least; ; restMs = Math.min(restMs * 2, AGAIN_MS.most)) {
    const answer = await ask();
    if (answer.isOk() || !isFault(answer.error) || FOR_GOOD.has(answer.error._tag)) return answer;
    await sleep((answer.error.retryAfterMs ?? 0) + restMs * (0.5 + Math.random() / 2));
  }
}

function won(amountMinor: number) {
  return { amountMinor, currency: CURRENCY };
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
