/** Backstep on Postgres, as a user gets it: every option at its default. */
import type { JournalStore } from "@backstep/saga-core/journal";
import type { StartContender } from "../contender.ts";
import { engineOn, runSevenSteps } from "../contenders/backstep-saga.ts";
import { walMeter } from "./wal-meter.ts";

/** What is used of the package. By name, for a checkout without it can still measure all others. */
interface PostgresStoreModule {
  readonly createPostgresStore: (options: { readonly connectionString: string }) => JournalStore | Promise<JournalStore>;
}

const PACKAGE = "@backstep/postgres-store";

export async function openPostgresStore(connectionString: string): Promise<JournalStore> {
  const { createPostgresStore } = (await import(PACKAGE)) as PostgresStoreModule;
  return createPostgresStore({ connectionString });
}

export const start: StartContender = async ({ postgresUrl }) => {
  const connectionString = postgresUrl();
  const store = await openPostgresStore(connectionString);
  const engine = engineOn(store);
  const meter = await walMeter(connectionString);
  return {
    runSaga: (saga, way) => runSevenSteps(engine, saga, way),
    bytesWritten: meter.bytesWritten,
    async stop() {
      await engine.close();
      await store.close();
      await meter.stop();
    },
  };
};
