/**
 * The port in memory: for tests, and for services whose state may go with the process. Transactions take turns, so they are serialisable;
 * every write leaves a note of what stood there before, and going back is replaying the notes. Documents are frozen copies: nobody outside
 * can change what is stored.
 */
import type { Json } from "@backstep/saga-core/adapter";
import type { Result } from "neverthrow";
import type { Database, Page, Table, Transaction } from "../database.ts";
import { DatabaseMisused } from "./database-errors.ts";
import { type AnyTable, assertIndexed, assertTable, compareKeys, documentOf, keyOf, limitOf, rowOf } from "./row-check.ts";
import { createTurns } from "./turns.ts";

export interface MemoryDatabaseOptions {
  /** Epoch milliseconds. Default: the host's clock. */
  readonly now?: (() => number) | undefined;
}

type Documents = Map<string, Json>;
type Tables = Map<string, Documents>;

/** Creates an empty database. A crash loses all of it; a rejected transaction loses nothing else. */
export function createMemoryDatabase(options: MemoryDatabaseOptions = {}): Database {
  const tables: Tables = new Map();
  const turns = createTurns();
  const now = options.now ?? Date.now;
  return {
    now,
    transaction: (body) => turns.take(() => runTransaction(tables, body)),
    async ping() {
      turns.assertOpen();
    },
    close: () => turns.close(),
  };
}

async function runTransaction<Value>(tables: Tables, body: (transaction: Transaction) => Promise<Value>): Promise<Value> {
  const transaction = new MemoryTransaction(tables);
  try {
    const value = await body(transaction);
    transaction.end();
    return value;
  } catch (cause) {
    transaction.rollBack();
    throw cause;
  }
}

interface Note {
  readonly documents: Documents;
  readonly key: string;
  readonly before: Json | undefined;
}

class MemoryTransaction implements Transaction {
  readonly #tables: Tables;
  readonly #notes: Note[] = [];
  readonly #parts: symbol[] = [];
  #ended = false;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    const document = this.#documents(table).get(key);
    return document === undefined ? undefined : rowOf(table, key, () => document);
  }

  async insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    const key = keyOf(table, row);
    const documents = this.#documents(table);
    if (documents.has(key)) return false;
    this.#write(documents, key, documentOf(table, row));
    return true;
  }

  async put<Row>(table: Table<Row>, row: Row): Promise<void> {
    this.#write(this.#documents(table), keyOf(table, row), documentOf(table, row));
  }

  async remove<Row>(table: Table<Row>, key: string): Promise<void> {
    this.#write(this.#documents(table), key, undefined);
  }

  async find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    assertIndexed(table, where.field);
    return this.#page(table, page, (document) => fieldOf(document, where.field) === where.equals);
  }

  async list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.#page(table, page, () => true);
  }

  async nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    this.#assertOpen();
    const part = Symbol("part");
    const mark = this.#notes.length;
    this.#parts.push(part);
    try {
      const result = await body();
      this.#leave(part);
      if (result.isErr()) this.#undoTo(mark);
      return result;
    } catch (cause) {
      if (!this.#ended && this.#parts.at(-1) === part) {
        this.#leave(part);
        this.#undoTo(mark);
      }
      throw cause;
    }
  }

  end(): void {
    if (this.#parts.length > 0) throw new DatabaseMisused("a transaction ended before a nested part of it did; await the part");
    this.#ended = true;
  }

  rollBack(): void {
    this.#undoTo(0);
    this.#ended = true;
  }

  #leave(part: symbol): void {
    this.#assertOpen();
    if (this.#parts.at(-1) !== part) throw new DatabaseMisused("nested parts of one transaction overlapped; run them one after the other");
    this.#parts.pop();
  }

  #undoTo(mark: number): void {
    while (this.#notes.length > mark) {
      const note = this.#notes.pop();
      if (note === undefined) return;
      if (note.before === undefined) note.documents.delete(note.key);
      else note.documents.set(note.key, note.before);
    }
  }

  #write(documents: Documents, key: string, document: Json | undefined): void {
    this.#notes.push({ documents, key, before: documents.get(key) });
    if (document === undefined) documents.delete(key);
    else documents.set(key, document);
  }

  #page<Row>(table: Table<Row>, page: Page | undefined, fits: (document: Json) => boolean): readonly Row[] {
    const limit = limitOf(page);
    const after = page?.after;
    const entries = [...this.#documents(table)]
      .filter(([key, document]) => (after === undefined || compareKeys(key, after) > 0) && fits(document))
      .sort(([left], [right]) => compareKeys(left, right));
    return entries.slice(0, limit).map(([key, document]) => rowOf(table, key, () => document));
  }

  #documents(table: AnyTable): Documents {
    this.#assertOpen();
    assertTable(table);
    const documents = this.#tables.get(table.name) ?? new Map<string, Json>();
    this.#tables.set(table.name, documents);
    return documents;
  }

  #assertOpen(): void {
    if (this.#ended) throw new DatabaseMisused("a transaction was used after its end");
  }
}

function fieldOf(document: Json, field: string): unknown {
  return typeof document === "object" && document !== null ? (document as { readonly [key: string]: Json })[field] : undefined;
}
