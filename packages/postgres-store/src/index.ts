/** The door of `@backstep/postgres-store`. */
export type { PostgresStoreOptions } from "./options.ts";
export { createPostgresStore, type PostgresStore, type PostgresStoreStatistics } from "./postgres-store.ts";
export { PostgresStoreNotOpened, type PostgresStoreNotOpenedTag } from "./postgres-store-not-opened.ts";
