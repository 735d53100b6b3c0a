/** The one error that is thrown: the store could not be opened, so the program should not start. Everything later is a `Result`. */

/**
 * - `StoreOptionInvalid`: an option is out of its range.
 * - `StoreUnreachable`: no server answered in `connectTimeoutMs`, or it takes no connections now.
 * - `StoreForbidden`: the server refused the user, the password or the database, or the user lacks a right.
 * - `StoreDatabaseUnfit`: the database is read-only, or its encoding is not UTF-8.
 * - `StoreSchemaForeign`: the schema holds what is no journal.
 * - `StoreSchemaNewer`: a newer version of this package wrote it.
 */
export type PostgresStoreNotOpenedTag =
  | "StoreOptionInvalid"
  | "StoreUnreachable"
  | "StoreForbidden"
  | "StoreDatabaseUnfit"
  | "StoreSchemaForeign"
  | "StoreSchemaNewer";

export class PostgresStoreNotOpened extends Error {
  readonly _tag: PostgresStoreNotOpenedTag;
  readonly schema: string;

  constructor(tag: PostgresStoreNotOpenedTag, schema: string, problem: string, options?: ErrorOptions) {
    super(`the journal in schema ${JSON.stringify(schema)} was not opened: ${problem}`, options);
    this.name = "PostgresStoreNotOpened";
    this._tag = tag;
    this.schema = schema;
  }
}
