/** How fast Postgres itself makes the rows durable: one multi-row insert per batch, and group commit. */
import { Client } from "pg";
import type { StartContender } from "../contender.ts";
import { runCeilingSaga } from "../contenders/ceiling-saga.ts";
import { createGroup } from "../contenders/group.ts";
import { walMeter } from "./wal-meter.ts";

/** More writers make smaller batches, and were slower or no faster wherever it was tried. */
const WRITERS = Number(process.env["BENCH_CEILING_WRITERS"] ?? 1);

const INSERT = "INSERT INTO rows (saga, sequence, record) SELECT * FROM unnest($1::text[], $2::integer[], $3::text[])";

export const start: StartContender = async ({ postgresUrl }) => {
  const connectionString = postgresUrl();
  const clients = Array.from({ length: WRITERS }, () => new Client({ connectionString }));
  await Promise.all(clients.map((client) => client.connect()));
  await clients[0]?.query(
    "CREATE TABLE rows (saga text NOT NULL, sequence integer NOT NULL, record text NOT NULL, PRIMARY KEY (saga, sequence))",
  );
  const append = createGroup(WRITERS, async (rows, writer) => {
    const values = [rows.map(({ saga }) => saga), rows.map(({ sequence }) => sequence), rows.map(({ record }) => record)];
    await clients[writer]?.query({ name: "append", text: INSERT, values });
  });
  const meter = await walMeter(connectionString);
  return {
    runSaga: (saga, way) => runCeilingSaga(saga, way, append),
    bytesWritten: meter.bytesWritten,
    async stop() {
      await Promise.all([...clients.map((client) => client.end()), meter.stop()]);
    },
  };
};
