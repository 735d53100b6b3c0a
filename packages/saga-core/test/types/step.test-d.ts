// Goal: a step's types are inferred from what its functions return, and what the journal cannot keep does not compile. Negative space by @ts-expect-error.
import { err, errAsync, ok, okAsync, type Result, type ResultAsync } from "neverthrow";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type Attempt,
  type Cause,
  type CompensatableStep,
  type CompensationCall,
  decided,
  type Fault,
  fault,
  type Json,
  type PivotStep,
  type ReadOnlyStep,
  type RetriableStep,
  step,
  tryStep,
  type UndoableOutcome,
  undoStep,
} from "../../src/index.ts";
import {
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

const undone = () => ok(undefined);

test("name, input, output and rejections are inferred, and faults are no rejections", () => {
  expectTypeOf(deductStock).toEqualTypeOf<CompensatableStep<"product.deduct-stock", OrderLine, Deduction, OutOfStock>>();
  expectTypeOf(completePayment).toEqualTypeOf<PivotStep<"payment.complete", { id: string }, { readonly paidAt: number }, PaymentRefused>>();
  expectTypeOf(markPaid).toEqualTypeOf<RetriableStep<"order.mark-paid", { id: string }, { done: boolean }>>();
  expectTypeOf(findMember).toEqualTypeOf<ReadOnlyStep<"member.find", { id: string }, { id: string; name: string }, NoSuchMember>>();
});

test("tags stay literal without const, through async functions with several exits, and equal shapes do not collapse", () => {
  const several = step({
    name: "several",
    run: async (amount: number, { call }) => {
      if (amount > 10) return err({ _tag: "TooMuch", limit: 10 });
      if (amount < 0) return err({ _tag: "TooLittle", limit: 0 });
      if (call.attempt > 3) return err(fault("Faulted", "no more"));
      return ok({ amount });
    },
    compensate: async () => ok(undefined),
  });
  expectTypeOf(several).toEqualTypeOf<
    CompensatableStep<"several", number, { amount: number }, { _tag: "TooMuch"; limit: number } | { _tag: "TooLittle"; limit: number }>
  >();
});

test("a decided rejection has the type of the rejection", () => {
  const refusing = step.readOnly({ name: "refusing", run: (_id: string) => err(decided({ _tag: "No", why: "rule" } as const)) });
  expectTypeOf(refusing).toEqualTypeOf<ReadOnlyStep<"refusing", string, never, { readonly _tag: "No"; readonly why: "rule" }>>();
});

test("a step that takes no input is called with none, and one that gives none back has output void or undefined", () => {
  expectTypeOf(readClock).toBeCallableWith();
  const ping = step.readOnly({ name: "ping", run: (_input: undefined) => ok(1) });
  expectTypeOf(ping).toBeCallableWith();
  const told = step({ name: "tell", run: (_text: string): ResultAsync<void, Fault> => okAsync(undefined), compensate: undone });
  expectTypeOf(told).toEqualTypeOf<CompensatableStep<"tell", string, void, never>>();
  // @ts-expect-error -- a step with an input needs it
  void (() => told());
});

test("interfaces, optional members, readonly arrays, tuples, unions, brands and recursive types are journalable", () => {
  interface Category {
    readonly name: string;
    readonly children: readonly Category[];
  }
  const ProductId = z.string().brand<"ProductId">();
  interface Product {
    readonly id: z.infer<typeof ProductId>;
    readonly note?: string;
    readonly place?: { readonly shelf: number } | undefined;
    readonly tags: readonly ("new" | "sale")[];
    readonly size: readonly [width: number, height: number];
    readonly price: { readonly kind: "fixed"; readonly minor: number } | { readonly kind: "none" } | null;
    readonly category: Category;
    readonly byLanguage: Readonly<Record<string, string>>;
    readonly extra: Json;
  }
  const get = step.readOnly({ name: "get", run: (product: Product) => ok(product) });
  expectTypeOf(get).toEqualTypeOf<ReadOnlyStep<"get", Product, Product, never>>();

  const Line = z.object({ id: ProductId, quantity: z.int(), note: z.string().optional(), gift: z.boolean().default(false) });
  const add = step({ name: "add", run: (line: z.infer<typeof Line>) => ok({ ...line, at: [1, 2] as const }), compensate: undone });
  expectTypeOf(add).parameter(0).toEqualTypeOf<z.infer<typeof Line>>();
  void (() => add({ id: ProductId.parse("a"), quantity: 1, gift: true }));
  // @ts-expect-error -- exactOptionalPropertyTypes: this optional member may be absent, not undefined
  void ((product: Product) => get({ ...product, note: undefined }));
});

test("a call takes one argument, so arrays map over it", () => {
  const calls = ([] as readonly OrderLine[]).map(deductStock);
  expectTypeOf(calls).toEqualTypeOf<ReturnType<typeof deductStock>[]>();
});

test("a name that is a type parameter stays one, so factories of steps keep their names apart", () => {
  const stepNamed = <const Name extends string>(name: Name) => step({ name, run: (id: string) => ok({ id }), compensate: undone });
  expectTypeOf(stepNamed("one")).toEqualTypeOf<CompensatableStep<"one", string, { id: string }, never>>();
});

test("compensate is told the input, the outcome, the cause and what it undoes", () => {
  step({
    name: "told",
    run: (line: OrderLine) => okAsync<Deduction, OutOfStock>({ left: line.quantity }),
    compensate: (line, { call, outcome, cause }) => {
      expectTypeOf(line).toEqualTypeOf<OrderLine>();
      expectTypeOf(outcome).toEqualTypeOf<UndoableOutcome<Deduction>>();
      expectTypeOf(cause).toEqualTypeOf<Cause>();
      expectTypeOf(call).toEqualTypeOf<CompensationCall>();
      expectTypeOf(call.undoes.known).toEqualTypeOf<"succeeded" | "inDoubt">();
      if (outcome._tag === "Succeeded") expectTypeOf(outcome.output).toEqualTypeOf<Deduction>();
      // @ts-expect-error -- in doubt there is no output to read
      void outcome.output;
      return okAsync(undefined);
    },
  });
});

test("resolve answers with the step's own output and rejection, and needs to be there when the policy asks for it by type or at declaration", () => {
  step({
    name: "resolving",
    run: (_line: OrderLine) => okAsync<Deduction, OutOfStock>({ left: 0 }),
    compensate: undone,
    inDoubt: "resolve",
    resolve: async (line, { call, slot }) => {
      expectTypeOf(line).toEqualTypeOf<OrderLine>();
      expectTypeOf(slot).toEqualTypeOf<"action" | "compensation">();
      if (call.attempt > 3) return ok({ _tag: "StillUnknown" } as const);
      if (call.attempt > 2) return ok({ _tag: "SealedForGood" } as const);
      if (call.attempt > 1) return ok({ _tag: "NotApplied", error: { _tag: "OutOfStock", productId: "" } } as const);
      return ok({ _tag: "Applied", output: { left: 3 } } as const);
    },
  });
  step.pivot({
    name: "resolving-async",
    run: (_id: string) => okAsync<number, OutOfStock>(1),
    resolve: () => okAsync({ _tag: "Applied", output: 4 } as const),
  });
  step.pivot({
    name: "wrong-output",
    run: (_id: string) => okAsync<number, OutOfStock>(1),
    // @ts-expect-error -- the output is a number
    resolve: () => okAsync({ _tag: "Applied", output: "four" } as const),
  });
});

test("an output schema makes what the step answers with, whatever it takes, and changes nothing of what is inferred", () => {
  const run = (_line: OrderLine) => okAsync<Deduction, OutOfStock>({ left: 0 });
  const output = z.object({ left: z.int() });
  const deduct = step({ name: "deduct", run, compensate: undone, output });
  expectTypeOf(deduct).toEqualTypeOf<CompensatableStep<"deduct", OrderLine, Deduction, OutOfStock>>();
  const read = step.readOnly({ name: "read", run, output: z.object({ left: z.string().transform(Number) }) });
  expectTypeOf(read).toEqualTypeOf<ReadOnlyStep<"read", OrderLine, Deduction, OutOfStock>>();
  const go = step.pivot({ name: "go", run, output: output.extend({ at: z.int() }) });
  expectTypeOf(go).toEqualTypeOf<PivotStep<"go", OrderLine, Deduction, OutOfStock>>();
  const mark = step.retriable({ name: "mark", run: async (_id: string) => ok({ done: true }), output: undefined });
  expectTypeOf(mark).toEqualTypeOf<RetriableStep<"mark", string, { done: boolean }>>();

  // @ts-expect-error -- it makes another output
  step({ name: "other", run, compensate: undone, output: z.object({ right: z.int() }) });
  // @ts-expect-error -- it may make none
  step.pivot({ name: "none", run, output: output.optional() });
  // @ts-expect-error -- it makes a text of the number
  step.readOnly({ name: "text", run, output: output.transform(({ left }) => ({ left: String(left) })) });
  // @ts-expect-error -- a validator is no Standard Schema
  step.retriable({ name: "function", run: (_id: string) => ok(1), output: (value: unknown) => value === 1 });
});

test("what a constructor demands is a type", () => {
  // @ts-expect-error -- a compensatable step says how it is taken back
  step({ name: "no-undo", run: (_id: string) => ok(1) });
  // @ts-expect-error -- a compensation declares no rejection
  step({ name: "refusing-undo", run: (_id: string) => ok(1), compensate: () => err({ _tag: "WillNot" } as const) });
  // @ts-expect-error -- a retriable step declares no rejection
  step.retriable({ name: "refusing", run: (_id: string) => err({ _tag: "WillNot" } as const) });
  // @ts-expect-error -- a pivot has nothing to compensate
  step.pivot({ name: "guessing", run: (_id: string) => ok(1), inDoubt: "compensate" });
  // @ts-expect-error -- a read-only step is never undone
  step.readOnly({ name: "undoable", run: (_id: string) => ok(1), compensate: undone });
  // @ts-expect-error -- an attempt ends with a Result
  step.readOnly({ name: "bare", run: (_id: string) => 1 });
  // @ts-expect-error -- an error has a _tag
  step.readOnly({ name: "tagless", run: (_id: string) => err({ code: 1 }) });
  // @ts-expect-error -- an error is no string
  step.readOnly({ name: "text", run: (_id: string) => err("no") });
  // @ts-expect-error -- a tag is a literal, or errors could not be told apart
  step.readOnly({ name: "string-tag", run: (id: string) => err({ _tag: id }) });
  // @ts-expect-error -- a tag is capitalised
  step.readOnly({ name: "lower-tag", run: (_id: string) => err({ _tag: "no" } as const) });
});

test("an output, an input or an error that is no JSON leaves a step that nothing can call", () => {
  class Money {
    readonly minor = 1;
    plus(): Money {
      return this;
    }
  }
  const date = step.readOnly({ name: "date", run: (_id: string) => ok({ at: new Date() }) });
  // @ts-expect-error -- Date
  void (() => date("a"));
  const map = step.readOnly({ name: "map", run: (_id: string) => ok(new Map<string, string>()) });
  // @ts-expect-error -- Map
  void (() => map("a"));
  const big = step.readOnly({ name: "big", run: (_id: string) => ok({ amount: 1n }) });
  // @ts-expect-error -- bigint
  void (() => big("a"));
  const callback = step.readOnly({ name: "callback", run: (_id: string) => ok({ then: () => 1 }) });
  // @ts-expect-error -- a function
  void (() => callback("a"));
  const money = step.readOnly({ name: "money", run: (_id: string) => ok([new Money()]) });
  // @ts-expect-error -- a class with methods
  void (() => money("a"));
  const hole = step.readOnly({ name: "hole", run: (_id: string) => ok([1, undefined]) });
  // @ts-expect-error -- an array's place cannot be left out
  void (() => hole("a"));
  const anything = step.readOnly({ name: "anything", run: (_id: string) => ok(JSON.parse("1")) });
  // @ts-expect-error -- any would let everything through unseen
  void (() => anything("a"));
  const whatever = step.readOnly({ name: "whatever", run: (_id: string) => ok<unknown>(1) });
  // @ts-expect-error -- unknown may be anything
  void (() => whatever("a"));
  const takesDate = step({ name: "takes-date", run: (_when: Date) => ok(1), compensate: undone });
  // @ts-expect-error -- an input that is a Date
  void (() => takesDate(new Date()));
  const takesSet = step.pivot({ name: "takes-set", run: (_ids: { ids: Set<string> }) => ok(1) });
  // @ts-expect-error -- a pivot's input that holds a Set
  void (() => takesSet({ ids: new Set() }));
  const failsWithDate = step.readOnly({ name: "fails", run: (_id: string) => err({ _tag: "Late", since: new Date() } as const) });
  // @ts-expect-error -- an error that holds a Date
  void (() => failsWithDate("a"));
  const failsWithError = step.readOnly({ name: "wraps", run: (_id: string) => err({ _tag: "Broken", cause: new Error() } as const) });
  // @ts-expect-error -- an error that holds an Error
  void (() => failsWithError("a"));
});

test("the complaint names what is not JSON", () => {
  const date = step.readOnly({ name: "date", run: (_id: string) => ok({ at: [new Date()] }) });
  expectTypeOf(date).toEqualTypeOf<{ readonly "~this cannot be stored as JSON": Date }>();
});

test("one attempt of a step has its types", async () => {
  expectTypeOf(await tryStep(deductStock, { productId: "a", quantity: 1 })).toEqualTypeOf<Attempt<Deduction, OutOfStock>>();
  expectTypeOf(await tryStep(markPaid, { id: "a" })).toEqualTypeOf<Attempt<{ done: boolean }, never>>();
  expectTypeOf(await tryStep(completePayment, { id: "a" })).toEqualTypeOf<Attempt<{ readonly paidAt: number }, PaymentRefused>>();
  expectTypeOf(await tryStep(readClock, undefined)).toEqualTypeOf<Attempt<number, never>>();
  await undoStep(deductStock, { productId: "a", quantity: 1 }, { _tag: "Succeeded", output: { left: 1 } });
  await undoStep(deductStock, { productId: "a", quantity: 1 }, { _tag: "InDoubt", known: "nothing" });
  // @ts-expect-error -- the outcome's output is the step's
  await undoStep(deductStock, { productId: "a", quantity: 1 }, { _tag: "Succeeded", output: { right: 1 } });
  // @ts-expect-error -- only a compensatable step is undone
  await undoStep(markPaid, { id: "a" }, { _tag: "InDoubt", known: "nothing" });
  // @ts-expect-error -- the input is the step's
  await tryStep(deductStock, { productId: "a" });
});

test("Result, ResultAsync and promises of Results may be mixed in one step", () => {
  const mixed = step.readOnly({
    name: "mixed",
    run: (id: string): Result<number, { _tag: "A" }> | ResultAsync<number, { _tag: "B" }> => (id === "" ? ok(1) : errAsync({ _tag: "B" })),
  });
  expectTypeOf(mixed).toEqualTypeOf<ReadOnlyStep<"mixed", string, number, { _tag: "A" } | { _tag: "B" }>>();
});
