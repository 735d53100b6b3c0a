// Goal: time, signals, cancellations and deadlines are typed from their declaration to the caller's match, on both sides of the point of no return.
import type { Result, ResultAsync } from "neverthrow";
import { match } from "ts-pattern";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  all,
  type CancelRefused,
  createEngine,
  createMemoryStore,
  type Duration,
  type NestableSaga,
  type NotJournalable,
  type Saga,
  type SagaCancelled,
  type SagaDeadlineExceeded,
  type SagaEnding,
  type SagaFaulted,
  type SagaNotFound,
  type SagaUnavailable,
  type Signal,
  type SignalRefused,
  type SignalTimedOut,
  saga,
  savepoint,
  signal,
  sleep,
  sleepUntil,
  waitFor,
} from "../../src/index.ts";
import {
  type CheckoutInput,
  checkoutInput,
  completePayment,
  findMember,
  markPaid,
  type NoSuchMember,
  type PaymentRefused,
} from "./steps.ts";

const approved = signal({ name: "payment.approved", payload: z.object({ amount: z.number(), at: z.string().transform(Number) }) });
const nudged = signal({ name: "nudged", payload: z.undefined() });

test("a signal takes what its schema takes, and hands over what its schema hands on", () => {
  expectTypeOf(approved).toEqualTypeOf<Signal<"payment.approved", { amount: number; at: string }, { amount: number; at: number }>>();
  saga({
    name: "waits",
    input: checkoutInput,
    *run() {
      expectTypeOf(yield* waitFor(approved)).toEqualTypeOf<{ amount: number; at: number }>();
      expectTypeOf(yield* waitFor(nudged)).toEqualTypeOf<undefined>();
      return 1;
    },
  });
});

test("a wait hands back a Result with a timeout, and only then", () => {
  saga({
    name: "waits",
    input: checkoutInput,
    *run() {
      const timed = yield* waitFor(approved, { timeout: { minutes: 5 } });
      expectTypeOf(timed).toEqualTypeOf<Result<{ amount: number; at: number }, SignalTimedOut>>();
      // @ts-expect-error -- it may not have come
      void (() => timed.amount);
      const certain = yield* waitFor(approved);
      // @ts-expect-error -- it came: there is no Result to unwrap
      void (() => certain.isOk());
      return 1;
    },
  });
  // @ts-expect-error -- options without a timeout
  void (() => waitFor(approved, {}));
  // @ts-expect-error -- a timeout that is no duration
  void (() => waitFor(approved, { timeout: "5m" }));
});

test("silence is a failure of the saga only when the body makes it one", () => {
  const patient = saga({
    name: "patient",
    input: checkoutInput,
    *run() {
      const answer = yield* waitFor(approved, { timeout: 1_000 });
      return answer.isOk() ? answer.value.amount : 0;
    },
  });
  expectTypeOf(patient).toEqualTypeOf<NestableSaga<"patient", CheckoutInput, number, never>>();
  const impatient = saga({
    name: "impatient",
    input: checkoutInput,
    *run() {
      return (yield* yield* waitFor(approved, { timeout: 1_000 })).amount;
    },
  });
  expectTypeOf(impatient["~failure"]).toEqualTypeOf<SignalTimedOut | undefined>();
});

test("sleeps and waits stand in run, in complete, in all, in savepoints and in nested sagas, and fail nowhere", () => {
  const inner = saga({
    name: "inner",
    input: checkoutInput,
    *run() {
      yield* sleep({ days: 1 });
      return (yield* waitFor(approved)).amount;
    },
  });
  const whole = saga({
    name: "whole",
    input: checkoutInput,
    *run(input) {
      const tried = yield* savepoint(function* () {
        yield* sleepUntil(0);
        return yield* inner(input);
      });
      expectTypeOf(tried).toEqualTypeOf<Result<number, SagaFaulted>>();
      const [slept, payload, timed] = yield* all([sleep(5), waitFor(approved), waitFor(nudged, { timeout: 5 })]);
      expectTypeOf(slept).toEqualTypeOf<undefined>();
      expectTypeOf(payload).toEqualTypeOf<{ amount: number; at: number }>();
      expectTypeOf(timed).toEqualTypeOf<Result<undefined, SignalTimedOut>>();
      return { id: "m" };
    },
    pivot: (payment) => completePayment(payment),
    *complete(payment) {
      yield* sleep({ hours: 1 });
      const { amount } = yield* waitFor(approved);
      const late = yield* waitFor(approved, { timeout: { days: 1 } });
      yield* all([markPaid(payment), sleep(1)]);
      return { amount, late: late.isOk() };
    },
  });
  expectTypeOf(whole["~output"]).toEqualTypeOf<{ amount: number; late: boolean } | undefined>();
  expectTypeOf(whole["~failure"]).toEqualTypeOf<PaymentRefused | undefined>();
  saga({
    name: "may-not-fail",
    input: checkoutInput,
    *run() {
      yield* sleep(1);
    },
    // @ts-expect-error -- in complete silence may not become a failure
    *complete() {
      yield* yield* waitFor(approved, { timeout: 1_000 });
    },
  });
});

test("a call without its star is no effect", () => {
  saga({
    name: "starless",
    input: checkoutInput,
    // @ts-expect-error -- write yield*, with the star
    *run() {
      yield sleep(5);
    },
  });
});

