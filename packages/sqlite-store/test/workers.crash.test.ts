// Goal: workers in processes of their own share one file: whatever is killed, frozen past its lease or told to end, every saga ends as it should, once (I20; FS-35, FS-36, FS-39, FS-40). Method: real processes and
// signals at instants nobody chose; participants keep a ledger of every call beside the file.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openDatabase } from "../src/open-database.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const script = fileURLToPath(new URL("./crash/run-worker.ts", import.meta.url));
const WORKERS = 3;
const SAGAS_EACH = 40;
const LEASE_MS = 400;
const FAULTS = 12;

test("killed, frozen past its lease, or told to end, no worker loses a saga, and none is driven by two", { timeout: 90_000 }, async () => {
  const folder = temporaryFolder();
  const [path, ledger] = [join(folder, "journal.db"), join(folder, "ledger")];
  writeFileSync(ledger, "");
  const faults: string[] = [];
  const complaints: string[] = [];
  const open = (name: string): ChildProcess => {
    const child = spawn(process.execPath, ["--conditions=source", script, path, ledger, name, String(SAGAS_EACH)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => complaints.push(text));
    return child;
  };
  const names = Array.from({ length: WORKERS }, (_, at) => `w${at}`);
  const lives = new Map(names.map((name) => [name, open(name)]));
  for (let fault = 0; fault < FAULTS; fault++) {
    await sleep(200 + Math.random() * 500);
    const name = names[Math.floor(Math.random() * WORKERS)] ?? "";
    const child = lives.get(name);
    if (child === undefined || child.exitCode !== null) continue;
    const what = (["SIGKILL", "SIGSTOP", "SIGTERM"] as const)[fault % 3] ?? "SIGKILL";
    faults.push(`${what} ${name}`);
    child.kill(what);
    if (what === "SIGSTOP") {
      await sleep(2 * LEASE_MS);
      child.kill("SIGCONT");
    } else {
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      lives.set(name, open(name));
    }
  }
  const exits = await Promise.all([...lives.values()].map(async (child) => (child.exitCode ?? (await once(child, "exit"))[0]) as number));
  expect([exits, complaints], faults.join(", ")).toEqual([[0, 0, 0], []]);

  const database = openDatabase({ path, synchronous: "NORMAL", busyTimeoutMs: 1_000 });
  const ended = database.prepare("SELECT saga_id, status FROM sagas ORDER BY saga_id").all();
  database.close();
  const expected = names.flatMap((name) =>
    Array.from({ length: SAGAS_EACH }, (_, at) => ({ saga_id: `${name}-${at}`, status: at % 3 === 0 ? "compensated" : "completed" })),
  );
  expect(ended.map((row) => ({ ...row }))).toEqual(expected.toSorted((one, other) => (one.saga_id < other.saga_id ? -1 : 1)));
  // As participants' tables would have it: a call that is repeated under its key changes nothing.
  const calls = [...new Set(readFileSync(ledger, "utf8").trimEnd().split("\n"))];
  for (const { saga_id: id, status } of expected) {
    const forth = [0, 1, 2, 3].map((at) => `${id}/run/step-${at}/action`);
    const back = [2, 1, 0].map((at) => `${id}/run/step-${at}/compensation`);
    const told = calls.filter((key) => key.startsWith(`${id}/`) && key !== `${id}/run/step-3/compensation`);
    expect(told, faults.join(", ")).toEqual(status === "completed" ? forth : [...forth.slice(0, 3), ...back]);
  }
});
