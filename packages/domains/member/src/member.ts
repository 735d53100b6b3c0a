/** A member's life: ACTIVE → DEACTIVATED, and no way back. Pure; who stores a member is the service's business. */
import type { RejectionOf } from "@backstep/contract";
import { err, ok, type Result } from "neverthrow";
import type { Member, memberContract } from "./contract.ts";

type MemberInactive = Extract<RejectionOf<(typeof memberContract)["operations"]["findPayer"]>, { readonly _tag: "MemberInactive" }>;

export function register({ memberId, name }: Pick<Member, "memberId" | "name">, now: number): Member {
  return { memberId, name, registeredAt: now, state: { _tag: "ACTIVE" } };
}

/** A payer is an active member. */
export function payerOf(member: Member): Result<Member, MemberInactive> {
  return member.state._tag === "ACTIVE" ? ok(member) : err({ _tag: "MemberInactive", memberId: member.memberId });
}

export function deactivate(member: Member, now: number): Result<Member, MemberInactive> {
  return payerOf(member).map((active) => ({ ...active, state: { _tag: "DEACTIVATED", deactivatedAt: now } }));
}
