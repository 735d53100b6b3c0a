// Goal: a body's failures and output are inferred through every way of writing one, and the order compensatable → pivot → retriable is a type.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { err, ok, type Result, type ResultAsync } from "neverthrow";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  all,
  type Body,
  emit,
  type Fault,
  fail,
  type NestableSaga,
  now,
  type RunEffect,
  type Saga,
  type SagaFaulted,
  saga,
  sagaId,
  savepoint,
  step,
  uuid,
} from "../../src/index.ts";
import {
  type CheckoutInput,
  checkoutInput,
  completePayment,
  type Deduction,
  deductStock,
  findMember,
  markPaid,
  type NoSuchMember,
  type OrderLine,
  type OutOfStock,
  type PaymentRefused,
  readClock,
} from "./steps.ts";

const line: OrderLine = { productId: "a", quantity: 1 };

test("output and failures come from what the body yields, through branches and loops", () => {
  const branching = saga({
    name: "branching",
    input: checkoutInput,
    *run({ memberId, couponId, lines }) {
      expectTypeOf(couponId).toEqualTypeOf<string | undefined>();
      const coupon = couponId === undefined ? undefined : yield* findMember({ id: couponId });
      expectTypeOf(coupon).toEqualTypeOf<{ id: string; name: string } | undefined>();
      for (const each of lines) {
        const { left } = yield* deductStock(each);
        expectTypeOf(left).toEqualTypeOf<number>();
        if (left < 0) yield* fail({ _tag: "Oversold", productId: each.productId });
      }
      switch (memberId) {
        case "":
          return yield* fail({ _tag: "Anonymous" });
        case "root":
          return { who: "root" };
        default:
          return { who: coupon?.name };
      }
    },
  });
  type Failure = NoSuchMember | OutOfStock | { readonly _tag: "Oversold"; readonly productId: string } | { readonly _tag: "Anonymous" };
  expectTypeOf(branching).toEqualTypeOf<NestableSaga<"branching", CheckoutInput, { who: string | undefined }, Failure>>();
});

test("a body that yields nothing has no failure", () => {
  const constant = saga({
    name: "constant",
    input: checkoutInput,
    // biome-ignore lint/correctness/useYield: the shortest body
    *run({ memberId }) {
      return memberId;
    },
  });
  expectTypeOf(constant).toEqualTypeOf<NestableSaga<"constant", CheckoutInput, string, never>>();
});

test("helper generators carry their failures into the body", () => {
  function* memberOf(id: string) {
    const member = yield* findMember({ id });
    return member.name;
  }
  function* reserve(lines: readonly OrderLine[]): Body<RunEffect, number> {
    for (const each of lines) yield* deductStock(each);
    return lines.length;
  }
  const helped = saga({
    name: "helped",
    input: checkoutInput,
    *run({ memberId }) {
      return yield* memberOf(memberId);
    },
  });
  expectTypeOf(helped).toEqualTypeOf<NestableSaga<"helped", CheckoutInput, string, NoSuchMember>>();
  const loose = saga({
    name: "loose",
    input: checkoutInput,
    *run({ lines }) {
      return yield* reserve(lines);
    },
  });
  expectTypeOf<NonNullable<(typeof loose)["~output"]>>().toEqualTypeOf<number>();
});

test("a Result is unwrapped by yield*, and its fault is no domain failure", () => {
  const results = saga({
    name: "results",
    input: checkoutInput,
    *run({ memberId }) {
      const parsed = yield* ok(1) as Result<number, { readonly _tag: "NotANumber"; readonly text: string } | Fault>;
      expectTypeOf(parsed).toEqualTypeOf<number>();
      if (memberId === "") yield* err({ _tag: "Empty" } as const);
      return parsed;
    },
  });
  expectTypeOf(results).toEqualTypeOf<
    NestableSaga<"results", CheckoutInput, number, { readonly _tag: "NotANumber"; readonly text: string } | { readonly _tag: "Empty" }>
  >();
});

