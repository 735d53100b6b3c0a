/** Databases that break one rule each, made of the one that keeps them all. */
import type { Database, Table, Transaction } from "@backstep/participant";
import { createMemoryDatabase } from "@backstep/participant";
import { ok } from "neverthrow";

type Wrap = (transaction: Transaction) => Partial<Transaction>;

/** The transaction with some of its operations replaced. */
function wrapped(transaction: Transaction, replaced: Partial<Transaction>): Transaction {
  const { life: _, ...operations } = {
    life: undefined,
    get: <Row>(table: Table<Row>, key: string) => transaction.get(table, key),
    insert: <Row>(table: Table<Row>, row: Row) => transaction.insert(table, row),
    put: <Row>(table: Table<Row>, row: Row) => transaction.put(table, row),
    remove: <Row>(table: Table<Row>, key: string) => transaction.remove(table, key),
    find: transaction.find.bind(transaction),
    list: transaction.list.bind(transaction),
    nested: transaction.nested.bind(transaction),
    ...replaced,
  };
  return operations;
}

const withOperations =
  (wrap: Wrap) =>
  (now: () => number): Database => {
    const database = createMemoryDatabase({ now });
    return { ...database, transaction: (body) => database.transaction((transaction) => body(wrapped(transaction, wrap(transaction)))) };
  };

/** Every operation is a transaction of its own. */
function withoutTransactions(now: () => number): Database {
  const database = createMemoryDatabase({ now });
  const transaction: Transaction = {
    get: (table, key) => database.transaction((inner) => inner.get(table, key)),
    insert: (table, row) => database.transaction((inner) => inner.insert(table, row)),
    put: (table, row) => database.transaction((inner) => inner.put(table, row)),
    remove: (table, key) => database.transaction((inner) => inner.remove(table, key)),
    find: (table, where, page) => database.transaction((inner) => inner.find(table, where, page)),
    list: (table, page) => database.transaction((inner) => inner.list(table, page)),
    nested: (body) => body(),
  };
  return { ...database, transaction: (body) => body(transaction) };
}

/** Commits what a body wrote before it threw. */
function withoutRollback(now: () => number): Database {
  const database = createMemoryDatabase({ now });
  return {
    ...database,
    async transaction(body) {
      const outcome = await database.transaction((transaction) =>
        body(transaction).then(
          (value) => ({ value }),
          (cause: unknown) => ({ cause }),
        ),
      );
      if ("cause" in outcome) throw outcome.cause;
      return outcome.value;
    },
  };
}

function withSharedRows(now: () => number): Database {
  const shared = new Map<string, unknown>();
  const remember = <Row>(table: Table<Row>, row: Row): void => void shared.set(`${table.name}/${table.key(row)}`, row);
  return withOperations((transaction) => ({
    get: async <Row>(table: Table<Row>, key: string) => {
      const stored = await transaction.get(table, key);
      return stored === undefined ? undefined : (shared.get(`${table.name}/${key}`) as Row);
    },
    insert: async (table, row) => {
      const inserted = await transaction.insert(table, row);
      if (inserted) remember(table, row);
      return inserted;
    },
    put: async (table, row) => {
      await transaction.put(table, row);
      remember(table, row);
    },
  }))(now);
}

export const brokenDatabases: Readonly<Record<string, { readonly create: (now: () => number) => Database; readonly caughtBy: string }>> = {
  "without transactions": { create: withoutTransactions, caughtBy: "serialisable: no increment is lost between rivals" },
  "without rollback": {
    create: withoutRollback,
    caughtBy: "transaction: one that rejects leaves nothing, and rejects with what was thrown",
  },
  "whose parts are never undone": {
    create: withOperations(() => ({ nested: (body) => body() })),
    caughtBy: "nested: a part that answers err is undone, and the transaction goes on",
  },
  "whose parts are undone only when they throw": {
    create: withOperations((transaction) => ({
      async nested(body) {
        const part = await transaction.nested(async () => ok(await body()));
        return part._unsafeUnwrap();
      },
    })),
    caughtBy: "nested: a part that answers err is undone, and the transaction goes on",
  },
  "that inserts over what is there": {
    create: withOperations((transaction) => ({
      async insert(table, row) {
        await transaction.put(table, row);
        return true;
      },
    })),
    caughtBy: "row: a second insert of a key says false and writes nothing",
  },
  "that keeps the caller's own rows": {
    create: withSharedRows,
    caughtBy: "row: what was handed over and what was handed out can be changed without changing the store",
  },
  "that bends what is no JSON": {
    create: withOperations((transaction) => ({ put: (table, row) => transaction.put(table, JSON.parse(JSON.stringify(row))) })),
    caughtBy: "row: one that is no JSON, or has no usable key, is refused",
  },
  "that does not check what it reads": {
    create: withOperations((transaction) => ({
      get: (table, key) => transaction.get({ ...table, decode: (document) => document as never }, key),
    })),
    caughtBy: "row: one that its table cannot read ends the transaction, even when the error is swallowed",
  },
  "that takes keys for what its storage makes of them": {
    create: withOperations((transaction) => ({ get: (table, key) => transaction.get(table, key.toWellFormed()) })),
    caughtBy: "row: text that no key can be is nobody's key",
  },
  "that keeps what it cannot find": {
    create: withOperations((transaction) => ({ put: (table, row) => transaction.put({ ...table, indexes: [] }, row) })),
    caughtBy: "row: an indexed field by which no row could be found is refused",
  },
  "that sorts by UTF-16 units": {
    create: withOperations((transaction) => ({
      async list(table, page) {
        const rows = await transaction.list(table, page);
        return rows.toSorted((left, right) => (table.key(left) < table.key(right) ? -1 : 1));
      },
    })),
    caughtBy: "page: rows come by key ascending, in the order of code points",
  },
  "whose pages begin anew": {
    create: withOperations((transaction) => ({ find: (table, where, page) => transaction.find(table, where, { limit: page?.limit }) })),
    caughtBy: "page: a limit cuts off, and the next page begins after a key",
  },
  "whose pages are unbounded": {
    create: withOperations((transaction) => ({ list: (table, page) => transaction.list(table, { limit: 100_000, ...page }) })),
    caughtBy: "page: without a limit it is a thousand rows",
  },
  "that searches without an index": {
    create: withOperations((transaction) => ({
      find: (table, where, page) => transaction.find({ ...table, indexes: [where.field] }, where, page),
    })),
    caughtBy: "find: only by fields that the table declares",
  },
  "that cannot be closed": {
    create: (now) => ({ ...createMemoryDatabase({ now }), close: async () => undefined }),
    caughtBy: "close: a closed database refuses",
  },
};
