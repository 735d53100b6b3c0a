/** openworkflow on its Postgres backend, every option at its default. */
import { BackendPostgres } from "openworkflow/postgres";
import type { StartContender } from "../contender.ts";
import { walMeter } from "../postgres/wal-meter.ts";
import { startOnBackend } from "./openworkflow.ts";

export const start: StartContender = async ({ postgresUrl }) => {
  const url = postgresUrl();
  const running = await startOnBackend(await BackendPostgres.connect(url));
  const meter = await walMeter(url);
  return {
    ...running,
    bytesWritten: meter.bytesWritten,
    async stop() {
      await running.stop();
      await meter.stop();
    },
  };
};