test("all keeps the shape of a tuple, an array and a record, and gathers the failures of every member", () => {
  const inner = saga({
    name: "inner",
    input: checkoutInput,
    *run() {
      return yield* readClock();
    },
  });
  const together = saga({
    name: "together",
    input: checkoutInput,
    *run(input) {
      const pair = yield* all([findMember({ id: "a" }), deductStock(line)]);
      expectTypeOf(pair).toEqualTypeOf<[{ id: string; name: string }, Deduction]>();
      const list = yield* all(input.lines.map(deductStock), { concurrency: 2 });
      expectTypeOf(list).toEqualTypeOf<Deduction[]>();
      const mixed = yield* all([readClock(), ...input.lines.map(deductStock)]);
      expectTypeOf(mixed).toEqualTypeOf<[number, ...Deduction[]]>();
      const none = yield* all([]);
      expectTypeOf(none).toEqualTypeOf<[]>();
      const record = yield* all({
        clock: readClock(),
        nested: inner(input),
        aside: savepoint(function* () {
          return yield* deductStock(line);
        }),
        both: all([readClock()]),
      });
      expectTypeOf(record).toEqualTypeOf<{
        clock: number;
        nested: number;
        aside: Result<Deduction, OutOfStock | SagaFaulted>;
        both: [number];
      }>();
      return pair[0].name;
    },
  });
  expectTypeOf(together).toEqualTypeOf<NestableSaga<"together", CheckoutInput, string, NoSuchMember | OutOfStock>>();
});

test("all takes generators as members, so that several steps per line run side by side", () => {
  const perLine = saga({
    name: "per-line",
    input: checkoutInput,
    *run({ lines }) {
      const left = yield* all(
        lines.map(function* (each) {
          yield* findMember({ id: each.productId });
          const deduction = yield* deductStock(each);
          return deduction.left;
        }),
      );
      expectTypeOf(left).toEqualTypeOf<number[]>();
      return left;
    },
  });
  expectTypeOf(perLine).toEqualTypeOf<NestableSaga<"per-line", CheckoutInput, number[], NoSuchMember | OutOfStock>>();
});

test("a savepoint hands back a Result, and its failures reach the body only through it", () => {
  const saved = saga({
    name: "saved",
    input: checkoutInput,
    *run() {
      const tried = yield* savepoint(function* () {
        yield* deductStock(line);
        return yield* findMember({ id: "a" });
      });
      expectTypeOf(tried).toEqualTypeOf<Result<{ id: string; name: string }, OutOfStock | NoSuchMember | SagaFaulted>>();
      return tried.isOk();
    },
  });
  expectTypeOf(saved).toEqualTypeOf<NestableSaga<"saved", CheckoutInput, boolean, never>>();
  const unwrapped = saga({
    name: "unwrapped",
    input: checkoutInput,
    *run() {
      const tried = yield* savepoint(function* () {
        return yield* deductStock(line);
      });
      return yield* tried;
    },
  });
  expectTypeOf(unwrapped).toEqualTypeOf<NestableSaga<"unwrapped", CheckoutInput, Deduction, OutOfStock | SagaFaulted>>();
});

test("now, uuid, sagaId and emit hand back their values and cannot fail", () => {
  const plain = saga({
    name: "plain",
    input: checkoutInput,
    *run() {
      const values = { at: yield* now(), key: yield* uuid(), id: yield* sagaId() };
      expectTypeOf(values).toEqualTypeOf<{ at: number; key: string; id: string }>();
      yield* emit({ type: "order.paid", data: z.object({ orderId: z.string() }) }, { orderId: "a" }, { subject: "a" });
      // @ts-expect-error -- the event's data has a schema
      yield* emit({ type: "order.paid", data: z.object({ orderId: z.string() }) }, { orderId: 1 });
      // @ts-expect-error -- an event's data is JSON
      yield* emit({ type: "order.paid", data: z.object({ at: z.date() }) }, { at: new Date() });
      return values;
    },
  });
  expectTypeOf(plain).toEqualTypeOf<NestableSaga<"plain", CheckoutInput, { at: number; key: string; id: string }, never>>();
});

test("a pivot is given what run returned, complete also what the pivot answered; its rejection is the saga's", () => {
  const paying = saga({
    name: "paying",
    input: checkoutInput,
    *run({ memberId }) {
      const member = yield* findMember({ id: memberId });
      return { id: member.id };
    },
    pivot: (payment) => completePayment({ id: payment.id }),
    *complete(payment, paid) {
      expectTypeOf(payment).toEqualTypeOf<{ id: string }>();
      expectTypeOf(paid).toEqualTypeOf<{ readonly paidAt: number }>();
      yield* markPaid({ id: payment.id });
      yield* readClock();
      return { paidAt: paid.paidAt };
    },
  });
  expectTypeOf(paying).toEqualTypeOf<Saga<"paying", CheckoutInput, { paidAt: number }, NoSuchMember | PaymentRefused>>();
});

