/**
 * What tests of a running engine share: a disk that outlives engines, a count of what was committed, and participants that do as they are told and remember
 * every call. Nothing is mocked: the store is the memory store, the timer the virtual one.
 */
import { ok, type Result } from "neverthrow";
import { z } from "zod";
import type { UndoableOutcome } from "../../src/definition/outcome.ts";
import type { RetryPolicy } from "../../src/definition/retry-policy.ts";
import {
  type AnySaga,
  type Call,
  type Cause,
  type CompensationCall,
  createEngine,
  type Engine,
  type Fault,
  type Horizons,
  type Json,
  type Observer,
  step,
} from "../../src/index.ts";
import {
  type AppendRequest,
  createMemoryDisk,
  createMemoryStore,
  type JournalStore,
  type MemoryDisk,
  type MemoryStore,
  type MemoryStoreFaults,
} from "../../src/journal.ts";
import type { Timer } from "../../src/primitives/host.ts";
import { createVirtualTimer, type VirtualTimer } from "../virtual-timer.ts";

export const numberInput = z.number();

export type Refused = { readonly _tag: "Refused"; readonly why?: string | undefined };
export type Answer = Result<number, Refused | Fault>;
type Answering = (input: number, nth: number) => Answer | Promise<Answer>;

/** One call that reached a participant. */
export interface Made {
  readonly step: string;
  readonly slot: "action" | "compensation" | "resolve";
  readonly input: number;
  readonly call: Call;
  /** Told to a compensation. */
  readonly undoes?: CompensationCall["undoes"] | undefined;
  readonly outcome?: UndoableOutcome<number> | undefined;
  readonly cause?: Cause | undefined;
}

export interface Behaviour {
  /** Given the input and how often this slot was called, from 1. Default: succeed with the input. */
  readonly run?: Answering | undefined;
  readonly compensate?: ((input: number, nth: number) => Result<unknown, Fault> | Promise<Result<unknown, Fault>>) | undefined;
  readonly resolve?: ((input: number, nth: number) => Result<unknown, Fault>) | undefined;
  readonly inDoubt?: "compensate" | "resolve" | "park" | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly compensationRetry?: RetryPolicy | undefined;
}

/** Participants of one test, and all calls they got, in order. */
export function createParticipants() {
  const made: Made[] = [];

  const count = (name: string, slot: Made["slot"]): number => made.filter((call) => call.step === name && call.slot === slot).length;
  const runOf =
    (name: string, { run = (input) => ok(input) }: Behaviour) =>
    (input: number, { call }: { readonly call: Call }): Promise<Answer> => {
      made.push({ step: name, slot: "action", input, call });
      return settle(() => run(input, count(name, "action")));
    };
  const resolving = (name: string, { resolve }: Behaviour) =>
    resolve === undefined
      ? {}
      : {
          resolve: (input: number, { call }: { readonly call: Call }) => {
            made.push({ step: name, slot: "resolve", input, call });
            // Scripts answer whatever a test wants to see refused.
            return resolve(input, count(name, "resolve")) as never;
          },
        };

  return {
    made,
    /** `step`, `undo step`, `resolve step`, with the input behind it, in order of the calls. */
    told: (): readonly string[] =>
      made.map(({ step: name, slot, input }) => `${slot === "action" ? "" : slot === "resolve" ? "resolve " : "undo "}${name} ${input}`),
    of: (name: string, slot: Made["slot"] = "action"): readonly Made[] => made.filter((call) => call.step === name && call.slot === slot),
    compensatable: <const Name extends string>(name: Name, behaviour: Behaviour = {}) => {
      const { inDoubt, retry, compensationRetry, compensate = () => ok(undefined) } = behaviour;
      return step({
        name,
        run: runOf(name, behaviour),
        compensate: async (input, { call, outcome, cause }) => {
          made.push({ step: name, slot: "compensation", input, call, undoes: call.undoes, outcome, cause });
          return compensate(input, count(name, "compensation"));
        },
        ...resolving(name, behaviour),
        inDoubt,
        retry,
        compensationRetry,
      });
    },
    readOnly: <const Name extends string>(name: Name, behaviour: Behaviour = {}) =>
      step.readOnly({ name, run: runOf(name, behaviour), retry: behaviour.retry }),
    pivot: <const Name extends string>(name: Name, behaviour: Behaviour = {}) => {
      const { inDoubt, retry } = behaviour;
      return step.pivot({
        name,
        run: runOf(name, behaviour),
        ...resolving(name, behaviour),
        inDoubt: inDoubt === "compensate" ? undefined : inDoubt,
        retry,
      });
    },
    retriable: <const Name extends string>(name: Name, behaviour: Behaviour = {}) =>
      step.retriable({
        name,
        run: (input: number, context) => runOf(name, behaviour)(input, context) as Promise<Result<number, Fault>>,
        ...resolving(name, behaviour),
        retry: behaviour.retry,
      }),
  };
}

