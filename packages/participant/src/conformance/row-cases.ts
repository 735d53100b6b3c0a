/** Single rows: what is written is what is read, exactly, and nobody else can reach it. */
import type { CaseContext, CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectRejects } from "./expectations.ts";
import { type Item, ids, item, items, read, write } from "./item-table.ts";

/** What text may hold and storages like to bend: quotes, line ends, pairs of surrogates, forms that look alike. */
const AWKWARD = ["a", "A", "a ", "é", "e\u0301", "'; -- \"", "%_*?[", "line\r\n\u2028", "\ufeff", "\uffff", "😀", "$1 :name @p"];

export const rowCases: CaseGroup<CaseContext> = {
  "row: an inserted row is read as it was written": async ({ open }) => {
    const database = await open();
    const row: Item = { id: "a", count: 1.5, color: "red", tags: ["x", ""] };
    const inserted = await database.transaction((transaction) => transaction.insert(items, row));
    expectEqual([inserted, await read(database, "a")], [true, row], "insert says true and get gives the row");
    expectEqual(await read(database, "b"), undefined, "a row that is not there is undefined");
  },

  "row: a second insert of a key says false and writes nothing": async ({ open }) => {
    const database = await open();
    await write(database, item("a", 1));
    const [again, seen] = await database.transaction(async (transaction) => [
      await transaction.insert(items, item("a", 2)),
      await transaction.get(items, "a"),
    ]);
    expectEqual([again, seen, await read(database, "a")], [false, item("a", 1), item("a", 1)], "the first row stays");
  },

  "row: put writes over, remove removes, and both are seen at once": async ({ open }) => {
    const database = await open();
    await database.transaction(async (transaction) => {
      await transaction.put(items, item("a", 1));
      await transaction.put(items, item("a", 2));
      expectEqual(await transaction.get(items, "a"), item("a", 2), "a transaction sees its own writes");
      await transaction.remove(items, "a");
      expectEqual(await transaction.get(items, "a"), undefined, "a transaction sees its own removals");
      await transaction.remove(items, "never there");
      expectEqual(await transaction.insert(items, item("a", 3)), true, "a removed key is free");
    });
    expectEqual(await read(database, "a"), item("a", 3), "the last write stands");
  },

  "row: keys and values are kept and compared exactly": async ({ open }) => {
    const database = await open();
    await write(database, ...AWKWARD.map((text, index) => ({ ...item(text, index, text), tags: [text, "\u0000", "\ud800"] })));
    for (const [index, text] of AWKWARD.entries()) {
      const found = await database.transaction((transaction) => transaction.find(items, { field: "color", equals: text }));
      const expected = { ...item(text, index, text), tags: [text, "\u0000", "\ud800"] };
      expectEqual([await read(database, text), found], [expected, [expected]], `${JSON.stringify(text)} is itself and no other`);
    }
  },

  "row: what was handed over and what was handed out can be changed without changing the store": async ({ open }) => {
    const database = await open();
    const mine = { id: "a", count: 1, tags: ["x"] };
    const seen = await database.transaction(async (transaction) => {
      await transaction.insert(items, mine);
      mine.count = 2;
      mine.tags.push("y");
      return transaction.get(items, "a");
    });
    mutate(seen);
    expectEqual(await read(database, "a"), { id: "a", count: 1, tags: ["x"] }, "the store keeps a copy");
  },

  "row: one that is no JSON, or has no usable key, is refused": async ({ open }) => {
    const database = await open();
    const refused: readonly Item[] = [
      { ...item("a"), count: Number.NaN },
      { ...item("a"), tags: new Set() as never },
      item(""),
      item("\ud800"),
      item("\u0000"),
    ];
    for (const row of refused) await expectRejects(write(database, row), "DatabaseMisused", "a row that cannot be kept is refused");
    expectEqual(await ids(database), [], "nothing of it is written");
  },

  "row: text that no key can be is nobody's key": async ({ open }) => {
    const database = await open();
    // What a storage of UTF-8 makes of a lone surrogate.
    await write(database, item("\ufffd", 1, "\ufffd"));
    const met = await database.transaction(async (transaction) => {
      await transaction.remove(items, "\ud800");
      const found = await transaction.find(items, { field: "color", equals: "\udfff" });
      return [await transaction.get(items, "\ud800"), await transaction.get(items, ""), found];
    });
    expectEqual(met, [undefined, undefined, []], "nothing is read by it");
    expectEqual(await ids(database), ["\ufffd"], "and nothing is removed");
  },

  "row: an indexed field by which no row could be found is refused": async ({ open }) => {
    const database = await open();
    await expectRejects(write(database, item("a", 1, "\ud800")), "DatabaseMisused", "a lone surrogate cannot be looked up");
    expectEqual(await ids(database), [], "nothing of it is written");
  },

  "row: one that its table cannot read ends the transaction, even when the error is swallowed": async ({ open }) => {
    const database = await open();
    await write(database, { id: "a", color: "unreadable" } as Item);
    const swallowing = database.transaction(async (transaction) => {
      await transaction.insert(items, item("b"));
      await transaction.get(items, "a").catch(() => undefined);
    });
    await expectRejects(swallowing, "DatabaseCorrupt", "a damaged row is told");
    expectEqual(await read(database, "b"), undefined, "the transaction that met it is undone");
  },
};

/** A row may be frozen, in which case there is nothing to prove. */
function mutate(seen: unknown): void {
  try {
    const row = seen as { count: number; tags: string[] };
    row.count = 3;
    row.tags.push("z");
  } catch {
    return;
  }
}
