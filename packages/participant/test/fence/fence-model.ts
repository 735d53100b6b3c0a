/**
 * Random lives of a few keys, and the laws that must hold after each step: who calls what, in which batches, who dies where. Nothing here
 * knows how the fence works; it counts effects and compares answers.
 */
import type {
  ActAnswer,
  Database,
  Fence,
  FencedOperation,
  FencedUndo,
  ForeignAction,
  ResolveAnswer,
  UndoAnswer,
} from "@backstep/participant";
import { createFence } from "@backstep/participant";
import fc from "fast-check";
import { err, ok, type Result } from "neverthrow";
import { expect } from "vitest";
import { ForeignLedger, LocalLedger } from "./ledgers.ts";

const LEASE_MS = 1_000;
const RETENTION_MS = 100_000;
const NAME = "stock.deduct";
const KEYS = 4;
/** Of what answers in this process. */
const TURNS_MAX = 40;

/** Where the process of a call dies: at its n-th transaction, before it began or after it was committed. */
interface Death {
  readonly at: number;
  readonly committed: boolean;
}

type Outcome = "succeeds" | "rejects" | "throws" | "hangs";

type Call =
  | { readonly _tag: "Act"; readonly key: number; readonly payload: number; readonly outcome: Outcome; readonly death: Death | undefined }
  | {
      readonly _tag: "Undo";
      readonly key: number;
      readonly generation: number;
      readonly throws: boolean;
      readonly death: Death | undefined;
    }
  | { readonly _tag: "Resolve"; readonly key: number; readonly death: Death | undefined }
  | { readonly _tag: "Release" }
  | { readonly _tag: "Sweep" };

export interface Batch {
  /** Started together. */
  readonly calls: readonly Call[];
  /** Passes before the batch, in milliseconds. */
  readonly pauseMs: number;
}

const key = fc.nat({ max: KEYS - 1 });
const death = fc.option(fc.record({ at: fc.nat({ max: 3 }), committed: fc.boolean() }), { nil: undefined, freq: 4 });
const outcome = fc.constantFrom<Outcome>("succeeds", "succeeds", "rejects", "throws", "hangs");

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ _tag: fc.constant("Act" as const), key, payload: fc.constantFrom(0, 0, 0, 1), outcome, death }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ _tag: fc.constant("Undo" as const), key, generation: fc.constantFrom(0, 0, 1), throws: fc.boolean(), death }),
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Resolve" as const), key, death }) },
  { weight: 2, arbitrary: fc.constant({ _tag: "Release" as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "Sweep" as const }) },
);

const pauseMs = fc.constantFrom(0, 0, 1, LEASE_MS, LEASE_MS + 1, RETENTION_MS);

export const batches: fc.Arbitrary<readonly Batch[]> = fc.array(
  fc.record({ calls: fc.array(call, { minLength: 1, maxLength: 5 }), pauseMs }),
  {
    maxLength: 12,
  },
);

class Died extends Error {}
class Thrown extends Error {}

/** What is known of a key from the answers that were given. */
interface Witness {
  decided?: string;
  /** Sealed, or undone, or nothing to undo: no effect from now on. */
  closed: boolean;
  /** Evidence was lost, or the key is too old to be sure. */
  lost: boolean;
  executed: number;
}

export class FenceModel {
  readonly #database: Database;
  readonly #clock: { time: number };
  readonly #issuedAt: number;
  readonly #createFence: typeof createFence;
  readonly #local = new LocalLedger();
  readonly #foreign = new ForeignLedger();
  readonly #witnesses = Array.from({ length: KEYS }, (): Witness => ({ closed: false, lost: false, executed: 0 }));
  #held: (() => void)[] = [];
  readonly #going = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  readonly #turnsMax: number;

  /** @param turnsMax - Of the event loop: how long a call may take that nothing holds. */
  constructor(database: Database, clock: { time: number }, create: typeof createFence = createFence, turnsMax = TURNS_MAX) {
    this.#createFence = create;
    this.#turnsMax = turnsMax;
    this.#database = database;
    this.#clock = clock;
    this.#issuedAt = clock.time;
  }

