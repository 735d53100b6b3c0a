/** A store whose clock is ahead of its server's: as if hours or days had gone by. */
import { createPostgresStore, type PostgresStore, type PostgresStoreOptions } from "../../src/index.ts";

export async function openLater(options: PostgresStoreOptions, laterMs: number): Promise<PostgresStore> {
  const store = await createPostgresStore(options);
  const { workers } = store;
  return {
    ...store,
    now: () => store.now() + laterMs,
    workers: { ...workers, renew: async (leaseMs) => (await workers.renew(leaseMs)).map(({ until }) => ({ until: until + laterMs })) },
  };
}
