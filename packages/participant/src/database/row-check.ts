/**
 * The rules that every implementation of the port keeps alike: which names, keys and rows are accepted, what a page is, and how a stored
 * document becomes a row. Kept in one place so that memory and disk cannot drift apart.
 */
import { freezeJson, type Json, toJson } from "@backstep/saga-core/adapter";
import type { Page, Table } from "../database.ts";
import { DatabaseCorrupt, DatabaseMisused } from "./database-errors.ts";

// A table of any row type; `never` in the parameters' place makes every Table<Row> assignable.
export interface AnyTable {
  readonly name: string;
  readonly key: (row: never) => string;
  readonly decode: (document: unknown) => unknown;
  readonly indexes?: readonly string[] | undefined;
}

const TABLE_NAME = /^(?!sqlite_)[a-z][a-z0-9_]{0,47}$/;
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PAGE_LIMIT_DEFAULT = 1_000;

export function assertTable(table: AnyTable): void {
  if (!TABLE_NAME.test(table.name)) {
    throw new DatabaseMisused(`a table's name is snake_case of at most 48 characters; this one is ${JSON.stringify(table.name)}`);
  }
  for (const field of table.indexes ?? []) {
    if (!FIELD_NAME.test(field)) throw new DatabaseMisused(`${table.name}: ${JSON.stringify(field)} cannot be indexed`);
  }
}

export function assertIndexed(table: AnyTable, field: string): void {
  if (table.indexes?.includes(field) !== true) throw new DatabaseMisused(`${table.name} has no index on ${JSON.stringify(field)}`);
}

/** The row's key, which every store can order and hold. */
export function keyOf<Row>(table: Table<Row>, row: Row): string {
  const key = table.key(row);
  if (!isKey(key)) throw new DatabaseMisused(`${table.name}: a key is well-formed text without NUL, and not empty`);
  return key;
}

/** Whether a row may have this key. A storage that keeps UTF-8 would take the rest for another key. */
export function isKey(key: string): boolean {
  return key.length > 0 && key.isWellFormed() && !key.includes("\u0000");
}

/** A frozen copy of the row as it is stored; the caller may go on changing its own. */
export function documentOf<Row>(table: Table<Row>, row: Row): Json {
  const document = toJson(row).match(
    (json) => json,
    ({ path, found }) => {
      throw new DatabaseMisused(`${table.name}: a row holds ${found} at ${path === "" ? "its root" : path}, which is no JSON`);
    },
  );
  for (const field of table.indexes ?? []) {
    const value = fieldOf(document, field);
    if (typeof value !== "string" || value.isWellFormed()) continue;
    throw new DatabaseMisused(`${table.name}: ${field} is indexed and holds a lone surrogate, by which no row can be found`);
  }
  return document;
}

export function fieldOf(document: Json, field: string): unknown {
  return typeof document === "object" && document !== null ? (document as { readonly [key: string]: Json })[field] : undefined;
}

export function rowOf<Row>(table: Table<Row>, key: string, document: () => Json): Row {
  const corrupt = (problem: string, cause?: unknown): DatabaseCorrupt =>
    new DatabaseCorrupt(`the row ${JSON.stringify(key)} of ${table.name} ${problem}`, { row: { table: table.name, key }, cause });
  let row: Row;
  let keyInside: string;
  try {
    row = table.decode(freezeJson(document()));
    keyInside = table.key(row);
  } catch (cause) {
    throw corrupt("does not fit its table's declaration", cause);
  }
  // Writing such a row back would change another one.
  if (keyInside !== key) throw corrupt("holds what was written under another key");
  return row;
}

export function limitOf(page: Page | undefined): number {
  const limit = page?.limit ?? PAGE_LIMIT_DEFAULT;
  if (!Number.isSafeInteger(limit) || limit < 0) throw new DatabaseMisused(`a page's limit is a whole number; this one is ${limit}`);
  return limit;
}

/** Orders keys by code point, as UTF-8 bytes do on disk. JavaScript's own order differs beyond U+FFFF. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for characters behind all others, so they are moved behind U+FFFF. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
