/** The member service: load, decide, store. */
import type { RejectionOf, Service } from "@backstep/contract";
import type { Transaction } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import type { Member, memberContract } from "./contract.ts";
import { deactivate, payerOf, register } from "./member.ts";
import { memberTable } from "./tables.ts";

export type MemberService = Service<typeof memberContract, Transaction>;

export function createMemberService(): MemberService {
  return {
    async registerMember({ transaction, now }, input) {
      const { memberId } = input;
      return (await transaction.insert(memberTable, register(input, now))) ? ok({ memberId }) : err({ _tag: "MemberExists", memberId });
    },
    async deactivateMember({ transaction, now }, { memberId }) {
      const deactivated = (await load(transaction, memberId)).andThen((member) => deactivate(member, now));
      if (deactivated.isOk()) await transaction.put(memberTable, deactivated.value);
      return deactivated.map(() => ({ memberId }));
    },
    findMember: ({ transaction }, { memberId }) => load(transaction, memberId),
    async findPayer({ transaction }, { memberId }) {
      return (await load(transaction, memberId)).andThen(payerOf).map(() => ({ memberId }));
    },
  };
}

type NotFound = RejectionOf<(typeof memberContract)["operations"]["findMember"]>;

async function load(transaction: Transaction, memberId: string): Promise<Result<Member, NotFound>> {
  const member = await transaction.get(memberTable, memberId);
  return member === undefined ? err({ _tag: "MemberNotFound", memberId }) : ok(member);
}
