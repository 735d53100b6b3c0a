/**
 * A process that acts behind a fence on a shared file, or in a shared schema of a server, until it is ended. Prints a line per answer: `<key> <tag>`. Every process draws its
 * keys from the same list, in an order of its own, so that rivals meet on the same keys.
 */
import { createFence, type Table } from "@backstep/participant";
import { createPostgresDatabase } from "@backstep/participant/postgres";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { ok } from "neverthrow";

interface Effect {
  readonly key: string;
  readonly times: number;
}

const effects: Table<Effect> = { name: "effects", key: (row) => row.key, decode: (document) => document as Effect };

const [place = "", schema = "", keyCount = "0", issuedAt = "0", from = "0"] = process.argv.slice(2);
const database =
  schema === "" ? createSqliteDatabase({ path: place, busyTimeoutMs: 20_000 }) : createPostgresDatabase({ connection: place, schema });
const fence = createFence({ database, retentionMs: 3_600_000 });

for (let index = 0; index < Number(keyCount); index++) {
  const key = `key-${(index + Number(from)) % Number(keyCount)}`;
  const answer = await fence.act({ key, name: "count", issuedAt: Number(issuedAt), input: null }, async ({ transaction }) => {
    const row = await transaction.get(effects, key);
    await transaction.put(effects, { key, times: (row?.times ?? 0) + 1 });
    return ok(null);
  });
  process.stdout.write(`${key} ${answer._tag}\n`);
}
await database.close();
