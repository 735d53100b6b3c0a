// Goal: seeding again changes nothing, also when the fences have forgotten that it was done. Method: the hosted services over SQLite; every seeding has keys that no fence has seen.

import { idempotencyKey } from "@backstep/saga-core/adapter";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seed } from "../src/seed.ts";
import { TestServices } from "./services.ts";

let services: TestServices;

beforeEach(() => {
  services = new TestServices({ fates: [] });
});

afterEach(() => services.close());

/** What anybody can read of the seeded things. */
async function state(): Promise<unknown> {
  const { members, points, products, coupons } = services.services;
  const read = [
    ...["mina", "joon"].flatMap((memberId) => [
      members.findMember({ memberId }),
      points.listEntries({ memberId, currency: "KRW" }),
      coupons.listCoupons({ memberId }),
    ]),
    products.listProducts({}),
    coupons.findPolicy({ policyId: "welcome" }),
  ];
  return Promise.all(read.map(async (each) => (await each)._unsafeUnwrap()));
}

test("seeding twice leaves what seeding once left", async () => {
  const seeded = await seed(services.services);
  const once = await state();
  expect(await seed(services.services)).toEqual(seeded);
  expect(await state()).toEqual(once);
});

test("what was spent stays spent", async () => {
  const { memberId, productIds } = await seed(services.services);
  const { points, products } = services.services;
  const { balance } = (await points.findBalance({ memberId, currency: "KRW" }))._unsafeUnwrap();
  (await points.deductPoints({ memberId, amount: balance }, key("points")))._unsafeUnwrap();
  (await products.deductStock({ productId: productIds[0], orderId: "o", quantity: 99 }, key("stock")))._unsafeUnwrap();
  const spent = await state();
  await seed(services.services);
  expect(await state()).toEqual(spent);
});

test("a seeding that broke off is completed", async () => {
  const { members, products, points } = services.services;
  (await members.registerMember({ memberId: "mina", name: "Mina" }, key("member")))._unsafeUnwrap();
  const price = { amountMinor: 4_500, currency: "KRW" };
  (await products.registerProduct({ productId: "green-tea", name: "Green tea", price }, key("product")))._unsafeUnwrap();
  await seed(services.services);
  expect((await products.findProduct({ productId: "green-tea" }))._unsafeUnwrap().available).toBe(100);
  expect((await points.findBalance({ memberId: "mina", currency: "KRW" }))._unsafeUnwrap().balance.amountMinor).toBe(50_000);
});

test("a service that cannot be reached is told in one sentence", async () => {
  const unreachable = new TestServices({ fates: [] });
  const { products } = unreachable.services;
  await unreachable.close();
  await expect(seed({ ...services.services, products })).rejects.toThrow(/^seeding failed: [^\n]+$/);
});

function key(path: string) {
  return { key: idempotencyKey({ sagaId: "test", path, slot: "action" }) };
}
