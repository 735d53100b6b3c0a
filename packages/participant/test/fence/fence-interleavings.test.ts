// Goal: however the steps of an action, its repeat, its undo, a question and the end of a lease fall, and whoever dies at one of them,
// an effect happens at most once and does not stand once an undo has answered. Method: every order, none left out, on memory and on SQLite.
import { createFence, createMemoryDatabase, type Database, type Fence, type FencedUndo, type ForeignAction } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { ok } from "neverthrow";
import { afterEach, describe, expect, test } from "vitest";
import { brokenFences } from "../conformance/broken-fences.ts";
import { type Caller, everyInterleaving, type World } from "./interleavings.ts";
import { ForeignLedger, LocalLedger } from "./ledgers.ts";

const LEASE_MS = 1_000;
const action = { key: "k", name: "stock.deduct", issuedAt: 0, input: { quantity: 1 } };
const undoes = { key: "k", issuedAt: 0, known: "inDoubt", name: action.name } as const;
const undo: FencedUndo = { key: "k/undo", name: "stock.restore", issuedAt: 0, input: null, undoes };

type Gate = () => Promise<void>;
type Answer = Promise<{ readonly _tag: string }>;

/** What a caller can do, in either mode. */
interface Participant {
  act(gate: Gate): Answer;
  undo(gate: Gate, generation: number): Answer;
  resolve(gate: Gate): Answer;
  effects(): Promise<{ readonly done: number; readonly undone: number }>;
}

/** Waits at a gate before each transaction. */
function gated(database: Database, gate: Gate): Database {
  return {
    ...database,
    async transaction(body) {
      await gate();
      return database.transaction(body);
    },
  };
}

type FenceAt = (database: Database, gate: Gate) => Fence;

const fencesOf =
  (create: typeof createFence): FenceAt =>
  (database, gate) =>
    create({ database: gated(database, gate), retentionMs: 1_000_000, runningLeaseMs: LEASE_MS });

const undoOf = (generation: number): FencedUndo => ({ ...undo, key: `${undo.key}~${generation}` });

function coTransactional(database: Database, fenceAt: FenceAt): Participant {
  const ledger = new LocalLedger();
  return {
    act: (gate) =>
      fenceAt(database, gate).act(action, async ({ transaction, key }) => {
        await ledger.did(transaction, key);
        return ok(null);
      }),
    undo: (gate, generation) => fenceAt(database, gate).undo(undoOf(generation), ({ transaction }) => ledger.undid(transaction, "k")),
    resolve: (gate) => fenceAt(database, gate).resolve(action),
    effects: () => ledger.effects(database, "k"),
  };
}

/** A gateway that can be asked, or one that can only be asked to repeat. */
function foreign(database: Database, fenceAt: FenceAt, answersQuestions: boolean): Participant {
  const gateway = new ForeignLedger();
  const charging = (gate: Gate): ForeignAction<unknown, unknown> => {
    const effect = async () => {
      // The request is on its way, and later its answer is.
      await gate();
      const result = gateway.apply("k", false);
      await gate();
      return result;
    };
    return answersQuestions ? { effect, query: async () => gateway.ask("k") } : { effect };
  };
  return {
    act: (gate) => fenceAt(database, gate).intend(action, charging(gate)),
    undo: (gate, generation) =>
      fenceAt(database, gate).undoIntended(undoOf(generation), {
        action: charging(gate),
        async effect({ key }) {
          await gate();
          gateway.undo("k", key);
        },
      }),
    resolve: (gate) => fenceAt(database, gate).resolve(action, charging(gate)),
    effects: async () => gateway.effects("k"),
  };
}

const open = { memory: createMemoryDatabase, sqlite: ({ now }: { now: () => number }) => createSqliteDatabase({ path: ":memory:", now }) };
const modes = {
  "in the same transaction": coTransactional,
  "in a gateway that can be asked": (database: Database, fenceAt: FenceAt) => foreign(database, fenceAt, true),
  "in a gateway that is asked to repeat": (database: Database, fenceAt: FenceAt) => foreign(database, fenceAt, false),
} as const;
const noGate: Gate = async () => undefined;
const opened: Database[] = [];

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

