/** What every service of the example has: a database, a fence, a server on its contract. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AnyService, Contract } from "@backstep/contract";
import { type ContractServer, createServer, type EventHandlers, type ServerOptions } from "@backstep/http-adapter/server";
import { createFence, type Database, type FenceOptions, type Transaction } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import type { Patience, ProcessName, ServiceName } from "./settings.ts";

export interface HostedService {
  fetch(request: Request): Promise<Response>;
  /** Finishes what is in flight and closes the database. */
  close(): Promise<void>;
}

export interface HostingOptions {
  /** Folder for the service's SQLite file; created when missing. */
  readonly dataDir: string;
  /** Where another service is reached. */
  readonly peer: (name: ProcessName) => Peer;
  /** The payment gateway's secret key. */
  readonly apiKey: string | undefined;
  readonly patience: Patience;
  readonly answerWithinMs: number;
  readonly onError: (error: unknown) => void;
}

export interface Peer {
  readonly baseUrl: string;
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/** A week: longer than any horizon of the checkout, and than an operator's weekend. */
const FENCE_RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;

export function hostParticipant<Any extends Contract>(
  name: ServiceName,
  contract: Any,
  service: AnyService<Any, Transaction>,
  options: HostingOptions,
  events?: EventHandlers,
): HostedService {
  const database = openDatabase(name, options.dataDir);
  const server = serveContract(contract, service, database, { onError: options.onError, events });
  return { fetch: (request) => server.fetch(request), close: () => database.close() };
}

export function openDatabase(name: ServiceName, dataDir: string): Database {
  mkdirSync(dataDir, { recursive: true });
  return createSqliteDatabase({ path: join(dataDir, `${name}.db`) });
}

export function serveContract<Any extends Contract>(
  contract: Any,
  service: AnyService<Any, Transaction>,
  database: Database,
  { runningLeaseMs, ...options }: Pick<ServerOptions<Any>, "events" | "otherPaths" | "onError"> & Pick<FenceOptions, "runningLeaseMs">,
): ContractServer {
  const fence = createFence({ database, retentionMs: FENCE_RETENTION_MS, runningLeaseMs });
  return createServer({ contract, service, database, fence, ...options });
}
