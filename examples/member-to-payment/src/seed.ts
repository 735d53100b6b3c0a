/** A few members, products and coupons to play with. Every command has a key of its own, so seeding again changes nothing. */
import { couponContract } from "@backstep/coupon/contract";
import { createClient } from "@backstep/http-adapter/client";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { productContract } from "@backstep/product/contract";
import { idempotencyKey } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";
import { urlOf } from "./topology.ts";

export interface Seeded {
  readonly memberId: string;
  readonly productIds: readonly [string, ...string[]];
  readonly couponId: string;
}

const CURRENCY = "KRW";
/** Fixed, so that the seed's payload is the same at every start. */
const VALID_FROM = Date.UTC(2020, 0, 1);
const VALID_UNTIL = Date.UTC(2100, 0, 1);

export async function seed(): Promise<Seeded> {
  const members = createClient(memberContract, { baseUrl: urlOf("member") });
  const points = createClient(memberPointContract, { baseUrl: urlOf("member-point") });
  const products = createClient(productContract, { baseUrl: urlOf("product") });
  const coupons = createClient(couponContract, { baseUrl: urlOf("coupon") });

  for (const [memberId, name] of [
    ["mina", "Mina"],
    ["joon", "Joon"],
  ] as const) {
    await planted(members.registerMember({ memberId, name }, keyed(memberId)));
    await planted(points.accruePoints({ memberId, amount: won(50_000) }, keyed(`points-${memberId}`)));
  }
  for (const [productId, name, amountMinor] of [
    ["green-tea", "Green tea", 4_500],
    ["tea-cup", "Tea cup", 12_000],
  ] as const) {
    await planted(products.registerProduct({ productId, name, price: won(amountMinor) }, keyed(productId)));
    await planted(products.addStock({ productId, quantity: 100 }, keyed(`stock-${productId}`)));
  }
  const terms = {
    currency: CURRENCY,
    discount: { _tag: "Fixed", amountMinor: 1_000 },
    minimumOrderMinor: 5_000,
    validFrom: VALID_FROM,
    validUntil: VALID_UNTIL,
  } as const;
  await planted(coupons.definePolicy({ policyId: "welcome", terms }, keyed("policy-welcome")));
  for (const memberId of ["mina", "joon"]) {
    await planted(coupons.issueCoupon({ couponId: `welcome-${memberId}`, policyId: "welcome", memberId }, keyed(`coupon-${memberId}`)));
  }
  return { memberId: "mina", productIds: ["green-tea", "tea-cup"], couponId: "welcome-mina" };
}

function won(amountMinor: number) {
  return { amountMinor, currency: CURRENCY };
}

function keyed(path: string) {
  return { key: idempotencyKey({ sagaId: "seed", path, slot: "action" }) };
}

/** After a week the fence has forgotten the key, and the domain says that the thing exists: good enough for a seed. */
async function planted<Value>(result: ResultAsync<Value, { readonly _tag: string }>): Promise<void> {
  const { error } = (await result).match<{ error?: { readonly _tag: string } }>(
    () => ({}),
    (refused) => ({ error: refused }),
  );
  if (error !== undefined && !error._tag.endsWith("Exists")) throw new Error(`seeding failed: ${JSON.stringify(error)}`);
}
