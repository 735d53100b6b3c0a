/** Foreign effects: the intent is there before the effect, and an intent without an answer is doubt, never "nothing happened". */
import { err, ok } from "neverthrow";
import type { ActAnswer } from "../fence/answer.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectRejects } from "./expectations.ts";
import {
  count,
  executed,
  type FenceWorld,
  keyReused,
  LEASE_MS,
  NO,
  never,
  nothingToUndo,
  OUTPUT,
  RETENTION_MS,
  refused,
  refusedBefore,
  replayed,
  sealed,
  undone,
  undoneBefore,
} from "./fence-world.ts";
import { ForeignSystem, hold } from "./foreign-system.ts";
import { Abort } from "./item-table.ts";

const running = { _tag: "Running", retryAfterMs: LEASE_MS };

export const fenceIntentCases: CaseGroup<FenceWorld> = {
  "intent: a foreign success is recorded and told again": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    expectEqual(await world.fence.intend(action, foreign.charging), executed, "at first");
    expectEqual(await world.fence.intend(action, foreign.charging), replayed, "again");
    expectEqual(await world.fence.resolve(action), replayed, "when asked");
    expectEqual(await world.fence.intend({ ...action, input: "other" }, foreign.charging), keyReused, "another payload");
    expectEqual(foreign.requests, ["k"], "one request, under the operation's key");
  },

  "intent: a foreign rejection is recorded and told again": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    expectEqual(await world.fence.intend(action, foreign.refusing), refused, "at first");
    expectEqual(await world.fence.intend(action, foreign.charging), refusedBefore, "again");
    expectEqual(foreign.requests, ["k"], "one request");
  },

  "intent: is committed before the effect begins": async (world) => {
    const [action, beside] = [world.action("k"), await world.neighbour()];
    const answer = await world.fence.intend(action, {
      effect: async ({ timeoutMs }) => {
        expectEqual(timeoutMs, LEASE_MS, "the effect knows how long it has");
        expectEqual(await beside.fence.intend(action, { effect: never }), running, "a repeat waits");
        expectEqual(await beside.fence.resolve(action), running, "a question waits");
        expectEqual(await beside.fence.undo(beside.undoOf(action), never), running, "an undo waits");
        expectEqual(await beside.fence.undo(beside.undoOf(action, "succeeded"), never), running, "whatever is known");
        return ok(OUTPUT);
      },
    });
    expectEqual(answer, executed, "and none of them harmed it");
    expectEqual(await world.undo(world.undoOf(action)), undone, "an undo that waited left no trace");
  },

  "intent: another payload is refused while it is open": async (world) => {
    const action = world.action("k");
    await hold(world, "k");
    expectEqual(await world.fence.intend({ ...action, input: "other" }, { effect: never }), keyReused, "another payload");
    expectEqual(await world.fence.resolve({ ...action, name: "stock.count" }), keyReused, "another operation");
  },

  "intent: of repeats at the same time, one makes the effect": async (world) => {
    const [foreign, neighbour] = [new ForeignSystem(), await world.neighbour()];
    const action = world.action("k");
    const intend = (index: number): Promise<ActAnswer> => (index % 2 === 0 ? world : neighbour).fence.intend(action, foreign.charging);
    const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => intend(index)));
    expectEqual(answers.filter((answer) => answer._tag === "Executed").length, 1, "one is executed");
    expectEqual(foreign.requests, ["k"], "one request");
  },

  "intent: a guard's no is a decision, and nothing is sent": async (world) => {
    const action = world.action("k");
    const guarded = await world.fence.intend(action, {
      prepare: async ({ transaction, key }) => {
        await count(transaction, key, { done: 1 });
        return err(NO);
      },
      effect: never,
    });
    expectEqual(guarded, refused, "the guard's rejection");
    await world.expectEffects("k", [0, 0], "what the guard wrote is undone");
    expectEqual(await world.fence.intend(action, new ForeignSystem().charging), refusedBefore, "it stays no");
  },

  "intent: a guard that throws leaves nothing, and nothing is sent": async (world) => {
    const action = world.action("k");
    const thrown = world.fence.intend(action, {
      prepare: async () => {
        throw new Abort();
      },
      effect: never,
    });
    await expectRejects(thrown, "Abort", "the guard's own error comes out");
    expectEqual(await world.fence.intend(action, new ForeignSystem().charging), executed, "the next attempt is the first");
  },

  "intent: local writes commit with the intent and with the answer": async (world) => {
    const [action, beside] = [world.action("k"), await world.neighbour()];
    const concluded: unknown[] = [];
    await world.fence.intend(action, {
      prepare: async ({ transaction, key }) => {
        await count(transaction, key, { done: 1 });
        return ok(undefined);
      },
      effect: async () => {
        await beside.expectEffects("k", [1, 0], "what was prepared is committed before the effect");
        return ok(OUTPUT);
      },
      conclude: async ({ transaction, key }, conclusion) => {
        concluded.push(conclusion);
        await count(transaction, key, { done: 1 });
      },
    });
    await world.expectEffects("k", [2, 0], "what was concluded is committed with the answer");
    expectEqual(concluded, [{ _tag: "Succeeded", output: OUTPUT }], "the conclusion is told once");
  },

  "intent: a conclusion that throws leaves the operation open": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    const thrown = world.fence.intend(action, {
      ...foreign.charging,
      conclude: async ({ transaction, key }) => {
        await count(transaction, key, { done: 1 });
        throw new Abort();
      },
    });
    await expectRejects(thrown, "Abort", "the conclusion's own error comes out");
    await world.expectEffects("k", [0, 0], "its writes are undone");
    expectEqual(await world.fence.resolve(action), running, "the row is open");
    world.context.clock.advance(LEASE_MS);
    expectEqual(await world.fence.intend(action, foreign.charging), executed, "and is settled after the lease");
  },

  "intent: one that throws is in doubt": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await expectRejects(world.fence.intend(action, foreign.losing), "Abort", "the effect's own error comes out");
    expectEqual((await world.undo(world.undoOf(action), never))._tag, "Running", "an undo does not say there is nothing");
    expectEqual((await world.fence.resolve(action))._tag, "Running", "nor does a question plant a seal");
    expectEqual((await world.act(action, never))._tag, "Running", "nor does an action of the other mode run");
    expectEqual(await world.fence.intend(action, foreign.charging), executed, "the next attempt repeats the request");
    expectEqual(foreign.requests, ["k", "k"], "under the same key");
  },

  "intent: one that throws and can be asked about keeps its lease, for the request may still arrive": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    const asking = foreign.answering({ _tag: "Absent" });
    await expectRejects(world.fence.intend(action, { ...asking, ...foreign.losing }), "Abort", "the effect's own error comes out");
    expectEqual(await world.fence.intend(action, asking), running, "a repeat waits");
    expectEqual(await world.fence.resolve(action, asking), running, "a question waits");
    expectEqual(foreign.questions, [], "nobody asked too early");
  },

  "intent: older than retention, nothing is sent": async (world) => {
    const action = world.action("k");
    world.context.clock.advance(RETENTION_MS + 1);
    expectEqual(await world.fence.intend(action, { prepare: never, effect: never }), { _tag: "Expired" }, "it is refused");
  },

  "intent: after a seal nothing is sent": async (world) => {
    const action = world.action("k");
    expectEqual(await world.fence.undoIntended(world.undoOf(action), { action: { effect: never }, effect: never }), nothingToUndo, "first");
    expectEqual(await world.fence.intend(action, { prepare: never, effect: never }), sealed, "the late action");
  },

  "intended undo: takes the foreign effect back once": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await world.fence.intend(action, foreign.charging);
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), undone, "at first");
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), undoneBefore, "again");
    expectEqual(await world.fence.intend(action, { effect: never }), sealed, "the action's key is sealed");
    expectEqual(foreign.undos, [OUTPUT], "one undo, with the recorded output");
  },

  "intended undo: of a rejection is nothing": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await world.fence.intend(action, foreign.refusing);
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), nothingToUndo, "there is nothing to undo");
    expectEqual(foreign.undos, [], "nothing is sent");
  },

  "intended undo: knowledge without a row is lost evidence": async (world) => {
    const undo = world.undoOf(world.action("k"), "succeeded");
    for (const time of ["first", "again"]) {
      expectEqual((await world.fence.undoIntended(undo, new ForeignSystem().refunding()))._tag, "EvidenceLost", time);
    }
  },
};
