// Goal: a client's operations have the contract's types, and nothing has to be written twice. Method: expectTypeOf, and what must not compile by @ts-expect-error.
import type { Resolution } from "@backstep/saga-core";
import { type Fault, type IdempotencyKey, idempotencyKey } from "@backstep/saga-core/adapter";
import type { ResultAsync } from "neverthrow";
import { expectTypeOf, test } from "vitest";
import { createClient } from "../../src/client.ts";
import { warehouse } from "../warehouse.ts";

const client = createClient(warehouse, { baseUrl: "http://warehouse.test" });
const key = idempotencyKey({ sagaId: "s1", path: "run/0", slot: "action" });
const line = { itemId: "tea", orderId: "o1", quantity: 2 };

type ItemUnknown = { _tag: "ItemUnknown"; itemId: string };
type OutOfStock = { _tag: "OutOfStock"; itemId: string; requested: number; available: number };
type OrderClosed = { _tag: "OrderClosed"; orderId: string };

test("a command answers with its output, its rejections or a fault", () => {
  expectTypeOf(client.reserve(line, { key })).toEqualTypeOf<
    ResultAsync<{ reservationId: string; left: number }, ItemUnknown | OutOfStock | OrderClosed | Fault>
  >();
  expectTypeOf(client.reserve).parameter(0).toEqualTypeOf<{ itemId: string; orderId: string; quantity: number }>();
});

test("an undo answers with nothing, or a fault", () => {
  const undoes = { key, issuedAt: 1, known: "inDoubt" } as const;
  expectTypeOf(client.release(line, { key, undoes })).toEqualTypeOf<ResultAsync<undefined, Fault>>();
});

test("a query answers with its output, its rejections or a fault, and is asked for nothing in particular", () => {
  expectTypeOf(client.findItem({ itemId: "tea" })).toExtend<
    ResultAsync<{ itemId: string; label: string; units: number }, ItemUnknown | Fault>
  >();
});

test("a deciding query answers with the command's output and rejections", () => {
  expectTypeOf(client.reserve.resolve(line, { key })).toEqualTypeOf<
    ResultAsync<Resolution<{ reservationId: string; left: number }, ItemUnknown | OutOfStock | OrderClosed>, Fault>
  >();
});

test("what does not fit the contract does not compile", () => {
  // @ts-expect-error -- a member is missing
  void (() => client.reserve({ itemId: "tea", orderId: "o1" }, { key }));
  // @ts-expect-error -- a member has another type
  void (() => client.reserve({ ...line, quantity: "2" }, { key }));
  // @ts-expect-error -- the contract has no such operation
  void (() => client.destroy(line, { key }));
  // @ts-expect-error -- a command needs a call
  void (() => client.reserve(line));
  // @ts-expect-error -- and a key in it
  void (() => client.reserve(line, { sagaId: "s1" }));
  // @ts-expect-error -- a key is derived or parsed, not any text
  void (() => client.reserve(line, { key: "k1" }));
  // @ts-expect-error -- an undo says what it takes back
  void (() => client.release(line, { key }));
  // @ts-expect-error -- a query has nothing to decide
  void (() => client.findItem.resolve({ itemId: "tea" }, { key }));
  // @ts-expect-error -- a client needs to know where to
  void (() => createClient(warehouse, {}));
  expectTypeOf(key).toEqualTypeOf<IdempotencyKey>();
});
