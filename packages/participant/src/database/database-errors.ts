/**
 * What a database rejects with. Classes, because they are thrown through code that knows nothing of them; recognised by `_tag`, so that two
 * copies of this package agree. Messages name tables and keys at most: no statement text and no stored data, since they may reach a client.
 */

/** What is stored is not what was written, or not what its table declares. The transaction that met it is rolled back. */
export class DatabaseCorrupt extends Error {
  readonly _tag = "DatabaseCorrupt";
  /** Absent when the file itself is damaged. */
  readonly row: { readonly table: string; readonly key: string } | undefined;

  constructor(
    message: string,
    options: { readonly row?: { readonly table: string; readonly key: string }; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "DatabaseCorrupt";
    this.row = options.row;
  }
}

/**
 * The database cannot be reached, is locked for longer than was granted, is full, or is closed. Nothing of the transaction is visible; one
 * whose COMMIT failed may be found done after a crash, whole.
 */
export class DatabaseUnavailable extends Error {
  readonly _tag = "DatabaseUnavailable";

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "DatabaseUnavailable";
  }
}

/** The program is wrong: a row that is no JSON, a field without index, a transaction used after its end. Trying again will not help. */
export class DatabaseMisused extends Error {
  readonly _tag = "DatabaseMisused";

  constructor(message: string) {
    super(message);
    this.name = "DatabaseMisused";
  }
}

export type DatabaseError = DatabaseCorrupt | DatabaseUnavailable | DatabaseMisused;

const TAGS: ReadonlySet<unknown> = new Set<DatabaseError["_tag"]>(["DatabaseCorrupt", "DatabaseUnavailable", "DatabaseMisused"]);

export function isDatabaseError(value: unknown): value is DatabaseError {
  return value instanceof Error && "_tag" in value && TAGS.has(value._tag);
}
