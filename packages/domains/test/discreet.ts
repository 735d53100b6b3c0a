/** What a rejection may not give away, whoever made the request that was rejected. */
import { expect } from "vitest";

/** The members that tests with more than one speak of. */
const MEMBERS = ["ann", "bob"] as const;

/** Expects that a rejection names no saga, and no member but the one who asked. */
export function expectDiscreet(rejection: object, memberId: string): void {
  const told = JSON.stringify(rejection);
  expect(told).not.toContain("saga-");
  for (const other of MEMBERS.filter((each) => each !== memberId)) expect(told).not.toContain(other);
}
