/** The door: the member service, for whoever hosts it. Clients need only `@backstep/member/contract`. */
export { type Member, memberContract } from "./contract.ts";
export { createMemberService, type MemberService } from "./service.ts";