test("durations are milliseconds or named parts", () => {
  const durations: readonly Duration[] = [
    0,
    5,
    {},
    { days: 1 },
    { days: 1, hours: 2, minutes: 3, seconds: 4, ms: 5 },
    { hours: undefined },
  ];
  void durations;
  // @ts-expect-error -- a part that there is not
  void (() => sleep({ weeks: 1 }));
  // @ts-expect-error -- no text
  void (() => sleep("1h"));
  // @ts-expect-error -- nothing at all
  void (() => sleep());
  // @ts-expect-error -- a point in time is a number
  void (() => sleepUntil(new Date(0)));
});

test("a signal whose payload is no JSON says so where it is declared, and can be neither waited for nor sent", () => {
  const dated = signal({ name: "dated", payload: z.date() });
  expectTypeOf(dated).toEqualTypeOf<NotJournalable<Date>>();
  // @ts-expect-error -- there is nothing to wait for
  void (() => waitFor(dated));
  // @ts-expect-error -- there is nothing to send
  void (() => engine.signal("a", dated, new Date(0), { key: "k" }));
  expectTypeOf(signal({ name: "listed", payload: z.object({ set: z.set(z.string()) }) })).toExtend<NotJournalable<Set<string>>>();
});

const one = saga({
  name: "one",
  input: checkoutInput,
  deadline: { hours: 1 },
  *run({ memberId }) {
    yield* waitFor(approved);
    return yield* findMember({ id: memberId });
  },
});
const engine = createEngine({ sagas: [one], store: createMemoryStore(), evictAfterMs: 1_000 });

test("whoever sends a signal hands in what its schema takes, with a key, and learns by its tag why it was refused", async () => {
  expectTypeOf(engine.signal("a", approved, { amount: 1, at: "5" }, { key: "k" })).toEqualTypeOf<
    ResultAsync<void, SignalRefused | SagaNotFound | SagaUnavailable>
  >();
  void (() => engine.signal("a", nudged, undefined, { key: "k" }));
  // @ts-expect-error -- what the schema hands on is not what it takes
  void (() => engine.signal("a", approved, { amount: 1, at: 5 }, { key: "k" }));
  // @ts-expect-error -- a member is missing
  void (() => engine.signal("a", approved, { amount: 1 }, { key: "k" }));
  // @ts-expect-error -- nobody could tell a repeated one from another
  void (() => engine.signal("a", approved, { amount: 1, at: "5" }));
  // @ts-expect-error -- a name is no signal
  void (() => engine.signal("a", "payment.approved", { amount: 1, at: "5" }, { key: "k" }));

  const refused = (await engine.signal("a", approved, { amount: 1, at: "5" }, { key: "k" }))._unsafeUnwrapErr();
  expectTypeOf(
    match(refused)
      .with({ _tag: "SignalRefused", reason: "ended" }, () => 1)
      .with({ _tag: "SignalRefused", reason: "payloadInvalid" }, () => 2)
      .with({ _tag: "SignalRefused", reason: "keyReused" }, () => 3)
      .with({ _tag: "SignalRefused", reason: "tooMany" }, () => 4)
      .with({ _tag: "SagaNotFound" }, { _tag: "SagaUnavailable" }, () => 5)
      .exhaustive(),
  ).toEqualTypeOf<number>();
});

test("whoever cancels says why, may say who, and learns by its tag why it was refused", async () => {
  expectTypeOf(engine.cancel("a", "changed my mind", { by: "ada" })).toEqualTypeOf<
    ResultAsync<void, CancelRefused | SagaNotFound | SagaUnavailable>
  >();
  void (() => engine.cancel("a", "maintenance"));
  // @ts-expect-error -- nobody said why
  void (() => engine.cancel("a"));
  const refused = (await engine.cancel("a", "late"))._unsafeUnwrapErr();
  expectTypeOf(
    match(refused)
      .with({ _tag: "CancelRefused", reason: "pastPivot" }, () => 1)
      .with({ _tag: "CancelRefused", reason: "ended" }, () => 2)
      .with({ _tag: "CancelRefused", reason: "requestInvalid" }, () => 3)
      .with({ _tag: "SagaNotFound" }, { _tag: "SagaUnavailable" }, () => 4)
      .exhaustive(),
  ).toEqualTypeOf<number>();
});

test("every saga may end cancelled or past its deadline, and its caller has to say what of it", async () => {
  expectTypeOf<SagaCancelled | SagaDeadlineExceeded>().toExtend<SagaEnding>();
  const failure = (await engine.run(one, { memberId: "m", lines: [] }, { id: "a", deadline: { minutes: 5 } }))._unsafeUnwrapErr();
  expectTypeOf<NoSuchMember | SagaCancelled | SagaDeadlineExceeded>().toExtend<typeof failure>();
  const told = match(failure)
    .with({ _tag: "NoSuchMember" }, ({ id }) => id)
    .with({ _tag: "SagaCancelled" }, ({ by, reason }) => `${by ?? "somebody"}: ${reason}`)
    .with({ _tag: "SagaFaulted" }, { _tag: "SagaParked" }, { _tag: "SagaAbandoned" }, () => "")
    .with({ _tag: "SagaRequestInvalid" }, { _tag: "SagaIdConflict" }, { _tag: "SagaUnavailable" }, () => "");
  // @ts-expect-error -- SagaDeadlineExceeded is not told
  told.exhaustive();
  expectTypeOf(told.with({ _tag: "SagaDeadlineExceeded" }, ({ deadlineAt }) => `${deadlineAt}`).exhaustive()).toEqualTypeOf<string>();
  // @ts-expect-error -- a deadline is a duration, no point in time as text
  void (() => engine.run(one, { memberId: "m", lines: [] }, { id: "a", deadline: "tomorrow" }));
  expectTypeOf(one).toExtend<Saga<"one", never, { id: string; name: string }, NoSuchMember>>();
});
