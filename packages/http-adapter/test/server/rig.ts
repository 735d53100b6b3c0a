/**
 * The warehouse behind the real server, on a real database and a real fence, with a clock that stands still until it is moved. Whatever is sent through `send`
 * is held against the server's own OpenAPI document.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContractServer, createServer, type ServerOptions } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase, type Database, type Fence, type Table } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { warehouse } from "../warehouse.ts";
import { assertDescribed, type Document, openApi } from "./open-api-reader.ts";
import { createWarehouseService, takeArrivedStock } from "./warehouse-service.ts";

export const STORAGES = ["memory", "sqlite"] as const;
export type Storage = (typeof STORAGES)[number];

export const RETENTION_MS = 24 * 60 * 60 * 1_000;
export const ORIGIN = "http://warehouse.example";

export type Body = string | Uint8Array | ReadableStream;

export interface Sent {
  /** Sent as JSON, with the media type of JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: Body | undefined;
  /** Without its quotes. */
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `undefined` for an empty text. */
  readonly body: unknown;
  readonly replayed: boolean;
}

export interface Rig {
  readonly server: ContractServer;
  readonly database: Database;
  readonly fence: Fence;
  readonly document: Document;
  readonly clock: { now: number };
  /** What the server told its host. */
  readonly errors: unknown[];
  send(method: string, target: string, sent?: Sent): Promise<Received>;
  /** Every row there is, of the warehouse, the fence and the inbox. */
  rows(): Promise<Readonly<Record<string, readonly unknown[]>>>;
  units(itemId: string): Promise<number>;
  close(): Promise<void>;
}

type Options = Partial<ServerOptions<typeof warehouse>> & { readonly wrap?: ((database: Database) => Database) | undefined };

/** Every table, and the member that is its rows' key. */
const TABLES: Readonly<Record<string, string>> = {
  warehouse_items: "itemId",
  warehouse_reservations: "reservationId",
  warehouse_closed_orders: "orderId",
  backstep_fence: "key",
  backstep_inbox: "key",
};

export async function openRig(storage: Storage, { wrap = (database) => database, ...options }: Options = {}): Promise<Rig> {
  const clock = { now: Date.parse("2026-03-01T00:00:00Z") };
  const opened = await openDatabase(storage, () => clock.now);
  const database = wrap(opened.database);
  const fence = createFence({ database, retentionMs: RETENTION_MS });
  const errors: unknown[] = [];
  const server = createServer({
    contract: warehouse,
    service: createWarehouseService(),
    database,
    fence,
    events: [takeArrivedStock],
    onError: (error) => errors.push(error),
    ...options,
  });
  const document = openApi.parse(await (await server.fetch(new Request(`${ORIGIN}/openapi.json`))).json());
  return {
    server,
    database,
    fence,
    document,
    clock,
    errors,
    send: (method, target, sent) => send((request) => server.fetch(request), document, method, target, sent),
    async rows() {
      const lists = Object.entries(TABLES).map(async ([name, key]) => [
        name,
        await opened.database.transaction((transaction) => transaction.list(rawTable(name, key))),
      ]);
      return Object.fromEntries(await Promise.all(lists)) as Readonly<Record<string, readonly unknown[]>>;
    },
    async units(itemId) {
      const found = await send((request) => server.fetch(request), document, "GET", `/items/${itemId}`);
      return (found.body as { readonly units: number }).units;
    },
    async close() {
      await opened.database.close();
      await opened.remove();
    },
  };
}

async function openDatabase(storage: Storage, now: () => number) {
  if (storage === "memory") return { database: createMemoryDatabase({ now }), remove: async () => undefined };
  const directory = await mkdtemp(join(tmpdir(), "backstep-server-"));
  return { database: createSqliteDatabase({ path: join(directory, "test.db"), now }), remove: () => rm(directory, { recursive: true }) };
}

type RawRow = Readonly<Record<string, unknown>>;

function rawTable(name: string, key: string): Table<RawRow> {
  return { name, key: (row) => String(row[key]), decode: (document) => document as RawRow };
}

export async function send(
  fetch: (request: Request) => Promise<Response>,
  document: Document,
  method: string,
  target: string,
  { json, body, key, headers = {} }: Sent = {},
): Promise<Received> {
  const payload = json === undefined ? body : JSON.stringify(json);
  const request = new Request(`${ORIGIN}${target}`, {
    method,
    headers: {
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": `"${key}"` }),
      ...headers,
    },
    ...(payload === undefined ? {} : { body: payload, duplex: "half" as const }),
  });
  const response = await fetch(request);
  const text = await response.text();
  const { pathname: path } = new URL(request.url);
  assertDescribed(document, { method, path, status: response.status, headers: response.headers, text });
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === "" ? undefined : (JSON.parse(text) as unknown),
    replayed: response.headers.get("idempotency-replayed") === "?1",
  };
}

/** One item with so many units. */
export async function stock(rig: Rig, itemId: string, units: number): Promise<void> {
  await rig.send("POST", "/items", { json: { itemId, label: "shelf" }, key: `add-${itemId}` });
  await rig.send("PUT", `/items/${itemId}/stock`, { json: { units }, key: `stock-${itemId}-${units}` });
}
