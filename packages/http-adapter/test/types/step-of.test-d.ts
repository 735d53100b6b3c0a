// Goal: a derived step has the types of its contract, and two operations that do not belong together do not compile. Negative space by @ts-expect-error.
import { command, contract, query, rejection, undo } from "@backstep/contract";
import {
  type CompensatableStep,
  type NotJournalable,
  type PivotStep,
  type ReadOnlyStep,
  type RetriableStep,
  saga,
} from "@backstep/saga-core";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { createClient } from "../../src/client.ts";
import { stepOf } from "../../src/step-of.ts";
import { warehouse } from "../warehouse.ts";

const options = { baseUrl: "http://warehouse.test" };
const client = createClient(warehouse, options);

type Line = { itemId: string; orderId: string; quantity: number };
type ItemUnknown = { _tag: "ItemUnknown"; itemId: string };
type OutOfStock = { _tag: "OutOfStock"; itemId: string; requested: number; available: number };
type OrderClosed = { _tag: "OrderClosed"; orderId: string };

const reserve = stepOf(client.reserve, client.release);
const stockItem = stepOf.pivot(client.stockItem);
const removeItem = stepOf.retriable(client.removeItem);
const countLabel = stepOf.readOnly(client.countLabel);

test("input, output and rejections are the contract's", () => {
  expectTypeOf(reserve).toEqualTypeOf<
    CompensatableStep<string, Line, { reservationId: string; left: number }, ItemUnknown | OutOfStock | OrderClosed>
  >();
  expectTypeOf(stockItem).toEqualTypeOf<PivotStep<string, { itemId: string; units: number }, { units: number }, ItemUnknown>>();
  expectTypeOf(removeItem).toEqualTypeOf<RetriableStep<string, { itemId: string }, { itemId: string }>>();
  expectTypeOf(countLabel).toEqualTypeOf<ReadOnlyStep<string, { label: string }, { label: string; items: number }, never>>();
});

test("a saga over derived steps can fail with what their contracts declare, and with nothing else", () => {
  const moving = saga({
    name: "moving",
    input: z.strictObject({ itemId: z.string(), label: z.string() }),
    *run({ itemId, label }) {
      yield* countLabel({ label });
      const { left } = yield* reserve({ itemId, orderId: "o1", quantity: 1 });
      return left;
    },
    pivot: (left) => stockItem({ itemId: "tea", units: left }),
    *complete() {
      return yield* removeItem({ itemId: "tea" });
    },
  });
  type Failure = typeof moving extends { readonly "~failure"?: infer Found } ? NonNullable<Found> : never;
  expectTypeOf<Failure>().toEqualTypeOf<ItemUnknown | OutOfStock | OrderClosed>();
});

test("an undo takes back its own command only", () => {
  // @ts-expect-error -- release is the undo of reserve
  void (() => stepOf(client.addItem, client.release));
  // @ts-expect-error -- a command is no undo
  void (() => stepOf(client.reserve, client.addItem));
  // @ts-expect-error -- a query is no command
  void (() => stepOf(client.findItem, client.release));
  // @ts-expect-error -- a compensatable step has an undo
  void (() => stepOf(client.reserve));
});

test("an undo takes the input of its command", () => {
  const other = contract({
    name: "other",
    operations: {
      hold: command({ summary: "Holds.", path: "/holds", input: z.strictObject({ a: z.string() }), output: z.null(), rejections: [] }),
      drop: undo({ summary: "Drops.", path: "/drops", undoes: "hold", input: z.strictObject({ b: z.string() }) }),
    },
  });
  const { hold, drop } = createClient(other, options);
  // @ts-expect-error -- it cannot be called with what is journaled of the command
  void (() => stepOf(hold, drop));
});

test("each constructor takes its own kind of operation", () => {
  // @ts-expect-error -- a query changes nothing, so it is no pivot
  void (() => stepOf.pivot(client.findItem));
  // @ts-expect-error -- a command is not read-only
  void (() => stepOf.readOnly(client.reserve));
  // @ts-expect-error -- an undo stands behind a command, never alone
  void (() => stepOf.retriable(client.release));
  // @ts-expect-error -- a pivot cannot be compensated, so there is no such choice
  void (() => stepOf.pivot(client.stockItem, { inDoubt: "compensate" }));
  // @ts-expect-error -- there is no such policy
  void (() => stepOf(client.reserve, client.release, { inDoubt: "guess" }));
});

test("what JSON cannot keep is no step, and says what it is", () => {
  const clock = contract({
    name: "clock",
    operations: {
      read: query({
        summary: "Reads.",
        path: "/time",
        input: z.strictObject({}),
        output: z.strictObject({ at: z.coerce.date() }),
        rejections: [],
      }),
      wind: command({
        summary: "Winds.",
        path: "/windings",
        input: z.strictObject({ turns: z.bigint() }),
        output: z.null(),
        rejections: [],
      }),
      stop: command({
        summary: "Stops.",
        path: "/stops",
        input: z.strictObject({}),
        output: z.null(),
        rejections: [rejection("TooLate", { at: z.date() })],
      }),
    },
  });
  const { read, wind, stop } = createClient(clock, options);
  expectTypeOf(stepOf.readOnly(read)).toEqualTypeOf<NotJournalable<Date>>();
  expectTypeOf(stepOf.pivot(wind)).toEqualTypeOf<NotJournalable<bigint>>();
  expectTypeOf(stepOf.pivot(stop)).toEqualTypeOf<NotJournalable<Date>>();
  // @ts-expect-error -- and so it cannot be called
  void (() => stepOf.readOnly(read)({}));
});
