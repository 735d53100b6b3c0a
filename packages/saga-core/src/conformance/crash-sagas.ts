/**
 * What the crash cases drive: three small sagas that together use everything a journal can hold of a body, and participants that outlive every process. Each participant
 * keeps one row per action key, as a fence does, so that what is left of a saga can be told apart from how often it was tried.
 */
import { err, ok, type Result } from "neverthrow";
import { all, emit, fail, sleep, waitFor } from "../definition/effects.ts";
import { type Saga, saga } from "../definition/saga.ts";
import { savepoint } from "../definition/savepoint.ts";
import { signal } from "../definition/signal.ts";
import { step } from "../definition/step.ts";
import { type Fault, fault } from "../errors/fault.ts";
import { decided } from "../errors/tagged.ts";

type Refused = { readonly _tag: "Refused" };
type Row = "applied" | "refused" | "takenBack" | "sealed";
type Given = Result<number, Refused | Fault>;

export class Participants {
  readonly #rows = new Map<string, Row>();

  /** What stands under each action key. */
  rows(): readonly (readonly [key: string, row: Row])[] {
    return [...this.#rows].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  act(key: string, input: number, decision: "applied" | "refused" = "applied"): Given {
    const row = this.#rows.get(key) ?? decision;
    this.#rows.set(key, row);
    if (row === "applied") return ok(input);
    return row === "refused" ? err(decided({ _tag: "Refused" } as const)) : err(fault("Sealed", "it is taken back"));
  }

  undo(key: string): Result<undefined, never> {
    const row = this.#rows.get(key);
    if (row === undefined) this.#rows.set(key, "sealed");
    if (row === "applied") this.#rows.set(key, "takenBack");
    return ok(undefined);
  }
}

/** A Standard Schema by hand. */
const numbers = {
  "~standard": {
    version: 1 as const,
    vendor: "backstep",
    types: { input: 0, output: 0 },
    validate: (value: unknown) => (typeof value === "number" ? { value } : { issues: [{ message: "no number" }] }),
  },
};

export const go = signal({ name: "go", payload: numbers });
const counted = { type: "com.example.crash.counted.v1", data: numbers };
/** A process that dies uses up no budget, and nothing here waits for anybody. */
const retry = { attempts: Number.POSITIVE_INFINITY, delayMs: 1, delayMsMax: 1 };

export type CrashSagaName = "goesBack" | "goesForward" | "waits";

/** The sagas of one life, over its own participants. Each takes a number. */
export function createCrashSagas(participants: Participants): Readonly<Record<CrashSagaName, Saga<string, number, unknown, unknown>>> {
  const undoable = (name: string, decision?: "refused") =>
    step({
      name,
      run: async (input: number, { call }) => participants.act(call.key, input, decision),
      compensate: async (_input, { call }) => participants.undo(call.undoes.key),
      retry,
      compensationRetry: retry,
    });
  const [a, b, c, refuse] = [undoable("a"), undoable("b"), undoable("c"), undoable("refuse", "refused")];
  const turn = step.pivot({ name: "turn", run: async (input: number, { call }) => participants.act(call.key, input), retry });
  const finish = step.retriable({
    name: "finish",
    run: async (input: number, { call }) => participants.act(call.key, input) as Result<number, Fault>,
    retry,
  });
  const nested = saga({
    name: "nested",
    input: numbers,
    *run(input) {
      return yield* c(input);
    },
  });
  return {
    goesBack: saga({
      name: "goes-back",
      input: numbers,
      *run(input) {
        yield* emit(counted, 0);
        yield* a(input);
        yield* all([b(1), c(2)]);
        yield* nested(3);
        return yield* refuse(4);
      },
    }),
    goesForward: saga({
      name: "goes-forward",
      input: numbers,
      *run(input) {
        yield* emit(counted, 1);
        const tried = yield* savepoint(function* () {
          yield* a(input);
          return yield* fail({ _tag: "NotThis" });
        });
        return yield* b(tried.unwrapOr(7));
      },
      pivot: (output) => turn(output),
      *complete(output) {
        yield* emit(counted, 2);
        return yield* finish(output);
      },
    }),
    waits: saga({
      name: "waits",
      input: numbers,
      *run(input) {
        yield* a(input);
        yield* sleep(1);
        return yield* b(yield* waitFor(go));
      },
    }),
  };
}