type CallerName = "act" | "act again" | "undo" | "undo anew" | "resolve" | "lease ends";

function createWorld(storage: keyof typeof open, mode: keyof typeof modes, names: readonly CallerName[], create = createFence): World {
  const clock = { time: 0 };
  const database = open[storage]({ now: () => clock.time });
  opened.push(database);
  const participant = modes[mode](database, fencesOf(create));
  const executed: string[] = [];
  const closed: string[] = [];
  const calls: Readonly<Record<CallerName, (gate: Gate) => Answer>> = {
    act: (gate) => participant.act(gate),
    "act again": (gate) => participant.act(gate),
    undo: (gate) => participant.undo(gate, 0),
    "undo anew": (gate) => participant.undo(gate, 1),
    resolve: (gate) => participant.resolve(gate),
    async "lease ends"(gate) {
      await gate();
      clock.time += LEASE_MS;
      return { _tag: "Passed" };
    },
  };

  async function expectNothingStands(): Promise<void> {
    const { done, undone } = await participant.effects();
    expect(done).toBeLessThanOrEqual(1);
    expect(undone).toBe(done);
  }

  const callers = names.map(
    (name): Caller => ({
      name,
      async run(gate) {
        const { _tag } = await calls[name](gate);
        if (_tag === "Executed" && name.startsWith("act")) executed.push(name);
        if (_tag === "Sealed" || ((_tag === "Executed" || _tag === "Replayed") && name.startsWith("undo"))) closed.push(name);
        // What is told must be true when it is told, not only in the end.
        if (closed.length > 0) await expectNothingStands();
      },
    }),
  );
  return {
    callers,
    async check() {
      expect(executed.length).toBeLessThanOrEqual(1);
      for (let _tag = "Running"; _tag === "Running"; clock.time += LEASE_MS) ({ _tag } = await participant.undo(noGate, 0));
      await expectNothingStands();
      expect(await participant.act(noGate)).toEqual({ _tag: "Sealed" });
      await expectNothingStands();
      await opened.pop()?.close();
    },
  };
}

const factorial = (count: number): number => (count <= 1 ? 1 : count * factorial(count - 1));

describe.each(Object.keys(modes) as (keyof typeof modes)[])("an effect %s", (mode) => {
  test.each<[keyof typeof open, number, readonly CallerName[]]>([
    ["memory", 0, ["act", "act again", "undo", "undo anew", "resolve"]],
    ["memory", 0, ["act", "act again", "resolve", "lease ends"]],
    ["memory", 0, ["act", "undo", "undo anew", "lease ends"]],
    ["memory", 0, ["act", "undo", "lease ends", "lease ends"]],
    ["memory", 1, ["act", "undo", "resolve", "lease ends"]],
    ["memory", 2, ["act", "undo", "lease ends"]],
    ["sqlite", 1, ["act", "undo", "lease ends"]],
  ])("on %s, with up to %i deaths among %j, is applied at most once and taken back whole", async (storage, deathsMax, names) => {
    const orders = await everyInterleaving(() => createWorld(storage, mode, names), deathsMax);
    // Each caller has a gate at least, so there are no fewer orders than of the callers themselves.
    expect(orders).toBeGreaterThanOrEqual(factorial(names.length));
  });
});

test.each<[string, readonly CallerName[]]>([
  ["whose undo plants no tombstone", ["act", "undo"]],
  ["that says sealed without sealing", ["act", "resolve"]],
  ["that runs an undo again", ["act", "undo", "undo anew"]],
])("a fence %s does not get through", async (name, names) => {
  const create = brokenFences[name]?.create;
  if (create === undefined) throw new TypeError(`there is no broken fence called ${name}`);
  await expect(everyInterleaving(() => createWorld("memory", "in the same transaction", names, create), 0)).rejects.toThrow(
    "in this order",
  );
});
