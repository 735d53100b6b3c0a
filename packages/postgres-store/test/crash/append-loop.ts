/**
 * The process that is killed: appends to its sagas side by side, and prints `<saga> <sequence>` for every append that was accepted.
 *
 * Arguments: the server; the schema; how many sagas.
 */
import { writeSync } from "node:fs";
import { createPostgresStore } from "../../src/index.ts";
import { request } from "../requests.ts";

const [connectionString = "", schema = "", sagaCount = "1"] = process.argv.slice(2);
const store = await createPostgresStore({ connectionString, schema });

async function appendTo(sagaId: string): Promise<void> {
  const journal = (await store.claim(sagaId))._unsafeUnwrap();
  const epoch = journal?.epoch ?? 1;
  for (let sequence = journal?.records.length ?? 0; ; sequence++) {
    (await store.append(request(sagaId, sequence, { epoch })))._unsafeUnwrap();
    writeSync(1, `${sagaId} ${sequence}\n`);
  }
}

await Promise.all(Array.from({ length: Number(sagaCount) }, (_, index) => appendTo(`saga-${index}`)));
