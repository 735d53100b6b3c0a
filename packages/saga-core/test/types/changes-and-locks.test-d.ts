// Goal: a refused lock is a failure by type, and stands only where a saga can go back; changes stand anywhere; what is told about sagas can be matched to the last case. Method: what must
// compile, and what must not.
import type { Result, ResultAsync } from "neverthrow";
import { expectTypeOf, test } from "vitest";
import {
  all,
  type CompensateRefused,
  changed,
  createEngine,
  createMemoryStore,
  type Examination,
  examineSagas,
  fail,
  type Locked,
  lock,
  type NestableSaga,
  now,
  type ParkedOperation,
  type Quarantine,
  type SagaFaulted,
  type SagaNotFound,
  type SagaNotice,
  type SagaParked,
  type SagaUnavailable,
  saga,
  savepoint,
} from "../../src/index.ts";
import {
  type CheckoutInput,
  checkoutInput,
  deductStock,
  findMember,
  markPaid,
  type NoSuchMember,
  type OutOfStock,
  readClock,
} from "./steps.ts";

const line = { productId: "a", quantity: 1 };

test("a lock hands back nothing, and its refusal is the saga's, also from within an all and a nested saga", () => {
  const locking = saga({
    name: "locking",
    input: checkoutInput,
    *run({ memberId }) {
      const held = yield* lock(`member:${memberId}`, { wait: { seconds: 5 } });
      expectTypeOf(held).toEqualTypeOf<undefined>();
      return memberId;
    },
  });
  expectTypeOf(locking).toEqualTypeOf<NestableSaga<"locking", CheckoutInput, string, Locked>>();
  const outer = saga({
    name: "outer",
    input: checkoutInput,
    *run(input) {
      const [member] = yield* all([locking(input), deductStock(line), lock("order:1")]);
      return member;
    },
  });
  expectTypeOf(outer).toEqualTypeOf<NestableSaga<"outer", CheckoutInput, string, Locked | OutOfStock>>();
});

test("a savepoint catches a refused lock as its error", () => {
  const catching = saga({
    name: "catching",
    input: checkoutInput,
    *run() {
      const tried = yield* savepoint(function* () {
        yield* lock("order:1");
        return 1;
      });
      expectTypeOf(tried).toEqualTypeOf<Result<number, Locked | SagaFaulted>>();
      return tried.isErr() && tried.error._tag === "Locked" ? tried.error.lockedBy : "nobody";
    },
  });
  expectTypeOf(catching).toEqualTypeOf<NestableSaga<"catching", CheckoutInput, string, never>>();
});

test("complete takes changes, and no locks, on their own or side by side with what it takes", () => {
  saga({
    name: "completing",
    input: checkoutInput,
    *run() {
      return yield* now();
    },
    *complete() {
      if (yield* changed("notify")) yield* markPaid({ id: "a" });
      return yield* readClock();
    },
  });
  saga({
    name: "locking-late",
    input: checkoutInput,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- a refused lock would be a failure, and nothing goes back any more
    *complete() {
      yield* lock("order:1");
      return 1;
    },
  });
  saga({
    name: "locking-late-in-an-all",
    input: checkoutInput,
    *run() {
      return yield* now();
    },
    // @ts-expect-error -- nor as a member of an all
    *complete() {
      yield* all([markPaid({ id: "a" }), lock("order:1")]);
      return 1;
    },
  });
});

test("a lock's wait is a duration, and a change's answer is a boolean without a failure", () => {
  const changing = saga({
    name: "changing",
    input: checkoutInput,
    *run() {
      const taken = yield* changed("new-way");
      expectTypeOf(taken).toEqualTypeOf<boolean>();
      return taken;
    },
  });
  expectTypeOf(changing).toEqualTypeOf<NestableSaga<"changing", CheckoutInput, boolean, never>>();
  // @ts-expect-error -- a wait is no text
  lock("order:1", { wait: "soon" });
  // @ts-expect-error -- and a lock has a name
  lock();
});

test("failures of sagas three deep are in the union of the outermost, each once, without those that a savepoint caught", () => {
  const leaf = saga({
    name: "leaf",
    input: checkoutInput,
    *run({ memberId }) {
      yield* deductStock(line);
      if (memberId === "") yield* fail({ _tag: "Leaf", memberId });
      return yield* now();
    },
  });
  const branch = saga({
    name: "branch",
    input: checkoutInput,
    *run(input) {
      yield* findMember({ id: "a" });
      const at = yield* leaf(input);
      if (at < 0) yield* fail({ _tag: "Branch" });
      return { at };
    },
  });
  const root = saga({
    name: "root",
    input: checkoutInput,
    *run(input) {
      const first = yield* branch(input);
      const { second } = yield* all({ second: branch(input), third: leaf(input) }, { concurrency: 1 });
      if (first.at > second.at) yield* fail({ _tag: "Root" });
      return first.at;
    },
  });
  type Leaf = { readonly _tag: "Leaf"; readonly memberId: "" };
  type Failure = OutOfStock | NoSuchMember | Leaf | { readonly _tag: "Branch" } | { readonly _tag: "Root" };
  expectTypeOf(root).toEqualTypeOf<NestableSaga<"root", CheckoutInput, number, Failure>>();
  const caught = saga({
    name: "caught",
    input: checkoutInput,
    *run(input) {
      const tried = yield* savepoint(function* () {
        return yield* root(input);
      });
      expectTypeOf(tried).toEqualTypeOf<Result<number, Failure | SagaFaulted>>();
      return tried.isOk();
    },
  });
  expectTypeOf(caught).toEqualTypeOf<NestableSaga<"caught", CheckoutInput, boolean, never>>();
});

const store = createMemoryStore();
const engine = createEngine({ sagas: [], store });

test("taking back answers with the id of the saga that does it, or with a typed refusal", () => {
  const taken = engine.compensate("s", "returned", { by: "ada" });
  expectTypeOf(taken).toEqualTypeOf<ResultAsync<{ readonly sagaId: string }, CompensateRefused | SagaNotFound | SagaUnavailable>>();
  // @ts-expect-error -- nothing is taken back without a reason
  void engine.compensate("s");
});

test("an examination names what is broken, and what is parked names what can be done", () => {
  expectTypeOf(examineSagas({ sagas: [], store })).toEqualTypeOf<Promise<Result<Examination, SagaUnavailable>>>();
  expectTypeOf<Examination["broken"][number]["quarantine"]>().toEqualTypeOf<Quarantine>();
  expectTypeOf(engine.parked()).toEqualTypeOf<ResultAsync<readonly SagaParked[], SagaUnavailable>>();
  expectTypeOf<ParkedOperation["verbs"][number]>().toEqualTypeOf<"retry" | "settleApplied" | "settleNotApplied" | "abandon">();
});

test("a notice is matched to the last case", () => {
  const nameOf = (notice: SagaNotice): string => {
    switch (notice._tag) {
      case "EntryAppended":
        return notice.entry._tag;
      case "AttemptMade":
      case "QueryMade":
        return notice.step;
      case "SagaAdopted":
        return notice.saga.name;
      case "SagaQuarantined":
        return notice.quarantine._tag;
      case "SagaLeft":
        return notice.status;
      case "RecoveryEnded":
        expectTypeOf(notice.adopted).toEqualTypeOf<number>();
        return "";
    }
  };
  expectTypeOf(nameOf).returns.toEqualTypeOf<string>();
});
