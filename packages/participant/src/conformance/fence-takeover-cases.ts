/** What becomes of a foreign effect whose process died, stopped too long, or came back too late. */
import { err, ok } from "neverthrow";
import type { ForeignAction } from "../fence/foreign.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectRejects } from "./expectations.ts";
import {
  evidenceLost,
  executed,
  type FenceWorld,
  LEASE_MS,
  NO,
  never,
  nothingToUndo,
  OUTPUT,
  type OutOfStock,
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

type Foreign = ForeignAction<typeof OUTPUT, OutOfStock>;

export const fenceTakeoverCases: CaseGroup<FenceWorld> = {
  "takeover: not before the lease is over": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await hold(world, "k");
    world.context.clock.advance(LEASE_MS - 1);
    const waits = { _tag: "Running", retryAfterMs: 1 };
    expectEqual(await world.fence.intend(action, foreign.charging), waits, "an action waits");
    expectEqual(await world.fence.resolve(action, foreign.charging), waits, "a question waits");
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), waits, "an undo waits");
    expectEqual([foreign.requests, foreign.undos], [[], []], "nothing is sent");
  },

  "takeover: the next action repeats the request under the same key": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await hold(world, "k", { prepare: async () => ok(undefined) });
    world.context.clock.advance(LEASE_MS);
    expectEqual(await world.fence.intend(action, { ...foreign.charging, prepare: never }), executed, "the guard is not asked again");
    expectEqual(foreign.requests, ["k"], "the request is repeated");
  },

  "takeover: of two that come after the lease, one takes over": async (world) => {
    const [action, beside] = [world.action("k"), await world.neighbour()];
    await hold(world, "k");
    world.context.clock.advance(LEASE_MS);
    const answer = await world.fence.intend(action, {
      effect: async () => {
        expectEqual((await beside.fence.intend(action, { effect: never }))._tag, "Running", "the lease is new");
        return ok(OUTPUT);
      },
    });
    expectEqual(answer, executed, "and the first goes on");
  },

  "takeover: a question that can be answered is asked instead": async (world) => {
    const verdicts = [
      ["succeeded", { _tag: "Succeeded", output: OUTPUT }, executed, 0],
      ["rejected", { _tag: "Rejected", rejection: NO }, refused, 0],
      ["absent", { _tag: "Absent" }, executed, 1],
      ["sealed", { _tag: "Sealed" }, sealed, 0],
      ["undecided", { _tag: "Undecided" }, { _tag: "Running", retryAfterMs: LEASE_MS }, 0],
    ] as const;
    for (const [key, verdict, expected, requests] of verdicts) {
      const [foreign, action] = [new ForeignSystem(), world.action(key)];
      await hold(world, key);
      world.context.clock.advance(LEASE_MS);
      expectEqual(await world.fence.intend(action, foreign.answering(verdict)), expected, `the foreign system says ${key}`);
      expectEqual([foreign.questions, foreign.requests.length], [[key], requests], "one question, and a request only when absent");
    }
  },

  "takeover: resolve settles, and what was never applied is sealed": async (world) => {
    const verdicts = [
      ["succeeded", { _tag: "Succeeded", output: OUTPUT }, replayed],
      ["rejected", { _tag: "Rejected", rejection: NO }, refusedBefore],
      ["absent", { _tag: "Absent" }, sealed],
      ["sealed", { _tag: "Sealed" }, sealed],
    ] as const;
    for (const [key, verdict, expected] of verdicts) {
      const [foreign, action] = [new ForeignSystem(), world.action(key)];
      const concluded: string[] = [];
      const conclude: Foreign["conclude"] = async (_, { _tag }) => void concluded.push(_tag);
      await hold(world, key);
      world.context.clock.advance(LEASE_MS);
      expectEqual(
        await world.fence.resolve(action, { ...foreign.answering(verdict), conclude }),
        expected,
        `the foreign system says ${key}`,
      );
      expectEqual(await world.fence.resolve(action), expected, "asked again, without the foreign system");
      expectEqual(await world.fence.intend(action, { effect: never }), expected, "asked by the action");
      expectEqual([concluded.length, foreign.requests], [1, []], "concluded once, and nothing is sent");
    }
  },

  "takeover: resolve without a foreign system leaves it open": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await hold(world, "k");
    world.context.clock.advance(LEASE_MS);
    expectEqual((await world.fence.resolve(action))._tag, "Running", "doubt stays doubt");
    expectEqual((await world.undo(world.undoOf(action), never))._tag, "Running", "for an undo of the other mode, too");
    expectEqual(await world.fence.resolve(action, foreign.charging), replayed, "the request is repeated for its answer");
  },

  "takeover: an undo settles first, then undoes": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await hold(world, "k");
    world.context.clock.advance(LEASE_MS);
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), undone, "settled and undone");
    expectEqual([foreign.requests, foreign.undos], [["k"], [OUTPUT]], "the request is repeated for its answer, and taken back");
  },

  "takeover: an undo of what was never applied seals it": async (world) => {
    for (const _tag of ["Absent", "Sealed"] as const) {
      const [foreign, action] = [new ForeignSystem(), world.action(_tag)];
      await hold(world, _tag);
      world.context.clock.advance(LEASE_MS);
      const undo = foreign.refunding(foreign.answering({ _tag }));
      expectEqual(await world.fence.undoIntended(world.undoOf(action), undo), nothingToUndo, "there is nothing to undo");
      expectEqual(await world.fence.intend(action, { effect: never }), sealed, "and there never will be");
      expectEqual([foreign.requests, foreign.undos], [[], []], "nothing is sent");
    }
  },

  "takeover: an undo waits for what cannot be decided": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await hold(world, "k");
    world.context.clock.advance(LEASE_MS);
    const undecided = foreign.refunding(foreign.answering({ _tag: "Undecided" }));
    expectEqual((await world.fence.undoIntended(world.undoOf(action), undecided))._tag, "Running", "neither undone nor nothing");
    world.context.clock.advance(LEASE_MS);
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), undone, "asked again after the lease");
  },

  "takeover: an undo that threw is gone on with": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await world.fence.intend(action, foreign.charging);
    const undo = world.undoOf(action);
    await expectRejects(
      world.fence.undoIntended(undo, { ...foreign.refunding(), effect: throwing }),
      "Abort",
      "the undo's own error comes out",
    );
    expectEqual((await world.undo(world.undoOf(action, "succeeded", { key: "k/undo~1" }), never))._tag, "Running", "by its own mode");
    expectEqual(await world.fence.undoIntended(undo, foreign.refunding()), undone, "from where it stopped");
    expectEqual(await world.fence.undoIntended(undo, foreign.refunding()), undoneBefore, "once");
    expectEqual(foreign.undos, [OUTPUT], "one undo");
  },

  "takeover: a second undo goes on with the first, under the first one's key": async (world) => {
    const [foreign, action, keys] = [new ForeignSystem(), world.action("k"), [] as string[]];
    await world.fence.intend(action, foreign.charging);
    const refund = { ...foreign.refunding(), effect: async ({ key }: { readonly key: string }) => void keys.push(key) };
    const [first, second] = [world.undoOf(action), world.undoOf(action, "succeeded", { key: "k/undo~1" })];
    const started = Promise.withResolvers<void>();
    void world.fence.undoIntended(first, { ...refund, effect: () => new Promise<void>(() => started.resolve()) });
    await started.promise;
    expectEqual(
      await world.fence.undoIntended(second, refund),
      { _tag: "Running", retryAfterMs: LEASE_MS },
      "not before its lease is over",
    );
    world.context.clock.advance(LEASE_MS);
    expectEqual(await world.fence.undoIntended(second, refund), nothingToUndo, "afterwards nothing is left for the second");
    expectEqual(await world.fence.undoIntended(first, refund), undoneBefore, "and the first is done");
    expectEqual(keys, ["k/undo"], "the foreign system hears one key");
  },

  "takeover: an undo whose process died waits for its lease": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    await world.fence.intend(action, foreign.charging);
    const started = Promise.withResolvers<void>();
    const hang = { ...foreign.refunding(), effect: () => new Promise<void>(() => started.resolve()) };
    void world.fence.undoIntended(world.undoOf(action), hang);
    await started.promise;
    expectEqual((await world.fence.undoIntended(world.undoOf(action), foreign.refunding()))._tag, "Running", "it may still be at it");
    world.context.clock.advance(LEASE_MS);
    expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), undone, "the next takes over");
  },

  "zombie: a success counts whenever it comes": async (world) => {
    const [action, beside] = [world.action("k"), await world.neighbour()];
    const zombie = await hold(world, "k");
    world.context.clock.advance(LEASE_MS);
    const takeover = await hold(beside, "k");
    expectEqual(await zombie.release(ok(OUTPUT)), executed, "the success is a fact");
    expectEqual(await takeover.release(err(NO)), replayed, "and a later no cannot change it");
    expectEqual(await world.fence.resolve(action), replayed, "for anybody");
  },

  "zombie: a no from somebody whose lease is over does not count": async (world) => {
    const [action, beside] = [world.action("k"), await world.neighbour()];
    const zombie = await hold(world, "k");
    world.context.clock.advance(LEASE_MS);
    const takeover = await hold(beside, "k");
    expectEqual(((await zombie.release(err(NO))) as { _tag: string })._tag, "Running", "somebody else is at it");
    expectEqual(await takeover.release(ok(OUTPUT)), executed, "whose answer counts");
    expectEqual(await world.fence.resolve(action), replayed, "for anybody");
  },

  "zombie: a success against a recorded no is told as lost evidence": async (world) => {
    for (const verdict of [{ _tag: "Absent" }, { _tag: "Rejected", rejection: NO }] as const) {
      const [foreign, action] = [new ForeignSystem(), world.action(verdict._tag)];
      const zombie = await hold(world, verdict._tag);
      world.context.clock.advance(LEASE_MS);
      await world.fence.resolve(action, foreign.answering(verdict));
      expectEqual(await zombie.release(ok(OUTPUT)), evidenceLost, "the contradiction is not hidden");
      expectEqual(await world.fence.undoIntended(world.undoOf(action), foreign.refunding()), evidenceLost, "nor decided alone");
    }
  },

  "sweep: open operations stay, however old": async (world) => {
    const [foreign, action] = [new ForeignSystem(), world.action("k")];
    const [charged, undo] = [world.action("charged"), world.undoOf(world.action("charged"))];
    await hold(world, "k");
    await world.fence.intend(charged, foreign.charging);
    await expectRejects(world.fence.undoIntended(undo, { ...foreign.refunding(), effect: throwing }), "Abort", "the undo stays open");
    world.context.clock.advance(RETENTION_MS * 2);
    expectEqual(await world.fence.sweep(), 0, "nothing is forgotten");
    expectEqual(await world.fence.intend(action, foreign.charging), executed, "the action can be settled");
    expectEqual(await world.fence.undoIntended(undo, foreign.refunding()), undone, "and the undo");
    world.context.clock.advance(RETENTION_MS * 2);
    expectEqual(await world.fence.sweep(), 3, "what is decided is forgotten in time");
  },
};

async function throwing(): Promise<void> {
  throw new Abort();
}
