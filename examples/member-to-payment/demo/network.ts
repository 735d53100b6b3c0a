/** Six services and a payment gateway as processes, a proxy before each one that the payment service calls, and clients that read them past the proxies. */
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
import { productContract } from "@backstep/product/contract";
import type { Bookkeepers } from "../src/conservation.ts";
import { type ServiceProcess, startServiceProcess } from "../src/service-process.ts";
import { type Patience, PROCESS_NAMES, type ProcessName, type ServiceSettings } from "../src/settings.ts";
import { Proxy } from "./proxy.ts";

export type PeerName = Exclude<ProcessName, "payment">;
const PEERS = PROCESS_NAMES.filter((name): name is PeerName => name !== "payment");

/** Short, so that a demo that waits for budgets to run out does not take all day. */
const PATIENCE: Patience = {
  attempts: 3,
  delayMs: 40,
  delayMsMax: 200,
  timeoutMs: 400,
  gatewayTimeoutMs: 200,
  horizonMs: 3_000,
  persistentHorizonMs: 2_500,
  approvalMs: 60_000,
};
const ANSWER_WITHIN_MS = 6_000;
const API_KEY = "demo-key";

export class Network {
  readonly services: Bookkeepers;
  readonly #dataDir: string;
  readonly #processes: Map<PeerName, ServiceProcess>;
  readonly #proxies: ReadonlyMap<PeerName, Proxy>;
  readonly #paymentSettings: ServiceSettings;
  #payment: ServiceProcess;
  #restart: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  static async start(): Promise<Network> {
    const dataDir = mkdtempSync(join(tmpdir(), "backstep-demo-"));
    // However this process ends, but for SIGKILL.
    process.on("exit", () => rmSync(dataDir, { recursive: true, force: true }));
    const processes = new Map<PeerName, ServiceProcess>();
    const proxies = new Map<PeerName, Proxy>();
    try {
      await allDone(
        PEERS.map(async (name) => {
          const service = await startServiceProcess(name, { dataDir, port: 0, peers: {}, apiKey: API_KEY });
          processes.set(name, service);
          const proxy = new Proxy(service.url);
          await proxy.up();
          proxies.set(name, proxy);
        }),
      );
      const peers = Object.fromEntries(PEERS.map((name) => [name, proxies.get(name)?.url]));
      const settings = { dataDir, port: 0, peers, apiKey: API_KEY, patience: PATIENCE, answerWithinMs: ANSWER_WITHIN_MS };
      return new Network(dataDir, processes, proxies, settings, await startServiceProcess("payment", settings));
    } catch (error) {
      await Promise.all([...processes.values()].map((service) => service.stop()));
      throw error;
    }
  }

  private constructor(
    dataDir: string,
    processes: Map<PeerName, ServiceProcess>,
    proxies: ReadonlyMap<PeerName, Proxy>,
    settings: ServiceSettings,
    payment: ServiceProcess,
  ) {
    this.#dataDir = dataDir;
    this.#processes = processes;
    this.#proxies = proxies;
    // A restarted payment service comes back where it was.
    this.#paymentSettings = { ...settings, port: Number(new URL(payment.url).port) };
    this.#payment = payment;
    const direct = (name: PeerName): { readonly baseUrl: string } => ({ baseUrl: this.#processes.get(name)?.url ?? "" });
    this.services = {
      members: createClient(memberContract, direct("member")),
      points: createClient(memberPointContract, direct("member-point")),
      products: createClient(productContract, direct("product")),
      coupons: createClient(couponContract, direct("coupon")),
      orders: createClient(orderContract, direct("order")),
      payments: createClient(paymentContract, { baseUrl: payment.url }),
      gateway: createHttpGateway({ ...direct("gateway"), apiKey: API_KEY }),
    };
  }

  get paymentUrl(): string {
    return this.#payment.url;
  }

  proxy(name: PeerName): Proxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw new TypeError(`there is no proxy before ${name}`);
    return proxy;
  }

  /** A quiet network: everything up, everything forwarded. */
  async calm(): Promise<void> {
    for (const proxy of this.#proxies.values()) {
      proxy.setRule(() => "forward");
      await proxy.up();
    }
  }

  /** SIGKILL to the payment service: it has no chance to finish anything. */
  async killPayment(): Promise<void> {
    await this.#payment.kill();
  }

  async restartPayment(): Promise<void> {
    if (this.#closing !== undefined) throw new Error("the network is being closed");
    this.#restart = startServiceProcess("payment", this.#paymentSettings).then((payment) => {
      this.#payment = payment;
    });
    await this.#restart;
  }

  /** Ends every process and removes every file. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#restart?.catch(() => undefined);
    // First whoever calls the others, so that it does not find them gone.
    await this.#payment.stop();
    await Promise.all([...this.#processes.values()].map((service) => service.stop()));
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.down()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** Rejects when all have come to an end, not at the first that failed: a process that is still starting would outlive what is cleaned up. */
async function allDone(attempts: readonly Promise<void>[]): Promise<void> {
  for (const attempt of await Promise.allSettled(attempts)) if (attempt.status === "rejected") throw attempt.reason;
}
