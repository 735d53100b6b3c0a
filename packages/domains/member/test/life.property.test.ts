/**
 * Goal: whoever may pay is registered and was never deactivated, and a repeated command changes nothing. Method: random sequences of commands,
 * repeated under their own keys, through the fence and on every storage, against two sets.
 */
import { createMemberService } from "@backstep/member";
import { memberContract } from "@backstep/member/contract";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Acted, LIVES } from "../../test/random-life.ts";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

const MEMBERS = ["ann", "bob"] as const;

interface Sent {
  readonly command: "registerMember" | "deactivateMember";
  readonly memberId: string;
  readonly key: string;
}

const sent: fc.Arbitrary<Sent> = fc
  .record({
    command: fc.constantFrom("registerMember" as const, "deactivateMember" as const),
    memberId: fc.constantFrom(...MEMBERS),
    number: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ command, memberId, number }) => ({ command, memberId, key: `${command}-${memberId}-${number}` }));

function send(rig: Rig<typeof memberContract>, { command, memberId, key }: Sent): Promise<Acted> {
  return command === "registerMember" ? rig.act(command, { memberId, name: "Somebody" }, key) : rig.act(command, { memberId }, key);
}

async function live(rig: Rig<typeof memberContract>, commands: readonly Sent[]): Promise<void> {
  const registered = new Set<string>();
  const deactivated = new Set<string>();
  const mayPay = (memberId: string): boolean => registered.has(memberId) && !deactivated.has(memberId);
  const answers = new Map<string, Acted>();
  for (const each of commands) {
    const answer = await send(rig, each);
    const first = answers.get(each.key);
    if (first === undefined) {
      const possible = each.command === "registerMember" ? !registered.has(each.memberId) : mayPay(each.memberId);
      expect(answer._tag).toBe(possible ? "Succeeded" : "Rejected");
      if (possible) (each.command === "registerMember" ? registered : deactivated).add(each.memberId);
      answers.set(each.key, answer);
    } else {
      expect(answer).toEqual({ ...first, replayed: true });
    }
    for (const memberId of MEMBERS) expect((await rig.ask("findPayer", { memberId })).isOk()).toBe(mayPay(memberId));
  }
}

it.each(STORAGES)("a payer is a registered member whom nobody deactivated, on %s", (storage) =>
  fc.assert(
    fc.asyncProperty(fc.array(sent, { maxLength: 20 }), async (commands) => {
      const rig = await openRig(memberContract, createMemberService(), storage);
      try {
        await live(rig, commands);
      } finally {
        await rig.close();
      }
    }),
    { numRuns: LIVES[storage] },
  ),
);
