// Goal: what the server rolled back is told from what nobody knows of, in whatever language the server speaks. Method: errors as `pg` hands them out, and a server's own.
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../src/connection/connect.ts";
import { isRefusal } from "../src/connection/postgres-failure.ts";
import { type Postgres, startServer } from "./server.ts";

function said(severity: string, code: string): unknown {
  return Object.assign(new Error("said"), { severity, code });
}

test.each([
  ["ERROR", "23505"],
  ["FEHLER", "23505"],
  ["오류", "40001"],
  ["ERREUR", "57014"],
  ["ERROR", "53100"],
])("%s %s: it was rolled back", (severity, code) => {
  expect(isRefusal(said(severity, code))).toBe(true);
});

test.each([
  ["FATAL", "57P01"],
  ["ERROR", "57P01"],
  ["FATAL", "53300"],
  ["ERROR", "08006"],
  ["ERROR", "40003"],
  ["PANIK", "XX000"],
])("%s %s: nobody knows", (severity, code) => {
  expect(isRefusal(said(severity, code))).toBe(false);
});

test("a connection that is lost says nothing", () => {
  expect(isRefusal(new Error("Connection terminated unexpectedly"))).toBe(false);
});

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startServer();
});
afterAll(() => postgres.close());

test("a commit is on disk when it is answered, and a statement is given up in time, whatever the role is used to", async () => {
  const options = { connectionString: postgres.url(), ssl: undefined, connectTimeoutMs: 5_000, answerTimeoutMs: 1_000 };
  const settings = `SELECT current_setting('synchronous_commit') AS commit, current_setting('statement_timeout') AS timeout`;
  const settingsOnceCommitIs = async (value: string) => {
    await postgres.query(`ALTER ROLE CURRENT_USER SET synchronous_commit = ${value}`);
    const client = await connect(options);
    const { rows } = await client.query<{ commit: string; timeout: string }>(settings);
    await client.end();
    return rows[0];
  };
  expect(await settingsOnceCommitIs("off")).toEqual({ commit: "on", timeout: "800ms" });
  expect(await settingsOnceCommitIs("remote_apply")).toEqual({ commit: "remote_apply", timeout: "800ms" });
});
