// Goal: an action and its undo that race from two processes, both killed where they stand, leave nothing applied once the undo has answered.
// Method: real processes on real files, in both modes; SIGKILL after so many answers, and successors that finish what is left.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { expect, onTestFinished, test } from "vitest";
import { type Role, type Tally, tallies } from "./racing-process.ts";

const KEYS = 60;
const program = new URL("./racing-process.ts", import.meta.url).pathname;

/** @param answersMax - After so many answers the process is killed in what it is just doing. */
async function race(role: Role, folder: string, issuedAt: number, answersMax = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
  const parameters = [role, folder, KEYS, issuedAt].map(String);
  const child = spawn(process.execPath, ["--conditions=source", program, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    told += text;
    if (told.split("\n").length > answersMax) child.kill("SIGKILL");
  });
  await once(child, "close");
  return told.split("\n").slice(0, -1);
}

async function tallied(folder: string): Promise<ReadonlyMap<string, Tally>> {
  const all = new Map<string, Tally>();
  for (const [file, parity] of [
    ["service.db", 0],
    ["gateway.db", 1],
  ] as const) {
    const database = createSqliteDatabase({ path: join(folder, file) });
    for (const tally of await database.transaction((transaction) => transaction.list(tallies))) {
      expect(Number(tally.key.slice(4)) % 2).toBe(parity);
      all.set(tally.key, tally);
    }
    await database.close();
  }
  return all;
}

test.each([
  [5, 9],
  [20, 12],
  [17, 31],
])("killed after %i actions and %i undos, and gone on with, nothing stands that was taken back", async (actions, undos) => {
  const folder = await mkdtemp(join(tmpdir(), "backstep-race-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const issuedAt = Date.now();
  await Promise.all([race("act", folder, issuedAt, actions), race("undo", folder, issuedAt, undos)]);
  const [, undone] = await Promise.all([race("act", folder, issuedAt), race("undo", folder, issuedAt)]);
  expect(undone).toHaveLength(KEYS);
  for (const answer of undone) expect(answer).toMatch(/ (Executed|Replayed)$/);
  for (const { key, done, undone: back } of (await tallied(folder)).values()) {
    expect(done, `${key} took effect at most once`).toBeLessThanOrEqual(1);
    expect(back, `${key} was taken back as often as it took effect`).toBe(done);
  }
  // Whoever comes after the undo finds the door sealed.
  const late = await race("act", folder, issuedAt);
  expect(late).toEqual(Array.from({ length: KEYS }, (_, index) => `key-${index} Sealed`));
});
