/** What every service of the example has: a database, a fence, a server on its contract. */
import type { AnyService, Contract } from "@backstep/contract";
import { createServer, type EventHandlers, type ServerOptions } from "@backstep/http-adapter/server";
import { createFence, createInbox, createSweeper, type Database, type FenceOptions, type Transaction } from "@backstep/participant";
import { checkoutLastsMs } from "./checkout.ts";
import type { Patience, ProcessName, ServiceName } from "./settings.ts";
import { openDatabase, type Storage } from "./storage.ts";

export interface HostedService {
  fetch(request: Request): Promise<Response>;
  /** Finishes what is in flight and closes the database. */
  close(): Promise<void>;
}

export interface HostingOptions extends Storage {
  /** Where another service is reached. */
  readonly peer: (name: ProcessName) => Peer;
  /** The payment gateway's secret key. */
  readonly apiKey: string | undefined;
  readonly patience: Patience;
  readonly answerWithinMs: number;
  /** Of a payment service that shares its journal with others: after how long, in milliseconds, they take over its sagas when it is gone. Default: the engine's. */
  readonly leaseMs?: number | undefined;
  /** How many checkouts a payment service drives at a time. Default: the engine's. */
  readonly inMemoryMax?: number | undefined;
  readonly onError: (error: unknown) => void;
  /** Whether the checkout's patience must agree with what the fences remember. Default: true; only a test may be less patient than one attempt lasts. */
  readonly horizonsChecked?: boolean | undefined;
}

export interface Peer {
  readonly baseUrl: string;
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Longer than any key of the checkout may still be used, an operator's long weekend included. */
export const FENCE_RETENTION_MS = 14 * DAY_MS;
const OPERATOR_MS = 4 * DAY_MS;

export function hostParticipant<Any extends Contract>(
  name: ServiceName,
  contract: Any,
  service: AnyService<Any, Transaction>,
  options: HostingOptions,
  events?: EventHandlers,
): HostedService {
  return serveContract(contract, service, openDatabase(name, options), { ...options, events });
}

interface ServingOptions<Any extends Contract>
  extends Pick<HostingOptions, "patience" | "onError">,
    Pick<ServerOptions<Any>, "events" | "otherPaths">,
    Pick<FenceOptions, "runningLeaseMs"> {}

/** A contract's service behind its fence. Closes the database, too. */
export function serveContract<Any extends Contract>(
  contract: Any,
  service: AnyService<Any, Transaction>,
  database: Database,
  { patience, onError, events, otherPaths, runningLeaseMs }: ServingOptions<Any>,
): HostedService {
  const callerHorizonMs = checkoutLastsMs(patience) + OPERATOR_MS;
  const fence = createFence({ database, retentionMs: FENCE_RETENTION_MS, callerHorizonMs, runningLeaseMs });
  const inbox = createInbox({ database, retentionMs: FENCE_RETENTION_MS });
  const sweeper = createSweeper({ of: [fence, inbox] });
  const server = createServer({ contract, service, database, fence, events, otherPaths, onError });
  return {
    fetch: (request) => server.fetch(request),
    async close() {
      await sweeper.stop();
      await database.close();
    },
  };
}
