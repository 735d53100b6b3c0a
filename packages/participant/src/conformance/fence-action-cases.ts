/** Actions behind the fence: one effect per key, one answer per key, and a "no" that stays. */
import { err, ok } from "neverthrow";
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectOneOf, expectRejects } from "./expectations.ts";
import {
  count,
  deduct,
  deductAndRefuse,
  executed,
  expired,
  type FenceWorld,
  keyReused,
  NO,
  never,
  OUTPUT,
  RETENTION_MS,
  refused,
  refusedBefore,
  replayed,
  takeTheLast,
} from "./fence-world.ts";
import { Abort } from "./item-table.ts";

const TWINS = 6;

/** More than there are between a business's answer and the commit. */
const TURNS = 40;

export const fenceActionCases: CaseGroup<FenceWorld> = {
  "action: takes effect and answers with its output": async (world) => {
    expectEqual(await world.act(world.action("k")), executed, "the output is told as text");
    await world.expectEffects("k", [1, 0], "the effect is committed");
  },

  "action: business code is told whose work it does": async (world) => {
    const told = await world.fence.act(world.action("k"), async ({ key, sagaId, now }) => ok({ key, sagaId, now }));
    const json = JSON.stringify({ key: "k", sagaId: "saga-1", now: world.context.clock.now() });
    expectEqual(told, { _tag: "Executed", decision: { _tag: "Succeeded", json } }, "key, saga and time");
  },

  "action: a repeat is answered from the record, byte for byte, and not run": async (world) => {
    const action = world.action("k");
    await world.act(action);
    world.context.clock.advance(RETENTION_MS / 2);
    for (const business of [deduct, never]) expectEqual(await world.act(action, business), replayed, "the recorded text");
    const restarted = world.fenceWith({});
    expectEqual(await restarted.act(action, never), replayed, "also by another fence on the same database");
    await world.expectEffects("k", [1, 0], "one effect");
  },

  "action: of repeats at the same time, one is executed": async (world) => {
    const neighbour = await world.neighbour();
    const action = world.action("k");
    const answers = await Promise.all(Array.from({ length: TWINS }, (_, index) => (index % 2 === 0 ? world : neighbour).act(action)));
    expectEqual(answers.filter((answer) => answer._tag === "Executed").length, 1, "one is executed");
    for (const answer of answers) {
      if (answer._tag !== "Running") expectOneOf(answer, [executed, replayed], "the others are told the same, or to wait");
    }
    await world.expectEffects("k", [1, 0], "one effect");
  },

  "action: a repeat is answered before any business guard": async (world) => {
    const action = world.action("k");
    expectEqual(await world.act(action, takeTheLast), executed, "the first takes the last one");
    expectEqual(await world.act(action, takeTheLast), replayed, "the repeat does not find it gone");
    expectEqual(await world.act(world.action("other"), takeTheLast), refused, "another action does");
  },

  "rejection: is recorded, while what the business wrote is undone": async (world) => {
    const action = world.action("k");
    expectEqual(await world.act(action, deductAndRefuse), refused, "the rejection is told as text");
    await world.expectEffects("k", [0, 0], "what was written before the no is undone");
    expectEqual(await world.act(action, deduct), refusedBefore, "under better conditions it is still no");
    expectEqual(await world.fenceWith({}).act(action, never), refusedBefore, "also for another fence on the same database");
    await world.expectEffects("k", [0, 0], "and nothing happens");
  },

  "rejection: what the business did not wait for does not slip in behind it": async (world) => {
    for (let turns = 0; turns < TURNS; turns++) {
      const [key, stragglers] = [`k-${turns}`, [] as Promise<void>[]];
      const answer = await world.act(world.action(key), async (context) => {
        const straggler = after(turns, () => count(context.transaction, key, { done: 1 }));
        // It may end long before the answer, where that has to come from afar.
        straggler.catch(() => undefined);
        stragglers.push(straggler);
        return err(NO);
      });
      await Promise.allSettled(stragglers);
      expectEqual(answer, refused, "the rejection stands");
      await world.expectEffects(key, [0, 0], `nothing is written ${turns} turns behind the rejection`);
    }
  },

  "throw: leaves nothing, not even the key": async (world) => {
    const action = world.action("k");
    const thrown = world.fence.act(action, async ({ transaction, key }) => {
      await count(transaction, key, { done: 1 });
      throw new Abort();
    });
    await expectRejects(thrown, "Abort", "the business code's own error comes out");
    await world.expectEffects("k", [0, 0], "the effect is undone");
    expectEqual(await world.act(action), executed, "the next attempt is the first");
    await world.expectEffects("k", [1, 0], "one effect");
  },

  "throw: an output that is no JSON leaves nothing either": async (world) => {
    const action = world.action("k");
    const thrown = world.fence.act(action, async ({ transaction, key }) => {
      await count(transaction, key, { done: 1 });
      return ok({ at: new Date(0) });
    });
    await expectRejects(thrown, "FenceMisused", "an answer that cannot be replayed is refused");
    await world.expectEffects("k", [0, 0], "the effect is undone");
  },

  "output: none is told as null": async (world) => {
    const action = world.action("k", { input: undefined });
    const json = { _tag: "Succeeded", json: "null" };
    expectEqual(await world.fence.act(action, async () => ok(undefined)), { _tag: "Executed", decision: json }, "at first");
    expectEqual(await world.act(action, never), { _tag: "Replayed", decision: json }, "and ever after");
  },

  "fingerprint: another payload under the same key is refused, and the record untouched": async (world) => {
    const action = world.action("k", { input: { a: 1, b: [1, { c: 2 }] } });
    await world.act(action);
    for (const input of [{ a: 1, b: [1, { c: 3 }] }, { a: 1 }, { a: 1, b: [{ c: 2 }, 1] }, undefined, null, "text"]) {
      expectEqual(await world.act({ ...action, input }, never), keyReused, "another payload");
    }
    expectEqual(
      await world.act({ ...action, input: { b: [1, { c: 2 }], a: 1 } }, never),
      replayed,
      "the order of members is no difference",
    );
    await world.expectEffects("k", [1, 0], "one effect");
  },

  "fingerprint: another payload after a rejection is refused as well": async (world) => {
    const action = world.action("k");
    await world.act(action, deductAndRefuse);
    expectEqual(await world.act({ ...action, input: "other" }, never), keyReused, "a decided key is taken");
  },

  "name: a key belongs to one operation": async (world) => {
    const action = world.action("k");
    await world.act(action);
    expectEqual(await world.act({ ...action, name: "stock.count" }, never), keyReused, "same payload, other operation");
    expectEqual(await world.act(action, never), replayed, "the record is untouched");
  },

  "key: a malformed one, or a malformed time, is refused before anything is read": async (world) => {
    for (const over of [{ key: "" }, { key: "with space" }, { key: "x".repeat(256) }, { issuedAt: Number.NaN }, { issuedAt: -1 }]) {
      await expectRejects(world.act(world.action("k", over), never), "FenceMisused", JSON.stringify(over));
    }
  },

  "age: an action older than retention is not run": async (world) => {
    const action = world.action("k");
    world.context.clock.advance(RETENTION_MS + 1);
    expectEqual(await world.act(action, never), expired, "whether it ran is not known any more");
    expectEqual(await world.act({ ...action, issuedAt: world.context.clock.now() - RETENTION_MS }), executed, "at the border it runs");
  },

  "age: an old action that is on record is still answered": async (world) => {
    const action = world.action("k");
    await world.act(action);
    world.context.clock.advance(RETENTION_MS * 3);
    expectEqual(await world.act(action, never), replayed, "as long as it was not swept");
    expectEqual(JSON.parse(replayed.decision.json), OUTPUT, "the text is the output's");
  },
};

/** Does something so many turns of the microtask queue later. */
async function after(turns: number, work: () => Promise<void>): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  await work();
}
