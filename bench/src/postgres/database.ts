/** A database of one's own on a server that others use before and after. */
import { randomUUID } from "node:crypto";
import { Client } from "pg";

export interface OwnDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** @param serverUrl - Of the server's database `postgres`, as its superuser. */
export async function createDatabase(serverUrl: string): Promise<OwnDatabase> {
  const name = `bench_${randomUUID().replaceAll("-", "")}`;
  // What the contender before left for the next checkpoint is not this one's to pay for.
  await onServer(serverUrl, `CREATE DATABASE ${name}`, "CHECKPOINT");
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`) };
}

export async function postgresVersion(serverUrl: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly server_version: string }>("SHOW server_version");
    return rows[0]?.server_version ?? "unknown";
  } finally {
    await client.end();
  }
}

async function onServer(serverUrl: string, ...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
