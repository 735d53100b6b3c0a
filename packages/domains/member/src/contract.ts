/** What the member domain offers: registering, finding and deactivating members, and the question whether one may pay. */
import { command, contract, epochMs, id, query, rejection } from "@backstep/contract";
import { z } from "zod";

const memberNotFound = rejection("MemberNotFound", { memberId: id }, { status: 404 });
const memberInactive = rejection("MemberInactive", { memberId: id }, { status: 409 });
const memberExists = rejection("MemberExists", { memberId: id }, { status: 409 });

export const member = z.strictObject({
  memberId: id,
  name: z.string().min(1).max(100),
  registeredAt: epochMs,
  state: z.discriminatedUnion("_tag", [
    z.strictObject({ _tag: z.literal("ACTIVE") }),
    z.strictObject({ _tag: z.literal("DEACTIVATED"), deactivatedAt: epochMs }),
  ]),
});

export type Member = Readonly<z.output<typeof member>>;

export const memberContract = contract({
  name: "member",
  operations: {
    registerMember: command({
      summary: "Registers a member under an id of the caller's choice.",
      path: "/members",
      input: member.pick({ memberId: true, name: true }),
      output: z.strictObject({ memberId: id }),
      rejections: [memberExists],
    }),
    deactivateMember: command({
      summary: "Deactivates a member, who from then on cannot pay.",
      path: "/members/{memberId}/deactivation",
      input: z.strictObject({ memberId: id }),
      output: z.strictObject({ memberId: id }),
      rejections: [memberNotFound, memberInactive],
    }),
    findMember: query({
      summary: "Finds a member, active or not.",
      path: "/members/{memberId}",
      input: z.strictObject({ memberId: id }),
      output: member,
      rejections: [memberNotFound],
    }),
    findPayer: query({
      summary: "Finds a member who may pay: one who exists and is active.",
      path: "/payers/{memberId}",
      input: z.strictObject({ memberId: id }),
      output: z.strictObject({ memberId: id }),
      rejections: [memberNotFound, memberInactive],
    }),
  },
});
