/** The member's life as a law: whatever is asked, only the first deactivation counts, and payers are exactly the active. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { deactivate, payerOf, register } from "../src/member.ts";

it("deactivates once, keeps the first time, and refuses every later one", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 10 }), (times) => {
      const active = register({ memberId: "ann", name: "Ann" }, 0);
      expect(payerOf(active).isOk()).toBe(true);
      let member = active;
      for (const [index, now] of times.entries()) {
        const deactivated = deactivate(member, now);
        expect(deactivated.isOk()).toBe(index === 0);
        member = deactivated.unwrapOr(member);
      }
      expect(member).toEqual({ ...active, state: { _tag: "DEACTIVATED", deactivatedAt: times[0] } });
      expect(payerOf(member).isErr()).toBe(true);
    }),
  );
});