test("without complete the output is what run returned; without a pivot complete is given nothing but that", () => {
  const pivotOnly = saga({
    name: "pivot-only",
    input: checkoutInput,
    *run({ memberId }) {
      return (yield* findMember({ id: memberId })).name;
    },
    pivot: (name) => completePayment({ id: name }),
  });
  expectTypeOf(pivotOnly).toEqualTypeOf<Saga<"pivot-only", CheckoutInput, string, NoSuchMember | PaymentRefused>>();
  const completeOnly = saga({
    name: "complete-only",
    input: checkoutInput,
    *run({ memberId }) {
      return yield* findMember({ id: memberId });
    },
    *complete(member, nothing) {
      expectTypeOf(member).toEqualTypeOf<{ id: string; name: string }>();
      expectTypeOf(nothing).toEqualTypeOf<undefined>();
      yield* markPaid({ id: member.id });
      return 1;
    },
  });
  expectTypeOf(completeOnly).toEqualTypeOf<Saga<"complete-only", CheckoutInput, number, NoSuchMember>>();
});

test("what stays inside the process between run and complete need not be JSON, for nothing of it is kept", () => {
  const carrying = saga({
    name: "carrying",
    input: checkoutInput,
    *run() {
      return new Map([["at", yield* now()]]);
    },
    *complete(map) {
      yield* markPaid({ id: "a" });
      return map.size;
    },
  });
  expectTypeOf(carrying).toEqualTypeOf<Saga<"carrying", CheckoutInput, number, never>>();
});

test("the input is what the schema takes, the body gets what it hands on", () => {
  const Input = z.object({ quantity: z.string().transform(Number), note: z.string().optional(), gift: z.boolean().default(false) });
  const transforming = saga({
    name: "transforming",
    input: Input,
    *run({ quantity, gift }) {
      expectTypeOf(quantity).toEqualTypeOf<number>();
      expectTypeOf(gift).toEqualTypeOf<boolean>();
      yield* readClock();
      return quantity;
    },
  });
  expectTypeOf(transforming).toEqualTypeOf<NestableSaga<"transforming", z.input<typeof Input>, number, never>>();
});

test("a nested saga hands back its output, and its failures are the caller's", () => {
  const inner = saga({
    name: "inner",
    input: checkoutInput,
    *run({ lines }) {
      yield* all(lines.map(deductStock));
      return lines.length;
    },
  });
  const outer = saga({
    name: "outer",
    input: checkoutInput,
    *run(input) {
      const count = yield* inner(input);
      expectTypeOf(count).toEqualTypeOf<number>();
      // @ts-expect-error -- a nested saga's input has its schema's type
      yield* inner({ memberId: 1 });
      return count;
    },
  });
  expectTypeOf(outer).toEqualTypeOf<NestableSaga<"outer", CheckoutInput, number, OutOfStock>>();
});

test("a saga with a pivot or a complete cannot be called from a body", () => {
  const pivoting = saga({
    name: "pivoting",
    input: checkoutInput,
    *run({ memberId }) {
      return (yield* findMember({ id: memberId })).id;
    },
    pivot: (id) => completePayment({ id }),
  });
  saga({
    name: "caller",
    input: checkoutInput,
    *run(input) {
      // @ts-expect-error -- its pivot would be a point of no return in the middle of this one
      yield* pivoting(input);
      return 1;
    },
  });
});

test("run takes what can be taken back or changes nothing, and only with a star", () => {
  saga({
    name: "no-star",
    input: checkoutInput,
    // @ts-expect-error -- yield without the star hands the engine a call, and the body nothing
    *run() {
      yield deductStock(line);
      return 1;
    },
  });
  saga({
    name: "no-yield",
    input: checkoutInput,
    *run() {
      const deduction = deductStock(line);
      // @ts-expect-error -- a call that is not yielded has no output to read
      void deduction.left;
      return (yield* deduction).left;
    },
  });
  saga({
    name: "pivot-in-run",
    input: checkoutInput,
    *run() {
      // @ts-expect-error -- the pivot stands in `pivot`
      yield* completePayment({ id: "a" });
      return 1;
    },
  });
  saga({
    name: "retriable-in-run",
    input: checkoutInput,
    // @ts-expect-error -- a retriable step cannot be taken back
    *run() {
      yield* markPaid({ id: "a" });
      return 1;
    },
  });
  saga({
    name: "promise-in-run",
    input: checkoutInput,
    *run() {
      // @ts-expect-error -- a body is synchronous: what is asynchronous is a step
      yield* ok(1) as unknown as ResultAsync<number, NoSuchMember>;
      return 1;
    },
  });
  saga({
    name: "tagless",
    input: checkoutInput,
    // @ts-expect-error -- a failure has a literal _tag
    *run() {
      yield* err({ code: 1 });
      return 1;
    },
  });
  saga({
    name: "string-tag",
    input: checkoutInput,
    *run({ memberId }) {
      // @ts-expect-error -- a tag that is any string tells nothing apart
      yield* fail({ _tag: memberId });
      return 1;
    },
  });
  saga({
    name: "async",
    input: checkoutInput,
    // @ts-expect-error -- a body is a plain generator
    async *run() {
      return 1;
    },
  });
});

