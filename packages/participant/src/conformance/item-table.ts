/** The table that the database cases write to, and what they ask of it again and again. */
import type { Database, Table } from "../database.ts";

export interface Item {
  readonly id: string;
  readonly color?: string | undefined;
  readonly count: number;
  readonly tags?: readonly string[] | undefined;
}

export const items: Table<Item> = { name: "items", key: (item) => item.id, decode: decodeItem, indexes: ["color"] };

export function item(id: string, count = 0, color?: string): Item {
  return { id, count, ...(color === undefined ? {} : { color }) };
}

export function read(database: Database, id: string): Promise<Item | undefined> {
  return database.transaction((transaction) => transaction.get(items, id));
}

export async function ids(database: Database): Promise<readonly string[]> {
  const all = await database.transaction((transaction) => transaction.list(items));
  return all.map(({ id }) => id);
}

export function write(database: Database, ...rows: readonly Item[]): Promise<void> {
  return database.transaction(async (transaction) => {
    for (const row of rows) await transaction.put(items, row);
  });
}

/** Ends a transaction on purpose; nothing of it is a failure of the database. */
export class Abort extends Error {
  readonly _tag = "Abort";

  constructor() {
    super("the case wants this transaction undone");
    this.name = "Abort";
  }
}

function decodeItem(document: unknown): Item {
  const found = document as Partial<Item> | null;
  if (typeof found?.id !== "string" || typeof found.count !== "number") throw new TypeError("an item has an id and a count");
  return found as Item;
}
