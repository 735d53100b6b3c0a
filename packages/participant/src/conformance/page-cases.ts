/** Many rows: order, pages, and rows found by an index. */
import type { CaseContext, CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectRejects } from "./expectations.ts";
import { item, items, write } from "./item-table.ts";

/** In the order of code points, which is not the order of UTF-16 units. */
const ORDERED = ["", "!", "0", "10", "9", "A", "Z", "a", "aa", "b", "é", "\uffee", "😀", "😀a"].slice(1);

export const pageCases: CaseGroup<CaseContext> = {
  "page: rows come by key ascending, in the order of code points": async ({ open }) => {
    const database = await open();
    await write(database, ...ORDERED.toReversed().map((id) => item(id, 0, "red")));
    const [listed, found] = await database.transaction(async (transaction) => [
      await transaction.list(items),
      await transaction.find(items, { field: "color", equals: "red" }),
    ]);
    expectEqual(
      listed.map(({ id }) => id),
      ORDERED,
      "list is ordered",
    );
    expectEqual(
      found.map(({ id }) => id),
      ORDERED,
      "find is ordered",
    );
  },

  "page: a limit cuts off, and the next page begins after a key": async ({ open }) => {
    const database = await open();
    await write(database, ...ORDERED.map((id, index) => item(id, index, index % 2 === 0 ? "red" : "blue")));
    const red = ORDERED.filter((_, index) => index % 2 === 0);
    for (const [limit, expected] of [
      [3, ORDERED],
      [100, ORDERED],
    ] as const) {
      expectEqual(await paged(limit, (page) => database.transaction((transaction) => transaction.list(items, page))), expected, "list");
    }
    const where = { field: "color", equals: "red" } as const;
    expectEqual(await paged(2, (page) => database.transaction((transaction) => transaction.find(items, where, page))), red, "find");
    expectEqual(await database.transaction((transaction) => transaction.list(items, { limit: 0 })), [], "a limit of 0 gives nothing");
    await expectRejects(
      database.transaction((transaction) => transaction.list(items, { limit: -1 })),
      "DatabaseMisused",
      "a limit below 0 is refused",
    );
  },

  "page: without a limit it is a thousand rows": async ({ open }) => {
    const database = await open();
    await write(database, ...Array.from({ length: 1_001 }, (_, index) => item(String(index).padStart(4, "0"))));
    expectEqual((await database.transaction((transaction) => transaction.list(items))).length, 1_000, "a page is bounded");
  },

  "find: follows what is written, changed and removed, also within the transaction": async ({ open }) => {
    const database = await open();
    await write(database, item("a", 0, "red"), item("b", 0, "red"), item("c", 0, "blue"), item("d"));
    const found = await database.transaction(async (transaction) => {
      await transaction.put(items, item("a", 0, "blue"));
      await transaction.remove(items, "b");
      return [
        await transaction.find(items, { field: "color", equals: "red" }),
        await transaction.find(items, { field: "color", equals: "blue" }),
      ];
    });
    expectEqual(found, [[], [item("a", 0, "blue"), item("c", 0, "blue")]], "the index knows the last state of each row");
  },

  "find: only by fields that the table declares": async ({ open }) => {
    const database = await open();
    await write(database, item("a"));
    await expectRejects(
      database.transaction((transaction) => transaction.find(items, { field: "id", equals: "a" })),
      "DatabaseMisused",
      "a search without an index is refused, not slow",
    );
  },
};

async function paged(
  limit: number,
  next: (page: { readonly limit: number; readonly after: string | undefined }) => Promise<readonly { readonly id: string }[]>,
): Promise<readonly string[]> {
  const seen: string[] = [];
  for (;;) {
    const page = await next({ limit, after: seen.at(-1) });
    seen.push(...page.map(({ id }) => id));
    // A page that does not go on would go on for ever.
    if (page.length < limit || seen.length > ORDERED.length) return seen;
  }
}
