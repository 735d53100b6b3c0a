/** Undos: before, beside and behind their action, once, and never a silent "nothing to undo". */
import type { UndoAnswer } from "../fence/answer.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectOneOf, expectRejects } from "./expectations.ts";
import {
  count,
  deduct,
  deductAndRefuse,
  evidenceLost,
  executed,
  type FenceWorld,
  keyReused,
  never,
  nothingToUndo,
  nothingToUndoBefore,
  OUTPUT,
  RETENTION_MS,
  refused,
  refusedBefore,
  replayed,
  sealed,
  undone,
  undoneBefore,
} from "./fence-world.ts";
import { Abort } from "./item-table.ts";

const TWINS = 6;
const ROUNDS = 8;

export const fenceUndoCases: CaseGroup<FenceWorld> = {
  "undo: of a success runs with the recorded output": async (world) => {
    const action = world.action("k");
    await world.act(action);
    const seen: unknown[] = [];
    const answer = await world.undo(world.undoOf(action, "succeeded"), async ({ transaction, undone: output, key }) => {
      seen.push(output, key);
      await count(transaction, "k", { undone: 1 });
    });
    expectEqual([answer, seen], [undone, [OUTPUT, "k/undo"]], "the undo code knows what it takes back");
    await world.expectEffects("k", [1, 1], "undone once");
  },

  "undo: a repeat is answered from the record": async (world) => {
    const action = world.action("k");
    await world.act(action);
    await world.undo(world.undoOf(action));
    for (const known of ["inDoubt", "succeeded"] as const) {
      expectEqual(await world.undo(world.undoOf(action, known), never), undoneBefore, "undone before");
    }
    await world.expectEffects("k", [1, 1], "undone once");
  },

  "undo: of repeats at the same time, one is executed": async (world) => {
    const neighbour = await world.neighbour();
    const action = world.action("k");
    await world.act(action);
    const undo = (index: number): Promise<UndoAnswer> => (index % 2 === 0 ? world : neighbour).undo(world.undoOf(action));
    const answers = await Promise.all(Array.from({ length: TWINS }, (_, index) => undo(index)));
    expectEqual(answers.filter((answer) => answer._tag === "Executed").length, 1, "one is executed");
    await world.expectEffects("k", [1, 1], "undone once");
  },

  "undo: one that throws leaves nothing, and the action stands": async (world) => {
    const action = world.action("k");
    await world.act(action);
    const thrown = world.undo(world.undoOf(action), async ({ transaction }) => {
      await count(transaction, "k", { undone: 1 });
      throw new Abort();
    });
    await expectRejects(thrown, "Abort", "the undo code's own error comes out");
    await world.expectEffects("k", [1, 0], "what it wrote is undone");
    expectEqual(await world.act(action, never), replayed, "the action is still on record");
    expectEqual(await world.undo(world.undoOf(action)), undone, "the next attempt is the first");
  },

  "undo: the action's key is sealed afterwards": async (world) => {
    const action = world.action("k");
    await world.act(action);
    await world.undo(world.undoOf(action));
    expectEqual(await world.act(action, never), sealed, "a late repeat");
    expectEqual(await world.act({ ...action, input: "other" }, never), sealed, "a seal is told before a fingerprint is compared");
    expectEqual(await world.fence.resolve(action), sealed, "a late question");
    await world.expectEffects("k", [1, 1], "nothing happens any more");
  },

  "undo first: nothing to undo, and the late action finds the seal, however often it comes": async (world) => {
    const action = world.action("k");
    expectEqual(await world.undo(world.undoOf(action), never), nothingToUndo, "it never ran");
    for (let late = 0; late < 3; late++) expectEqual(await world.act(action, never), sealed, "and never will");
    expectEqual(await world.undo(world.undoOf(action), never), nothingToUndoBefore, "the undo's answer stays");
    expectEqual(await world.act({ ...action, input: "other" }, never), sealed, "whatever it brings along");
    await world.expectEffects("k", [0, 0], "no effect");
  },

  "undo first: the seal outlives a restart of the fence": async (world) => {
    const action = world.action("k");
    await world.undo(world.undoOf(action), never);
    expectEqual(await world.fenceWith({}).act(action, never), sealed, "the seal is in the database");
  },

  "undo: of a rejection is nothing, and the rejection stays": async (world) => {
    const action = world.action("k");
    expectEqual(await world.act(action, deductAndRefuse), refused, "it says no");
    expectEqual(await world.undo(world.undoOf(action), never), nothingToUndo, "there is nothing to undo");
    expectEqual(await world.act(action, deduct), refusedBefore, "and it stays no");
  },

  "undo: under a second key there is nothing left to undo": async (world) => {
    const action = world.action("k");
    await world.act(action);
    await world.undo(world.undoOf(action));
    const second = world.undoOf(action, "succeeded", { key: "k/undo~1" });
    expectEqual(await world.undo(second, never), nothingToUndo, "another key, the same action");
    await world.expectEffects("k", [1, 1], "undone once");
  },

  "undo: known to have succeeded without a row is lost evidence, for ever": async (world) => {
    const action = world.action("k");
    const undo = world.undoOf(action, "succeeded");
    expectEqual(await world.undo(undo, never), evidenceLost, "never a silent nothing");
    expectEqual(await world.undo(undo, never), evidenceLost, "asked again");
    expectEqual(await world.undo(world.undoOf(action, "inDoubt"), never), evidenceLost, "asked with less knowledge");
    expectEqual(await world.undo(world.undoOf(action, "inDoubt", { key: "k/undo~1" }), never), evidenceLost, "under another key");
    expectEqual(await world.act(action, never), evidenceLost, "the action itself");
    expectEqual(await world.fence.resolve(action), evidenceLost, "the question");
  },

  "undo: of a key older than retention without a row is lost evidence": async (world) => {
    const action = world.action("k");
    world.context.clock.advance(RETENTION_MS + 1);
    expectEqual(await world.undo(world.undoOf(action, "inDoubt"), never), evidenceLost, "it may have run and been forgotten");
    expectEqual(await world.undo(world.undoOf(action, "inDoubt"), never), evidenceLost, "asked again");
  },

  "undo: of a key older than retention with a row goes by the row": async (world) => {
    const action = world.action("k");
    await world.act(action);
    world.context.clock.advance(RETENTION_MS + 1);
    expectEqual(await world.undo(world.undoOf(action, "inDoubt")), undone, "the row knows");
  },

  "undo: in the middle of an open action, both happen or neither": async (world) => {
    const beside = await world.neighbour();
    const action = world.action("k");
    const [entered, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const acting = world.act(action, async (context) => {
      entered.resolve();
      await goOn.promise;
      return deduct(context);
    });
    await entered.promise;
    const undoing = beside.undo(world.undoOf(action));
    await new Promise((resolve) => setImmediate(resolve));
    goOn.resolve();
    const [acted, answer] = await Promise.all([acting, undoing]);
    if (answer._tag === "Running") await world.undo(world.undoOf(action));
    const [done, undoneTimes] = await world.effects("k");
    expectEqual(done - undoneTimes, 0, "never the action alone");
    expectOneOf(acted, [executed, sealed], "the action ran, or found the seal");
  },

  "undo: racing its action, both happen or neither": async (world) => {
    const beside = await world.neighbour();
    for (let round = 0; round < ROUNDS; round++) {
      const action = world.action(`k-${round}`);
      const early = round % 2 === 0 ? undefined : beside.undo(world.undoOf(action));
      const acting = world.act(action);
      const [acted, answer, repeated] = await Promise.all([acting, early ?? beside.undo(world.undoOf(action)), beside.act(action)]);
      for (let left = 5; left > 0 && answer._tag === "Running"; left--) await world.undo(world.undoOf(action));
      const [done, undoneTimes] = await world.effects(action.key);
      expectEqual(done - undoneTimes, 0, "never the action alone");
      expectOneOf(acted._tag, ["Executed", "Replayed", "Sealed"], "the action ran, or found the seal");
      expectEqual([acted, repeated].filter(({ _tag }) => _tag === "Executed").length, done, "executed as often as it took effect");
      expectEqual(await world.act(action, never), sealed, "and is sealed in the end");
    }
  },

  "key: an undo's own key comes with one payload and one action": async (world) => {
    const [action, other] = [world.action("k"), world.action("other")];
    await world.act(action);
    await world.act(other);
    const undo = world.undoOf(action);
    await world.undo(undo);
    expectEqual(await world.undo({ ...undo, input: "other" }, never), keyReused, "another payload");
    expectEqual(await world.undo({ ...undo, undoes: { ...undo.undoes, key: "other" } }, never), keyReused, "another action");
    expectEqual(await world.undo({ ...undo, name: "stock.count" }, never), keyReused, "another operation");
    expectEqual(await world.undo(undo, never), undoneBefore, "the record is untouched");
    expectEqual(await world.act(other, never), replayed, "and so is the other action");
  },

  "key: an undo cannot be taken for an action, nor an action for an undo": async (world) => {
    const [action, other] = [world.action("k"), world.action("other")];
    await world.act(action);
    await world.act(other);
    const undo = world.undoOf(action);
    await world.undo(undo);
    expectEqual(await world.act({ ...action, key: undo.key, name: undo.name }, never), keyReused, "an action under an undo's key");
    expectEqual(await world.undo(world.undoOf(action, "inDoubt", { key: "other" }), never), keyReused, "an undo under an action's key");
    const ofUndo = world.undoOf({ ...action, key: undo.key, name: undo.name }, "inDoubt");
    expectEqual(await world.undo(ofUndo, never), keyReused, "an undo of an undo");
    await expectRejects(world.undo({ ...undo, key: "k" }, never), "FenceMisused", "an undo under its own action's key");
  },

  "key: an undo that names another operation undoes nothing": async (world) => {
    const action = world.action("k");
    await world.act(action);
    const undo = world.undoOf(action);
    const wrong = { ...undo, undoes: { ...undo.undoes, name: "stock.count" } };
    expectEqual(await world.undo(wrong, never), keyReused, "the key belongs to another operation");
    expectEqual(await world.act(action, never), replayed, "the action stands");
    expectEqual(await world.undo(undo), undone, "and can be undone by the right one");
  },
};
