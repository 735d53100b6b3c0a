// Goal: what a process was told is durable is there after it was killed, whole and once. Method: kill -9 a real process at instants nobody chose, then read what it left.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresStore } from "../src/index.ts";
import { eventIds, pendingIds, recordsOf, recordTexts } from "./requests.ts";
import { type Postgres, startServer } from "./server.ts";

const script = fileURLToPath(new URL("./crash/append-loop.ts", import.meta.url));
const SAGAS = 4;
const KILLS = 5;

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

test("killed again and again, a process finds every append that it was told of", async () => {
  const schema = postgres.newSchema();
  const counts = new Map<string, number>();
  for (let round = 0; round < KILLS; round++) {
    const accepted = await killedAfter(1 + Math.floor(Math.random() * 120), schema);
    for (const line of accepted) {
      const [sagaId = "", sequence = ""] = line.split(" ");
      counts.set(sagaId, Number(sequence) + 1);
    }
    const store = await createPostgresStore({ connectionString: postgres.url(), schema });
    const events: string[] = [];
    for (let index = 0; index < SAGAS; index++) {
      const sagaId = `saga-${index}`;
      const records = await recordsOf(store, sagaId);
      expect(records).toEqual(recordTexts(sagaId, records.length));
      expect(records.length).toBeGreaterThanOrEqual(counts.get(sagaId) ?? 0);
      events.push(...[...records.keys()].flatMap((sequence) => eventIds(sagaId, sequence)));
    }
    expect((await pendingIds(store)).toSorted()).toEqual(events.toSorted());
    await store.close();
  }
  expect(counts.size).toBeGreaterThan(0);
});

/** `<saga> <sequence>`, in the order they were accepted. */
async function killedAfter(lines: number, schema: string): Promise<readonly string[]> {
  const parameters = ["--conditions=source", script, postgres.url(), schema, String(SAGAS)];
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.split("\n").length > lines) child.kill("SIGKILL");
  });
  const signal = await new Promise((resolve) => child.once("close", (_code, by) => resolve(by)));
  expect(signal).toBe("SIGKILL");
  // Only whole lines: the last one may have been cut off.
  return output.split("\n").slice(0, -1);
}
