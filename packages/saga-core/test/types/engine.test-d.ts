// Goal: what a caller of the engine gets is one flat, closed union, matched to its end by the compiler.
import type { ResultAsync } from "neverthrow";
import { match } from "ts-pattern";
import { expectTypeOf, test } from "vitest";
import {
  createEngine,
  createMemoryStore,
  type Saga,
  type SagaEnding,
  type SagaIdConflict,
  type SagaNotFound,
  type SagaRequestInvalid,
  type SagaStartError,
  type SagaUnavailable,
  saga,
  type VerbError,
  type VerbRefused,
} from "../../src/index.ts";
import {
  checkoutInput,
  completePayment,
  deductStock,
  findMember,
  type NoSuchMember,
  type OutOfStock,
  type PaymentRefused,
} from "./steps.ts";

const checkout = saga({
  name: "checkout",
  input: checkoutInput,
  *run({ memberId, lines }) {
    const member = yield* findMember({ id: memberId });
    for (const line of lines) yield* deductStock(line);
    return { memberId: member.id };
  },
  pivot: ({ memberId }) => completePayment({ id: memberId }),
});

const engine = createEngine({ sagas: [checkout], store: createMemoryStore() });
const input = { memberId: "m", lines: [] };
type Domain = NoSuchMember | OutOfStock | PaymentRefused;

test("run answers with the saga's output, or with its domain failures and the engine's own, flat", () => {
  expectTypeOf(engine.run(checkout, input, { id: "a" })).toEqualTypeOf<
    ResultAsync<{ memberId: string }, Domain | SagaEnding | SagaRequestInvalid | SagaIdConflict | SagaUnavailable>
  >();
  expectTypeOf(engine.start(checkout, input, { id: "a" })).toEqualTypeOf<ResultAsync<void, SagaStartError>>();
  expectTypeOf(engine.result(checkout, "a")).toEqualTypeOf<
    ResultAsync<{ memberId: string }, Domain | SagaEnding | SagaNotFound | SagaUnavailable>
  >();
});

test("the input is the saga's, by its schema", () => {
  // @ts-expect-error -- a member is missing
  void (() => engine.run(checkout, { memberId: "m" }, { id: "a" }));
  // @ts-expect-error -- a member has another type
  void (() => engine.run(checkout, { memberId: 1, lines: [] }, { id: "a" }));
  // @ts-expect-error -- a member too many
  void (() => engine.start(checkout, { memberId: "m", lines: [], coupon: "c" }, { id: "a" }));
  // @ts-expect-error -- a request has an id
  void (() => engine.run(checkout, input, {}));
  void (() => engine.run(checkout, { ...input, couponId: undefined }, { id: "a" }));
});

test("an engine takes sagas of any input side by side", () => {
  expectTypeOf(checkout).toExtend<Saga<string, never, unknown, unknown>>();
  const other = saga({
    name: "other",
    input: checkoutInput,
    *run() {
      return yield* findMember({ id: "a" });
    },
  });
  void createEngine({ sagas: [checkout, other], store: createMemoryStore() });
  // @ts-expect-error -- a step is no saga
  void createEngine({ sagas: [findMember], store: createMemoryStore() });
});

test("an operator says who, why and, to settle, on what evidence; a verb is refused by its tag", async () => {
  const operator = { path: "run/a", slot: "action", by: "ada", reason: "ticket 7" } as const;
  expectTypeOf(engine.retry("a", operator)).toEqualTypeOf<ResultAsync<void, VerbRefused | SagaNotFound | SagaUnavailable>>();
  const evidence = "statement";
  expectTypeOf(engine.settle("a", { ...operator, evidence, verdict: { _tag: "applied", output: { left: 1 } } })).toEqualTypeOf<
    ResultAsync<void, VerbError>
  >();
  void (() => engine.settle("a", { ...operator, evidence, verdict: { _tag: "notApplied" } }));
  void (() => engine.abandon("a", { by: "ada", reason: "written off" }));
  // @ts-expect-error -- nobody said why
  void (() => engine.retry("a", { path: "run/a", slot: "action", by: "ada" }));
  // @ts-expect-error -- a claim needs evidence
  void (() => engine.settle("a", { ...operator, verdict: { _tag: "applied" } }));
  // @ts-expect-error -- a verdict that there is not
  void (() => engine.settle("a", { ...operator, evidence, verdict: { _tag: "Applied" } }));
  // @ts-expect-error -- what had no effect has no output
  void (() => engine.settle("a", { ...operator, evidence, verdict: { _tag: "notApplied", output: 1 } }));

  const refused = (await engine.retry("a", operator))._unsafeUnwrapErr();
  const some = match(refused)
    .with({ _tag: "VerbRefused" }, ({ message }) => message)
    .with({ _tag: "SagaNotFound" }, () => "none");
  // @ts-expect-error -- SagaUnavailable is not told
  some.exhaustive();
});

test("a match over the result is exhaustive with every ending, and does not compile when one is missing", async () => {
  const failure = (await engine.run(checkout, input, { id: "a" }))._unsafeUnwrapErr();
  const told = match(failure)
    .with({ _tag: "NoSuchMember" }, ({ id }) => id)
    .with({ _tag: "OutOfStock" }, ({ productId }) => productId)
    .with({ _tag: "PaymentRefused" }, () => "refused")
    .with({ _tag: "SagaFaulted" }, ({ fault }) => fault.message)
    .with({ _tag: "SagaCancelled" }, ({ reason }) => reason)
    .with({ _tag: "SagaDeadlineExceeded" }, ({ deadlineAt }) => String(deadlineAt))
    .with({ _tag: "SagaParked" }, ({ operations }) => operations.map(({ path }) => path).join())
    .with({ _tag: "SagaAbandoned" }, ({ stands }) => stands.map(({ step }) => step).join())
    .with({ _tag: "SagaRequestInvalid" }, ({ issues }) => issues.map(({ message }) => message).join())
    .with({ _tag: "SagaIdConflict" }, { _tag: "SagaUnavailable" }, ({ message }) => message)
    .exhaustive();
  expectTypeOf(told).toEqualTypeOf<string>();

  const engineOnly = match(failure)
    .with({ _tag: "SagaFaulted" }, { _tag: "SagaParked" }, { _tag: "SagaAbandoned" }, () => 1)
    .with({ _tag: "SagaCancelled" }, { _tag: "SagaDeadlineExceeded" }, () => 1)
    .with({ _tag: "SagaRequestInvalid" }, { _tag: "SagaIdConflict" }, { _tag: "SagaUnavailable" }, () => 2)
    .with({ _tag: "NoSuchMember" }, { _tag: "PaymentRefused" }, () => 3);
  // @ts-expect-error -- OutOfStock is not told
  engineOnly.exhaustive();

  const domainOnly = match(failure)
    .with({ _tag: "NoSuchMember" }, { _tag: "OutOfStock" }, { _tag: "PaymentRefused" }, () => 1)
    .with({ _tag: "SagaFaulted" }, { _tag: "SagaAbandoned" }, { _tag: "SagaCancelled" }, { _tag: "SagaDeadlineExceeded" }, () => 2)
    .with({ _tag: "SagaRequestInvalid" }, { _tag: "SagaIdConflict" }, { _tag: "SagaUnavailable" }, () => 3);
  // @ts-expect-error -- SagaParked is not told: a parked saga is no success and no failure
  domainOnly.exhaustive();

  // @ts-expect-error -- a tag that cannot occur
  match(failure).with({ _tag: "SagaNotFound" }, () => 1);
});