test("complete takes retriable and read-only steps only, and may not fail", () => {
  const base = { name: "completing", input: checkoutInput } as const;
  saga({
    ...base,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- nothing is taken back any more
    *complete() {
      yield* deductStock(line);
      return 1;
    },
  });
  saga({
    ...base,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- a declared rejection would be a failure
    *complete() {
      yield* findMember({ id: "a" });
      return 1;
    },
  });
  saga({
    ...base,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- the saga cannot fail any more
    *complete() {
      yield* fail({ _tag: "Late" });
      return 1;
    },
  });
  saga({
    ...base,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- an Err is a failure
    *complete() {
      yield* err({ _tag: "Late" } as const);
      return 1;
    },
  });
  saga({
    ...base,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- there is nothing to go back to
    *complete() {
      yield* savepoint(function* () {
        return yield* readClock();
      });
      return 1;
    },
  });
  saga({
    ...base,
    *run() {
      return yield* now();
    },
    *complete() {
      yield* all([markPaid({ id: "a" }), markPaid({ id: "b" })]);
      yield* emit({ type: "paid", data: z.object({ id: z.string() }) }, { id: "a" });
      return { key: yield* uuid(), at: yield* now(), id: yield* sagaId() };
    },
  });
});

test("pivot returns the call of a pivot step, and of no other", () => {
  saga({
    name: "no-pivot",
    input: checkoutInput,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- a compensatable step is no pivot
    pivot: () => deductStock(line),
  });
});

test("a savepoint in run may not hold a retriable step", () => {
  saga({
    name: "retriable-in-savepoint",
    input: checkoutInput,
    *run() {
      // @ts-expect-error -- it cannot be taken back
      yield* savepoint(function* () {
        yield* markPaid({ id: "a" });
        return 1;
      });
      return 1;
    },
  });
});

test("what a saga keeps must be JSON: its output, its failures and its input as the schema hands it on", () => {
  const output = saga({
    name: "date-out",
    input: checkoutInput,
    *run() {
      return new Date(yield* now());
    },
  });
  expectTypeOf(output).toEqualTypeOf<{ readonly "~this cannot be stored as JSON": Date }>();
  const input = saga({
    name: "date-in",
    input: z.object({ since: z.coerce.date() }),
    *run({ since }) {
      yield* readClock();
      return since.getTime();
    },
  });
  expectTypeOf(input).toEqualTypeOf<{ readonly "~this cannot be stored as JSON": Date }>();
  const failure = saga({
    name: "date-failure",
    input: checkoutInput,
    *run() {
      return yield* ok(1) as Result<number, { readonly _tag: "Late"; readonly since: Date }>;
    },
  });
  expectTypeOf(failure).toEqualTypeOf<{ readonly "~this cannot be stored as JSON": Date }>();
  saga({
    name: "date-fail",
    input: checkoutInput,
    *run() {
      // @ts-expect-error -- a failure is JSON
      yield* fail({ _tag: "Late", since: new Date() });
      return 1;
    },
  });
  const result = saga({
    name: "result-out",
    input: checkoutInput,
    *run() {
      return yield* savepoint(function* () {
        return yield* readClock();
      });
    },
  });
  expectTypeOf(result).not.toExtend<Saga<"result-out", CheckoutInput, unknown, unknown>>();
});

test("any Standard Schema fits, and a saga without an input has a schema of undefined", () => {
  const standard = saga({
    name: "standard",
    input: z.undefined() satisfies StandardSchemaV1<undefined>,
    *run() {
      return yield* readClock();
    },
  });
  expectTypeOf(standard).toEqualTypeOf<NestableSaga<"standard", undefined, number, never>>();
  // @ts-expect-error -- the input's schema is no plain object
  saga({ name: "no-schema", input: { memberId: "string" }, *run() {} });
});

test("steps of an inner module keep their types when a saga is made by a function", () => {
  const createTransfer = (accounts: {
    withdraw(amount: number): ResultAsync<{ balance: number }, { readonly _tag: "Overdrawn" } | Fault>;
  }) => {
    const withdraw = step({
      name: "account.withdraw",
      run: (amount: number) => accounts.withdraw(amount),
      compensate: () => ok(undefined),
    });
    return saga({
      name: "transfer",
      input: z.object({ amount: z.int() }),
      *run({ amount }) {
        return yield* withdraw(amount);
      },
    });
  };
  expectTypeOf<ReturnType<typeof createTransfer>>().toEqualTypeOf<
    NestableSaga<"transfer", { amount: number }, { balance: number }, { readonly _tag: "Overdrawn" }>
  >();
});
