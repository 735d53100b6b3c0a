/** What is to be broken: one Postgres, five services and three payment workers on it, the gateway outside, and a link between any two that talk. Owns the processes, and ends them all. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { couponContract } from "@backstep/coupon/contract";
import { createClient } from "@backstep/http-adapter/client";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { orderContract } from "@backstep/order/contract";
import { createHttpGateway } from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import { type PostgresServer, startPostgres } from "@backstep/postgres-server";
import { productContract } from "@backstep/product/contract";
import type { Bookkeepers } from "../src/conservation.ts";
import type { Patience, ProcessName, ServiceSettings } from "../src/settings.ts";
import type { Log } from "./log.ts";
import { Proxy } from "./proxy.ts";
import { Seat } from "./seat.ts";

export const LEASE_MS = 3_000;
const WORKERS = ["payment-1", "payment-2", "payment-3"] as const;
const PEERS = ["member", "member-point", "product", "coupon", "order", "gateway"] as const;
const SEATS = [...PEERS, ...WORKERS] as const;
type SeatName = (typeof SEATS)[number];
const API_KEY = "chaos-key";
const ANSWER_WITHIN_MS = 5_000;
/** So few that a checkout is mostly over before the next death of its worker, which comes every quarter of a minute. */
const IN_MEMORY_MAX = 24;
/** Ten connections and one for each of eight databases, and seven for each of three journals. */
const CONNECTIONS_MAX = 250;

/**
 * Each step but the last gives up soon enough to be taken back while it may still happen. Nobody gives up what must be done, and the pivot is asked about, for longer than anything stays away here: what is parked when all
 * is well again is a defect.
 */
const PATIENCE: Patience = {
  attempts: 4,
  delayMs: 50,
  delayMsMax: 5_000,
  timeoutMs: 2_000,
  gatewayTimeoutMs: 1_000,
  horizonMs: 180_000,
  persistentHorizonMs: 60 * 60 * 1_000,
  approvalMs: 5_000,
};

/** Who is at the end of a link that the command itself uses. */
const CLIENT = "client";
const DATABASE = "postgres";

export class Fleet {
  readonly postgres: PostgresServer;
  readonly seats: readonly Seat[];
  readonly links: readonly Proxy[];
  readonly services: Bookkeepers;
  readonly #dataDir: string;

  static async start(log: Log): Promise<Fleet> {
    const dataDir = mkdtempSync(join(tmpdir(), "backstep-chaos-"));
    // However this process ends, but for SIGKILL.
    process.on("exit", () => rmSync(dataDir, { recursive: true, force: true }));
    const postgres = await startPostgres({ settings: { max_connections: CONNECTIONS_MAX } });
    const fleet = new Fleet(postgres, dataDir, log, await openLinks());
    try {
      await Promise.all(fleet.seats.map((seat) => seat.fill()));
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  private constructor(postgres: PostgresServer, dataDir: string, log: Log, links: readonly Proxy[]) {
    this.postgres = postgres;
    this.links = links;
    this.#dataDir = dataDir;
    this.seats = SEATS.map((name) => new Seat({ name, service: serviceOf(name), log, settings: () => this.#settingsOf(name) }));
    for (const link of links) {
      const seat = this.seats.find(({ name }) => link.name.endsWith(` → ${name}`));
      link.target = () => (seat === undefined ? postgres.port : seat.port);
    }
    const direct = (name: string): { readonly baseUrl: string } => ({ baseUrl: this.#link(CLIENT, name).url });
    this.services = {
      members: createClient(memberContract, direct("member")),
      points: createClient(memberPointContract, direct("member-point")),
      products: createClient(productContract, direct("product")),
      coupons: createClient(couponContract, direct("coupon")),
      orders: createClient(orderContract, direct("order")),
      payments: createClient(paymentContract, direct("payment-1")),
      gateway: createHttpGateway({ ...direct("gateway"), apiKey: API_KEY }),
    };
  }

  /** Where clients reach the payment workers. */
  get workerUrls(): readonly string[] {
    return WORKERS.map((name) => this.#link(CLIENT, name).url);
  }

  /** Where each process that has a database says how it is, by name. */
  get healthUrls(): ReadonlyMap<string, string> {
    return new Map(
      this.seats.filter(({ service }) => service !== "gateway").map(({ name }) => [name, `${this.#link(CLIENT, name).url}/healthz`]),
    );
  }

  /** Every link that ends at a process, or begins there. */
  linksOf(name: string): readonly Proxy[] {
    return this.links.filter((link) => link.name.split(" → ").includes(name));
  }

  /** All is well: links open, Postgres up, every seat filled. */
  async heal(): Promise<void> {
    for (const link of this.links) link.heal();
    await this.postgres.start();
    await Promise.all(this.seats.map((seat) => seat.fill()));
  }

  /** Ends every process, and removes every file. */
  async close(): Promise<void> {
    await Promise.all(this.seats.map((seat) => seat.close()));
    await Promise.all(this.links.map((link) => link.close()));
    await this.postgres.close();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #link(from: string, to: string): Proxy {
    const found = this.links.find(({ name }) => name === linkName(from, to));
    if (found === undefined) throw new TypeError(`there is no link from ${from} to ${to}`);
    return found;
  }

  #settingsOf(name: SeatName): ServiceSettings {
    const own = { dataDir: this.#dataDir, port: 0, apiKey: API_KEY };
    if (name === "gateway") return { ...own, peers: {} };
    const database = `postgres://postgres@127.0.0.1:${this.#link(name, DATABASE).port}/postgres`;
    if (serviceOf(name) !== "payment") return { ...own, database, peers: {} };
    const peers = Object.fromEntries(PEERS.map((peer) => [peer, this.#link(name, peer).url]));
    return { ...own, database, peers, patience: PATIENCE, answerWithinMs: ANSWER_WITHIN_MS, leaseMs: LEASE_MS, inMemoryMax: IN_MEMORY_MAX };
  }
}

async function openLinks(): Promise<readonly Proxy[]> {
  const databased = SEATS.filter((name) => name !== "gateway");
  const ends = [
    ...SEATS.map((name) => [CLIENT, name]),
    ...WORKERS.flatMap((worker) => PEERS.map((peer) => [worker, peer])),
    ...databased.map((name) => [name, DATABASE]),
  ];
  return Promise.all(ends.map(([from = "", to = ""]) => Proxy.open(linkName(from, to))));
}

function linkName(from: string, to: string): string {
  return `${from} → ${to}`;
}

function serviceOf(name: SeatName): ProcessName {
  return (PEERS as readonly string[]).includes(name) ? (name as ProcessName) : "payment";
}
