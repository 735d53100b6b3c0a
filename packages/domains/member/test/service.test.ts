/** The member service behind the fence, on every storage. */
import { createMemberService } from "@backstep/member";
import { memberContract } from "@backstep/member/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof memberContract>;
  beforeEach(async () => {
    rig = await openRig(memberContract, createMemberService(), storage);
  });
  afterEach(() => rig.close());

  it("finds a registered member, who may pay", async () => {
    await rig.do("registerMember", { memberId: "ann", name: "Ann" });
    const found = (await rig.ask("findMember", { memberId: "ann" }))._unsafeUnwrap();
    expect(found).toEqual({ memberId: "ann", name: "Ann", registeredAt: rig.clock.now, state: { _tag: "ACTIVE" } });
    expect((await rig.ask("findPayer", { memberId: "ann" }))._unsafeUnwrap()).toEqual({ memberId: "ann" });
  });

  it("answers a repeated registration with the first answer, and another one under the same id with a rejection", async () => {
    await rig.do("registerMember", { memberId: "ann", name: "Ann" }, "once");
    expect(await rig.act("registerMember", { memberId: "ann", name: "Ann" }, "once")).toMatchObject({ _tag: "Succeeded", replayed: true });
    const again = await rig.act("registerMember", { memberId: "ann", name: "Another Ann" });
    expect(again).toMatchObject({ _tag: "Rejected", rejection: { _tag: "MemberExists", memberId: "ann" } });
    expect((await rig.ask("findMember", { memberId: "ann" }))._unsafeUnwrap()).toMatchObject({ name: "Ann" });
  });

  it("refuses a deactivated member as payer, and still finds them", async () => {
    await rig.do("registerMember", { memberId: "ann", name: "Ann" });
    rig.clock.now += 1_000;
    await rig.do("deactivateMember", { memberId: "ann" });
    const inactive = { _tag: "MemberInactive", memberId: "ann" };
    expect((await rig.ask("findPayer", { memberId: "ann" }))._unsafeUnwrapErr()).toEqual(inactive);
    expect(await rig.act("deactivateMember", { memberId: "ann" })).toMatchObject({ _tag: "Rejected", rejection: inactive });
    const { state } = (await rig.ask("findMember", { memberId: "ann" }))._unsafeUnwrap();
    expect(state).toEqual({ _tag: "DEACTIVATED", deactivatedAt: rig.clock.now });
  });

  it("says of an unknown member that there is none", async () => {
    const notFound = { _tag: "MemberNotFound", memberId: "nobody" };
    expect((await rig.ask("findPayer", { memberId: "nobody" }))._unsafeUnwrapErr()).toEqual(notFound);
    expect((await rig.ask("findMember", { memberId: "nobody" }))._unsafeUnwrapErr()).toEqual(notFound);
    expect(await rig.act("deactivateMember", { memberId: "nobody" })).toMatchObject({ _tag: "Rejected", rejection: notFound });
  });
});