/** An exception of a script becomes the step's own, not the test's. */
async function settle<Value>(work: () => Value | Promise<Value>): Promise<Value> {
  return work();
}

export interface Bench {
  readonly timer: VirtualTimer;
  /** The store's clock, where it differs from the timer. */
  readonly clock: { skewMs: number };
  readonly disk: MemoryDisk;
  /** What took effect, over all stores of this bench. */
  readonly commits: AppendRequest[];
  /** Opens a store and an engine on the disk. Sagas that are unfinished there are taken up. */
  open(sagas: readonly AnySaga[], options?: OpenOptions): Opened;
  /** The decoded entries of a saga, as they lie on the disk. */
  entries(sagaId: string): readonly (Readonly<Record<string, Json>> & { readonly _tag: string })[];
}

export interface Opened {
  readonly engine: Engine;
  readonly store: MemoryStore;
  /** The death of the process: nothing of this engine settles, waits or is written any more. Participants are other processes and go on. */
  kill(): void;
  /** Stops the process as SIGSTOP does: no sleep of it ends until `thaw`. What others bring it meanwhile is for the test to hold back. */
  freeze(): void;
  thaw(): void;
}

export interface OpenOptions {
  readonly faults?: MemoryStoreFaults | undefined;
  readonly random?: (() => number) | undefined;
  readonly onEvents?: (() => void) | undefined;
  readonly evictAfterMs?: number | undefined;
  readonly inMemoryMax?: number | undefined;
  readonly leaseMs?: number | undefined;
  readonly horizons?: Horizons | undefined;
  readonly observer?: Observer | undefined;
  /** Puts something between the engine and the store. */
  readonly wrap?: ((store: MemoryStore) => JournalStore) | undefined;
}

/** @param options - `shared`: stores on the disk are workers beside each other. */
export function createBench({ shared = false }: { readonly shared?: boolean } = {}): Bench {
  const timer = createVirtualTimer();
  const disk = createMemoryDisk();
  const commits: AppendRequest[] = [];
  const clock = { skewMs: 0 };
  return {
    timer,
    clock,
    disk,
    commits,
    open(sagas, { faults = {}, random = () => 0, wrap = (store: MemoryStore): JournalStore => store, ...options } = {}) {
      const store = createMemoryStore({
        now: () => timer.now() + clock.skewMs,
        disk,
        shared,
        faults: {
          ...faults,
          afterCommit(request) {
            commits.push(request);
            return faults.afterCommit?.(request);
          },
        },
      });
      const life = mortal(timer);
      const engine = createEngine({ ...options, sagas, store: wrap(store), timer: life.timer, random });
      const kill = (): void => {
        store.crash();
        life.end();
      };
      return { store, engine, kill, freeze: life.freeze, thaw: life.thaw };
    },
    entries(sagaId) {
      const records = disk.sagas.get(sagaId)?.records ?? [];
      return records.flatMap((record) => (JSON.parse(record) as { entries: (Record<string, Json> & { _tag: string })[] }).entries);
    },
  };
}

interface Life {
  readonly timer: Timer;
  end(): void;
  freeze(): void;
  thaw(): void;
}

/** A timer that one process has of the world's: it ends with the process, and then no sleep of it ends. */
function mortal(timer: VirtualTimer): Life {
  const death = new AbortController();
  let frozen: PromiseWithResolvers<void> | undefined;
  return {
    timer: {
      async sleep(delayMs, signal) {
        const ended = AbortSignal.any(signal === undefined ? [death.signal] : [death.signal, signal]);
        await timer.sleep(delayMs, ended);
        if (death.signal.aborted) await new Promise(() => undefined);
        await frozen?.promise;
      },
    },
    end: () => death.abort(),
    freeze() {
      frozen ??= Promise.withResolvers();
    },
    thaw() {
      frozen?.resolve();
      frozen = undefined;
    },
  };
}
