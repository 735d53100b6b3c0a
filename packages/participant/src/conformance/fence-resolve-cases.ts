/** Questions that decide, and keys that are forgotten in time. */
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectOneOf } from "./expectations.ts";
import {
  deductAndRefuse,
  evidenceLost,
  executed,
  expired,
  type FenceWorld,
  keyReused,
  never,
  nothingToUndo,
  nothingToUndoBefore,
  RETENTION_MS,
  refusedBefore,
  replayed,
  sealed,
  undoneBefore,
} from "./fence-world.ts";

const ROUNDS = 8;

export const fenceResolveCases: CaseGroup<FenceWorld> = {
  "resolve: tells what is recorded": async (world) => {
    const [yes, no] = [world.action("yes"), world.action("no")];
    await world.act(yes);
    await world.act(no, deductAndRefuse);
    expectEqual([await world.fence.resolve(yes), await world.fence.resolve(no)], [replayed, refusedBefore], "success and rejection");
    expectEqual(await world.fence.resolve({ ...yes, name: "stock.count" }), keyReused, "for the operation that the key belongs to");
  },

  "resolve: plants a seal before it says so": async (world) => {
    const action = world.action("k");
    expectEqual(await world.fence.resolve(action), sealed, "nothing is recorded");
    expectEqual(await world.act(action, never), sealed, "the late action cannot prove it wrong");
    expectEqual(await world.fence.resolve(action), sealed, "asked again");
    expectEqual(await world.undo(world.undoOf(action), never), nothingToUndo, "and there is nothing to undo");
  },

  "resolve: of a key older than retention without a row is lost evidence": async (world) => {
    const action = world.action("k");
    world.context.clock.advance(RETENTION_MS + 1);
    expectEqual(await world.fence.resolve(action), evidenceLost, "it may have run and been forgotten");
    expectEqual(await world.fence.resolve(action), evidenceLost, "asked again");
    expectEqual(await world.undo(world.undoOf(action, "inDoubt"), never), evidenceLost, "asked by the undo");
  },

  "resolve: of an undo tells what the undo was told": async (world) => {
    const [action, other] = [world.action("k"), world.action("other")];
    await world.act(action);
    await world.undo(world.undoOf(action));
    await world.undo(world.undoOf(other), never);
    expectEqual(await world.fence.resolve(world.undoOf(action)), undoneBefore, "undone");
    expectEqual(await world.fence.resolve(world.undoOf(other)), nothingToUndoBefore, "nothing to undo");
  },

  "resolve: of an undo that never came seals the undo, not the action": async (world) => {
    const action = world.action("k");
    await world.act(action);
    const undo = world.undoOf(action);
    expectEqual(await world.fence.resolve(undo), sealed, "the undo never ran");
    expectEqual(await world.undo(undo, never), sealed, "and never will");
    expectEqual(await world.act(action, never), replayed, "the action stands");
    expectEqual((await world.undo({ ...undo, key: "k/undo~1" }))._tag, "Executed", "and is undone under the next key");
    await world.expectEffects("k", [1, 1], "undone once");
  },

  "resolve: racing the action, the answer is true for ever": async (world) => {
    const beside = await world.neighbour();
    for (let round = 0; round < ROUNDS; round++) {
      const action = world.action(`k-${round}`);
      const asked = round % 2 === 0 ? beside.fence.resolve(action) : undefined;
      const [acted, answer] = await Promise.all([world.act(action), asked ?? beside.fence.resolve(action)]);
      const [done] = await world.effects(action.key);
      expectOneOf(
        [acted, answer, done],
        [
          [executed, replayed, 1],
          [sealed, sealed, 0],
        ],
        "effect and answer agree",
      );
    }
  },

  "sweep: forgets decided keys older than retention, and no others": async (world) => {
    const [old, rejected] = [world.action("old"), world.action("rejected")];
    await world.act(old);
    await world.act(rejected, deductAndRefuse);
    await world.undo(world.undoOf(world.action("sealed")), never);
    world.context.clock.advance(RETENTION_MS);
    const young = world.action("young");
    await world.act(young);
    expectEqual(await world.fence.sweep(), 0, "nothing is older than retention yet");
    world.context.clock.advance(1);
    expectEqual(await world.fence.sweep(), 4, "two actions, an undo and the seal it planted");
    expectEqual(await world.fence.sweep(), 0, "they are gone");
    expectEqual(await world.act(young, never), replayed, "younger ones are answered");
    expectEqual(await world.undo(world.undoOf(old, "inDoubt"), never), evidenceLost, "a forgotten one is not taken for never run");
    for (const key of ["rejected", "sealed"]) {
      expectEqual(await world.act({ ...old, key }, never), expired, "and cannot run again");
    }
  },

  "sweep: many keys at once": async (world) => {
    const keys = Array.from({ length: 450 }, (_, index) => `k-${index}`);
    for (const key of keys) await world.undo(world.undoOf(world.action(key)), never);
    world.context.clock.advance(RETENTION_MS + 1);
    expectEqual(await world.fence.sweep(), 2 * keys.length, "the undos and the seals they planted");
  },

  "sweep: what was forgotten stays refused, whatever happens to retention and clock": async (world) => {
    const action = world.action("k");
    await world.act(action);
    world.context.clock.advance(RETENTION_MS + 1);
    await world.fence.sweep();
    const patient = world.fenceWith({ retentionMs: RETENTION_MS * 10 });
    expectEqual(await patient.act(action, never), expired, "a longer retention does not bring the evidence back");
    expectEqual(await patient.resolve({ ...action, name: "stock.deduct" }), evidenceLost, "nor for a question");
    world.context.clock.advance(-RETENTION_MS);
    expectEqual(await world.act(world.action("k2", { issuedAt: action.issuedAt }), never), expired, "nor does a clock set back");
  },
};
