/** A few members, products and coupons to play with. Looks first and seeds only what is absent, so seeding again changes nothing, however long after. */
import { randomUUID } from "node:crypto";
import type { couponContract } from "@backstep/coupon/contract";
import type { Client } from "@backstep/http-adapter/client";
import type { memberContract } from "@backstep/member/contract";
import type { memberPointContract } from "@backstep/member-point/contract";
import type { productContract } from "@backstep/product/contract";
import { idempotencyKey } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";

export interface Seeded {
  readonly memberId: string;
  readonly productIds: readonly [string, ...string[]];
  readonly couponId: string;
}

export interface Shop {
  readonly members: Client<typeof memberContract>;
  readonly points: Client<typeof memberPointContract>;
  readonly products: Client<typeof productContract>;
  readonly coupons: Client<typeof couponContract>;
}

const CURRENCY = "KRW";
const VALID_FROM = Date.UTC(2020, 0, 1);
const VALID_UNTIL = Date.UTC(2100, 0, 1);

/** Rejects with one sentence when a service refuses or does not answer. */
export async function seed(shop: Shop): Promise<Seeded> {
  for (const [memberId, name] of [
    ["mina", "Mina"],
    ["joon", "Joon"],
  ] as const)
    await seedMember(shop, memberId, name);
  for (const [productId, name, amountMinor] of [
    ["green-tea", "Green tea", 4_500],
    ["tea-cup", "Tea cup", 12_000],
  ] as const)
    await seedProduct(shop, productId, name, amountMinor);
  await seedPolicy(shop, "welcome");
  for (const memberId of ["mina", "joon"]) await seedCoupon(shop, `welcome-${memberId}`, "welcome", memberId);
  return { memberId: "mina", productIds: ["green-tea", "tea-cup"], couponId: "welcome-mina" };
}

async function seedMember({ members, points }: Shop, memberId: string, name: string): Promise<void> {
  if ((await found(members.findMember({ memberId }))) === undefined) await done(members.registerMember({ memberId, name }, fresh()));
  // Not the balance: who spent everything is not given anything again.
  const { entries } = await done(points.listEntries({ memberId, currency: CURRENCY }));
  if (entries.length === 0) await done(points.accruePoints({ memberId, amount: won(50_000) }, fresh()));
}

async function seedProduct({ products }: Shop, productId: string, name: string, amountMinor: number): Promise<void> {
  const product = await found(products.findProduct({ productId }));
  if (product === undefined) await done(products.registerProduct({ productId, name, price: won(amountMinor) }, fresh()));
  // Nothing in stock: an earlier seeding broke off, or all is sold; either way there is nothing to play with.
  if ((product?.available ?? 0) === 0) await done(products.addStock({ productId, quantity: 100 }, fresh()));
}

async function seedPolicy({ coupons }: Shop, policyId: string): Promise<void> {
  if ((await found(coupons.findPolicy({ policyId }))) !== undefined) return;
  const terms = {
    currency: CURRENCY,
    discount: { _tag: "Fixed", amountMinor: 1_000 },
    minimumOrderMinor: 5_000,
    validFrom: VALID_FROM,
    validUntil: VALID_UNTIL,
  } as const;
  await done(coupons.definePolicy({ policyId, terms }, fresh()));
}

async function seedCoupon({ coupons }: Shop, couponId: string, policyId: string, memberId: string): Promise<void> {
  if ((await found(coupons.findCoupon({ couponId }))) === undefined)
    await done(coupons.issueCoupon({ couponId, policyId, memberId }, fresh()));
}

function won(amountMinor: number) {
  return { amountMinor, currency: CURRENCY };
}

/** A key of its own for every command: what keeps a thing from being seeded twice is the look at it, which does not forget as a fence does. */
function fresh() {
  return { key: idempotencyKey({ sagaId: `seed-${randomUUID()}`, path: "seed", slot: "action" }) };
}

/** `undefined` where there is no such thing. */
async function found<Value>(question: ResultAsync<Value, { readonly _tag: string }>): Promise<Value | undefined> {
  return (await question).match(
    (value) => value,
    (error) => {
      if (error._tag.endsWith("NotFound")) return undefined;
      throw failed(error);
    },
  );
}

async function done<Value>(command: ResultAsync<Value, { readonly _tag: string }>): Promise<Value> {
  return (await command).match(
    (value) => value,
    (error) => {
      throw failed(error);
    },
  );
}

function failed(error: { readonly _tag: string }): Error {
  return new Error(`seeding failed: ${JSON.stringify(error)}`);
}
