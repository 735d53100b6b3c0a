/** Where members are stored: as the contract shows them. */
import type { Table } from "@backstep/participant";
import { type Member, member } from "./contract.ts";

export const memberTable: Table<Member> = {
  name: "members",
  key: ({ memberId }) => memberId,
  decode: (document) => member.parse(document),
};
