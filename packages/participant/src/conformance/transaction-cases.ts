/** Transactions: all or nothing, parts of their own, and as if no other ran beside them. */
import { err, ok } from "neverthrow";
import type { Database } from "../database.ts";
import type { CaseContext, CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectRejects } from "./expectations.ts";
import { Abort, ids, item, items, read, write } from "./item-table.ts";

const RIVALS = 8;
const ROUNDS = 10;

export const transactionCases: CaseGroup<CaseContext> = {
  "transaction: gives what its body gives, and keeps its writes": async ({ open, clock }) => {
    const database = await open();
    const value = await database.transaction(async (transaction) => {
      await transaction.insert(items, item("a"));
      return "value";
    });
    expectEqual([value, await ids(database), database.now()], ["value", ["a"], clock.now()], "value, rows and clock");
    await database.ping();
  },

  "transaction: one that rejects leaves nothing, and rejects with what was thrown": async ({ open }) => {
    const database = await open();
    await write(database, item("kept", 1), item("removed", 1));
    const aborted = database.transaction(async (transaction) => {
      await transaction.insert(items, item("new"));
      await transaction.put(items, item("kept", 2));
      await transaction.remove(items, "removed");
      await transaction.insert(items, item("removed", 3));
      throw new Abort();
    });
    await expectRejects(aborted, "Abort", "the body's own error comes out");
    expectEqual(
      [await read(database, "new"), await read(database, "kept"), await read(database, "removed")],
      [undefined, item("kept", 1), item("removed", 1)],
      "every write is undone",
    );
  },

  "transaction: the first use of a table is undone with it": async ({ open }) => {
    const database = await open();
    const aborted = database.transaction(async (transaction) => {
      await transaction.insert(items, item("a"));
      throw new Abort();
    });
    await expectRejects(aborted, "Abort", "the body's own error comes out");
    await write(database, item("b"));
    expectEqual(await ids(database), ["b"], "the table can be used afterwards");
  },

  "transaction: it cannot be used after its end": async ({ open }) => {
    const database = await open();
    const leaked = await database.transaction(async (transaction) => ({ transaction }));
    await expectRejects(leaked.transaction.insert(items, item("a")), "DatabaseMisused", "an ended transaction refuses");
    expectEqual(await ids(database), [], "and writes nothing");
  },

  "nested: a part that answers err is undone, and the transaction goes on": async ({ open }) => {
    const database = await open();
    const answered = await database.transaction(async (transaction) => {
      await transaction.insert(items, item("before"));
      const part = await transaction.nested(async () => {
        await transaction.insert(items, item("within"));
        await transaction.put(items, item("before", 9));
        return err({ _tag: "No" });
      });
      await transaction.insert(items, item("after"));
      return part;
    });
    expectEqual(answered.isErr() && answered.error, { _tag: "No" }, "the part's answer comes out");
    expectEqual([await ids(database), await read(database, "before")], [["after", "before"], item("before")], "only the part is undone");
  },

  "nested: a part that answers ok stays, and is undone with the whole": async ({ open }) => {
    const database = await open();
    const body = (abort: boolean) =>
      database.transaction(async (transaction) => {
        await transaction.nested(async () => ok(await transaction.insert(items, item("within"))));
        if (abort) throw new Abort();
      });
    await expectRejects(body(true), "Abort", "the body's own error comes out");
    expectEqual(await ids(database), [], "undone with the whole");
    await body(false);
    expectEqual(await ids(database), ["within"], "kept with the whole");
  },

  "nested: a part that throws is undone, and its error can be handled": async ({ open }) => {
    const database = await open();
    await database.transaction(async (transaction) => {
      const part = transaction.nested(async () => {
        await transaction.insert(items, item("within"));
        throw new Abort();
      });
      await expectRejects(part, "Abort", "the part's own error comes out");
      await transaction.insert(items, item("after"));
    });
    expectEqual(await ids(database), ["after"], "only the part is undone");
  },

  "nested: parts have parts": async ({ open }) => {
    const database = await open();
    await database.transaction((transaction) =>
      transaction.nested(async () => {
        await transaction.insert(items, item("outer"));
        await transaction.nested(async () => err(await transaction.insert(items, item("inner, undone"))));
        await transaction.nested(async () => ok(await transaction.insert(items, item("inner"))));
        return ok(undefined);
      }),
    );
    await database.transaction((transaction) =>
      transaction.nested(async () => {
        await transaction.nested(async () => ok(await transaction.insert(items, item("undone with its outer part"))));
        return err(undefined);
      }),
    );
    expectEqual(await ids(database), ["inner", "outer"], "each part is undone alone, or with the one around it");
  },

  "serialisable: no increment is lost between rivals": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    await write(left, item("counter"));
    await Promise.all(Array.from({ length: RIVALS * ROUNDS }, (_, index) => increment(index % 2 === 0 ? left : right)));
    expectEqual(await read(left, "counter"), item("counter", RIVALS * ROUNDS), "every read-and-write counted");
  },

  "serialisable: of rivals that insert one key, one wins, and the others see its row": async ({ open }) => {
    const [left, right] = [await open(), await open()];
    for (let round = 0; round < ROUNDS; round++) {
      const key = `key-${round}`;
      const outcomes = await Promise.all(
        Array.from({ length: RIVALS }, (_, index) =>
          (index % 2 === 0 ? left : right).transaction(async (transaction) => {
            const inserted = await transaction.insert(items, item(key, index));
            await pause();
            return { inserted, seen: await transaction.get(items, key) };
          }),
        ),
      );
      const winner = await read(left, key);
      expectEqual(outcomes.filter(({ inserted }) => inserted).length, 1, "one insert says true");
      for (const { seen } of outcomes) expectEqual(seen, winner, "everyone sees the winner's row");
    }
  },

  "serialisable: what a transaction has read stays true until it ends": async ({ open }) => {
    const [one, other] = [await open(), await open()];
    await write(one, item("left", 1), item("right", 1));
    // Each takes one away only while both together are at least two: of two that look at the same state, one must see the other's work.
    const takeOne = (database: Database, id: string) =>
      database.transaction(async (transaction) => {
        const [left, right] = [await transaction.get(items, "left"), await transaction.get(items, "right")];
        await pause();
        if ((left?.count ?? 0) + (right?.count ?? 0) >= 2) await transaction.put(items, item(id, 0));
      });
    await Promise.all([takeOne(one, "left"), takeOne(other, "right")]);
    const left = (await read(one, "left"))?.count ?? 0;
    const right = (await read(one, "right"))?.count ?? 0;
    expectEqual(left + right, 1, "no write rests on a read that was overtaken");
  },

  "close: a closed database refuses": async ({ open }) => {
    const database = await open();
    await write(database, item("a"));
    await database.close();
    await expectRejects(read(database, "a"), "DatabaseUnavailable", "transactions are refused");
    await expectRejects(database.ping(), "DatabaseUnavailable", "ping tells");
    await database.close();
  },

  "close: from inside a transaction is refused, and does not wait for ever": async ({ open }) => {
    const database = await open();
    const closing = database.transaction(() => database.close());
    await expectRejects(closing, "DatabaseMisused", "it would wait for the transaction that waits for it");
    await write(database, item("a"));
    expectEqual(await ids(database), ["a"], "the database is still open");
  },

  "close: waits for a transaction that is under way": async ({ open }) => {
    const database = await open();
    const going = database.transaction(async (transaction) => {
      await pause();
      return transaction.insert(items, item("a"));
    });
    await database.close();
    expectEqual(await going, true, "the transaction ended as if nothing had been closed");
  },
};

export const restartCases: CaseGroup<CaseContext> = {
  "restart: what was committed is there, what was not is not": async ({ open }) => {
    const before = await open();
    await write(before, item("a", 1, "red"));
    await before.transaction((transaction) => transaction.nested(async () => err(await transaction.insert(items, item("b")))));
    await before.close();
    const after = await open();
    const found = await after.transaction((transaction) => transaction.find(items, { field: "color", equals: "red" }));
    expectEqual([await ids(after), found], [["a"], [item("a", 1, "red")]], "rows and indexes survive");
  },
};

function increment(database: Database): Promise<void> {
  return database.transaction(async (transaction) => {
    const counter = await transaction.get(items, "counter");
    await pause();
    await transaction.put(items, item("counter", (counter?.count ?? 0) + 1));
  });
}

/** Lets everybody else who is ready go first. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