  async run({ calls, pauseMs }: Batch): Promise<void> {
    this.#clock.time += pauseMs;
    for (const each of calls) {
      const going = this.#perform(each)
        .catch((cause: unknown) => void this.#failures.push(cause))
        .finally(() => this.#going.delete(going));
      this.#going.add(going);
    }
    await this.#quiet();
    await this.#check();
  }

  /** Lets everything end that was held, then takes every key back and looks at what is left. */
  async end(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      this.#release();
      await this.#quiet();
      this.#clock.time += LEASE_MS;
      await Promise.all(
        this.#witnesses.map((_, index) => this.#perform({ _tag: "Undo", key: index, generation: 0, throws: false, death: undefined })),
      );
      await this.#quiet();
    }
    expect(this.#going.size, "every call ends").toBe(0);
    await this.#check();
    for (const [index, witness] of this.#witnesses.entries()) {
      if (witness.lost) continue;
      const { done, undone } = await this.#effects(index);
      expect(done - undone, `key ${index} is taken back in the end`).toBe(0);
      expect(witness.closed, `key ${index} is closed in the end`).toBe(true);
    }
  }

  /** Held calls stay; all others end. */
  async #quiet(): Promise<void> {
    for (let turn = 0; turn < this.#turnsMax && this.#going.size > this.#held.length; turn++)
      await new Promise((resolve) => setImmediate(resolve));
  }

  async #check(): Promise<void> {
    if (this.#failures.length > 0) throw this.#failures[0];
    for (const [index, witness] of this.#witnesses.entries()) {
      const { done, undone } = await this.#effects(index);
      expect(done, `key ${index} took effect at most once`).toBeLessThanOrEqual(1);
      expect(undone, `key ${index} was undone at most as often as it took effect`).toBeLessThanOrEqual(done);
      expect(witness.executed, `key ${index} was executed at most once`).toBeLessThanOrEqual(1);
      if (witness.closed) expect(done - undone, `key ${index} is closed, so nothing of it stands`).toBe(0);
    }
  }

  #effects(index: number): Promise<{ readonly done: number; readonly undone: number }> {
    return isForeign(index) ? Promise.resolve(this.#foreign.effects(nameOf(index))) : this.#local.effects(this.#database, nameOf(index));
  }

  async #perform(each: Call): Promise<void> {
    if (each._tag === "Release") return this.#release();
    if (each._tag === "Sweep") return void (await this.#fence(undefined).sweep());
    const witness = this.#witnesses[each.key];
    if (witness === undefined) return;
    try {
      if (each._tag === "Act") this.#sawAct(witness, each.payload, await this.#act(each));
      else if (each._tag === "Undo") this.#sawUndo(witness, await this.#undo(each));
      else this.#sawResolve(witness, await this.#resolve(each));
    } catch (cause) {
      if (!(cause instanceof Died || cause instanceof Thrown)) throw cause;
    }
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const release of held) release();
  }

  #act({ key: index, payload, outcome, death: dies }: Extract<Call, { _tag: "Act" }>): Promise<ActAnswer> {
    const operation: FencedOperation = { ...this.#named(index), input: { payload } };
    const fence = this.#fence(dies);
    if (isForeign(index)) return fence.intend(operation, this.#effect(index, outcome));
    return fence.act(operation, async ({ transaction, key: name }) => {
      await this.#local.did(transaction, name);
      if (outcome === "throws" || outcome === "hangs") throw new Thrown();
      return outcome === "succeeds" ? ok({ of: name }) : err({ _tag: "No", of: name });
    });
  }

  #undo({ key: index, generation, throws, death: dies }: Extract<Call, { _tag: "Undo" }>): Promise<UndoAnswer> {
    const { name, ...named } = this.#named(index);
    const operation: FencedUndo = {
      ...named,
      key: `${nameOf(index)}/undo~${generation}`,
      name: "stock.restore",
      input: null,
      undoes: { key: named.key, issuedAt: named.issuedAt, known: "inDoubt", name },
    };
    const fence = this.#fence(dies);
    if (!isForeign(index)) {
      return fence.undo(operation, async ({ transaction }) => {
        await this.#local.undid(transaction, nameOf(index));
        if (throws) throw new Thrown();
      });
    }
    return fence.undoIntended(operation, {
      action: this.#effect(index, "succeeds"),
      effect: async ({ key: undoKey }) => {
        this.#foreign.undo(nameOf(index), undoKey);
        if (throws) throw new Thrown();
      },
    });
  }

  #resolve({ key: index, death: dies }: Extract<Call, { _tag: "Resolve" }>): Promise<ResolveAnswer> {
    return this.#fence(dies).resolve(this.#named(index), isForeign(index) ? this.#effect(index, "succeeds") : undefined);
  }

  /** Odd foreign keys can be asked about; the others are repeated. */
  #effect(index: number, outcome: Outcome): ForeignAction<unknown, unknown> {
    const apply = (): Result<unknown, unknown> => this.#foreign.apply(nameOf(index), outcome === "rejects");
    const effect = async (): Promise<Result<unknown, unknown>> => {
      if (outcome === "hangs") await new Promise<void>((resolve) => this.#held.push(resolve));
      const result = apply();
      if (outcome === "throws") throw new Thrown();
      return result;
    };
    return index === KEYS - 1 ? { effect, query: async () => this.#foreign.ask(nameOf(index)) } : { effect };
  }

  #named(index: number) {
    return { key: nameOf(index), name: NAME, sagaId: "saga", issuedAt: this.#issuedAt };
  }

  #fence(dies: Death | undefined): Fence {
    const database = dies === undefined ? this.#database : dying(this.#database, dies);
    return this.#createFence({ database, retentionMs: RETENTION_MS, runningLeaseMs: LEASE_MS });
  }

  #sawAct(witness: Witness, payload: number, answer: ActAnswer): void {
    if (answer._tag === "Executed") witness.executed += 1;
    if (answer._tag === "Executed" || answer._tag === "Replayed")
      this.#sawDecision(witness, `${payload} ${JSON.stringify(answer.decision)}`);
    if (answer._tag === "Sealed") witness.closed = true;
    if (answer._tag === "EvidenceLost" || answer._tag === "Expired") witness.lost = true;
  }

  #sawUndo(witness: Witness, answer: UndoAnswer): void {
    if (answer._tag === "Executed" || answer._tag === "Replayed") witness.closed = true;
    if (answer._tag === "EvidenceLost") witness.lost = true;
  }

  #sawResolve(witness: Witness, answer: ResolveAnswer): void {
    if (answer._tag === "Sealed") witness.closed = true;
    if (answer._tag === "EvidenceLost") witness.lost = true;
  }

  #sawDecision(witness: Witness, told: string): void {
    witness.decided ??= told;
    expect(told, "one key and payload, one answer").toBe(witness.decided);
  }
}

/** Half of the keys have their effect in the database, half in a foreign system. */
function isForeign(index: number): boolean {
  return index >= KEYS / 2;
}

function nameOf(index: number): string {
  return `key-${index}`;
}

function dying(database: Database, { at, committed }: Death): Database {
  let transactions = 0;
  return {
    ...database,
    async transaction(body) {
      const dies = transactions++ === at;
      if (dies && !committed) throw new Died();
      const value = await database.transaction(body);
      if (dies) throw new Died();
      return value;
    },
  };
}
