/** The one error that is thrown: the store could not be opened, so the program should not start. Everything later is a `Result`. */

/**
 * - `StoreOptionInvalid`: an option is out of its range.
 * - `StoreFileUnusable`: the path is a folder, lies in none, or may not be written; or its file system cannot hold a write-ahead log.
 * - `StoreFileForeign`: what is there is no SQLite database, is damaged, or belongs to another program.
 * - `StoreSchemaNewer`: a newer version of this package wrote it.
 * - `StoreFileBusy`: another process held its lock for longer than `busyTimeoutMs`.
 */
export type SqliteStoreNotOpenedTag =
  | "StoreOptionInvalid"
  | "StoreFileUnusable"
  | "StoreFileForeign"
  | "StoreSchemaNewer"
  | "StoreFileBusy";

export class SqliteStoreNotOpened extends Error {
  readonly _tag: SqliteStoreNotOpenedTag;
  readonly path: string;

  constructor(tag: SqliteStoreNotOpenedTag, path: string, problem: string, options?: ErrorOptions) {
    super(`the journal ${JSON.stringify(path)} was not opened: ${problem}`, options);
    this.name = "SqliteStoreNotOpened";
    this._tag = tag;
    this.path = path;
  }
}
