import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAULT_NAMES } from "../../src/schedule/fault.ts";
import { formatSchedule, parseSchedule, type Schedule } from "../../src/schedule/schedule.ts";

const point = fc.integer({ min: 1, max: 999_999 });
const schedule: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.option(fc.nat(), { nil: undefined }),
  deviations: fc
    .uniqueArray(
      fc.oneof(
        fc.record({ point, choice: fc.constantFrom(...FAULT_NAMES) }),
        // A participant may decide with any word, also with one that is a fault's.
        fc.record({ point, choice: fc.constantFrom("OutOfStock", "yes", "later-2", "cancel"), decides: fc.constant(true) }),
      ),
      { selector: ({ point }) => point, maxLength: 5 },
    )
    .map((deviations) => deviations.toSorted((left, right) => left.point - right.point)),
});

describe("a schedule as text", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(schedule, (written) => {
        expect(parseSchedule(formatSchedule(written))._unsafeUnwrap()).toEqual(written);
      }),
    );
  });

  test("tells faults and decisions apart", () => {
    const deviations = [
      { point: 3, choice: "die-after" },
      { point: 12, choice: "OutOfStock", decides: true },
    ];
    expect(formatSchedule({ deviations })).toBe("3:die-after 12=OutOfStock");
    expect(formatSchedule({ deviations, seed: 7 })).toBe("seed=7 3:die-after 12=OutOfStock");
    expect(formatSchedule({ deviations: [] })).toBe("calm");
  });

  test.each([
    ["3:explode", "explode is no fault"],
    ["die-after", '"die-after" is neither'],
    ["0:die-after", "points ascend from 1"],
    ["4:refuse 4:cancel", "points ascend from 1; 4 does not"],
    ["seed=x", '"seed=x" is neither'],
  ])("%s is refused, with the reason", (text, reason) => {
    const { _tag, message } = parseSchedule(text)._unsafeUnwrapErr();
    expect(_tag).toBe("ScheduleInvalid");
    expect(message).toContain(reason);
  });
});
