/**
 * One transaction in memory. Every write leaves a note of what stood there before; going back is replaying the notes in reverse. Documents
 * are frozen copies: nobody outside can change what is stored.
 */
import type { Json } from "@backstep/saga-core/adapter";
import type { Result } from "neverthrow";
import type { Page, Table, Transaction } from "../database.ts";
import { type AnyTable, assertIndexed, assertTable, compareKeys, documentOf, fieldOf, keyOf, limitOf, rowOf } from "./row-check.ts";
import { type Savepoints, TransactionLife } from "./transaction-life.ts";

type Documents = Map<string, Json>;
export type MemoryTables = Map<string, Documents>;

interface Note {
  readonly documents: Documents;
  readonly key: string;
  readonly before: Json | undefined;
}

export class MemoryTransaction implements Transaction {
  readonly life = new TransactionLife();
  readonly #tables: MemoryTables;
  readonly #notes: Note[] = [];
  readonly #savepoints: Savepoints;

  constructor(tables: MemoryTables) {
    this.#tables = tables;
    const marks: number[] = [];
    this.#savepoints = {
      set: (depth) => {
        marks[depth] = this.#notes.length;
      },
      undo: (depth) => this.undoTo(marks[depth] ?? 0),
      release: () => undefined,
    };
  }

  async get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    return this.life.step(() => {
      const document = this.#documents(table).get(key);
      return document === undefined ? undefined : rowOf(table, key, () => document);
    });
  }

  async insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    return this.life.step(() => {
      const key = keyOf(table, row);
      const document = documentOf(table, row);
      const documents = this.#documents(table);
      if (documents.has(key)) return false;
      this.#write(documents, key, document);
      return true;
    });
  }

  async put<Row>(table: Table<Row>, row: Row): Promise<void> {
    this.life.step(() => this.#write(this.#documents(table), keyOf(table, row), documentOf(table, row)));
  }

  async remove<Row>(table: Table<Row>, key: string): Promise<void> {
    this.life.step(() => this.#write(this.#documents(table), key, undefined));
  }

  async find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    return this.life.step(() => {
      assertIndexed(table, where.field);
      return this.#page(table, page, (document) => fieldOf(document, where.field) === where.equals);
    });
  }

  async list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.life.step(() => this.#page(table, page, () => true));
  }

  async nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    return this.life.nested(this.#savepoints, body);
  }

  undoTo(mark: number): void {
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
    assertTable(table);
    const documents = this.#tables.get(table.name) ?? new Map<string, Json>();
    this.#tables.set(table.name, documents);
    return documents;
  }
}
