/** The door of `@backstep/sqlite-store`. */
export { createSqliteStore, type SqliteStore, type SqliteStoreOptions, type SqliteStoreStatistics } from "./sqlite-store.ts";
export { SqliteStoreNotOpened, type SqliteStoreNotOpenedTag } from "./sqlite-store-not-opened.ts";
