/** The six services and the gateway in this process: real handlers, real SQLite files, and a network between them that a script of fates spoils. */
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
import { hostService } from "../src/hosting.ts";
import type { HostedService, Peer } from "../src/participant-hosting.ts";
import { type Patience, PROCESS_NAMES, type ProcessName } from "../src/settings.ts";

/**
 * What becomes of one request from the payment service to another one, or to the gateway. `loseRequest`: it never arrives. `loseAnswer`: it is executed, and the connection breaks. `fail`: something
 * in between answers 500. `late`: the connection breaks, and it arrives a little later, perhaps after its undo. `twice`: it is delivered again, at once.
 */
export type Fate = "forward" | "loseRequest" | "loseAnswer" | "fail" | "late" | "twice";

/** A service that, from its `after`-th request on, is gone: nothing reaches it. */
export interface Outage {
  readonly name: ProcessName;
  readonly after: number;
}

export interface Script {
  readonly fates: readonly Fate[];
  /** Of requests to the gateway, which come late in a checkout, if at all. Default: none. */
  readonly gatewayFates?: readonly Fate[] | undefined;
  readonly outage?: Outage | undefined;
  /** The secret key that the gateway accepts. Default: the one that it is called with. */
  readonly acceptedKey?: string | undefined;
  /** For one request to the gateway. Default: so short that a busy machine leaves doubt. */
  readonly gatewayTimeoutMs?: number | undefined;
}

/** Steps give up soon. What must not be given up is given up a little later, so that an outage leads to parked sagas. */
const PATIENCE: Patience = {
  attempts: 2,
  delayMs: 1,
  delayMsMax: 5,
  timeoutMs: 2_000,
  gatewayTimeoutMs: 20,
  horizonMs: 30,
  persistentHorizonMs: 120,
  approvalMs: 200,
};
const LATE_MS = 15;
const API_KEY = "a key for tests";

export class TestServices {
  readonly services: Bookkeepers;
  readonly #dataDir = mkdtempSync(join(tmpdir(), "backstep-test-"));
  readonly #hosted = new Map<ProcessName, Promise<HostedService>>();
  readonly #late = new Set<Promise<unknown>>();
  readonly errors: unknown[] = [];
  readonly #fates: Fate[];
  readonly #gatewayFates: Fate[];
  #outage: Outage | undefined;
  readonly #acceptedKey: string;
  readonly #patience: Patience;
  readonly #passed = new Map<ProcessName, number>();

  constructor({ fates, gatewayFates = [], outage, acceptedKey = API_KEY, gatewayTimeoutMs = PATIENCE.gatewayTimeoutMs }: Script) {
    this.#fates = [...fates];
    this.#gatewayFates = [...gatewayFates];
    this.#outage = outage;
    this.#acceptedKey = acceptedKey;
    this.#patience = { ...PATIENCE, gatewayTimeoutMs };
    for (const name of PROCESS_NAMES) this.#host(name);
    const direct = (name: ProcessName): Peer => ({ baseUrl: urlOf(name), fetch: (request) => this.fetch(name, request) });
    this.services = {
      members: createClient(memberContract, direct("member")),
      points: createClient(memberPointContract, direct("member-point")),
      products: createClient(productContract, direct("product")),
      coupons: createClient(couponContract, direct("coupon")),
      orders: createClient(orderContract, direct("order")),
      payments: createClient(paymentContract, direct("payment")),
      gateway: createHttpGateway({ ...direct("gateway"), apiKey: API_KEY }),
    };
  }

  /** Straight to a service, past the spoiled network. */
  async fetch(name: ProcessName, request: Request): Promise<Response> {
    const service = await this.#hosted.get(name);
    if (service === undefined) throw new TypeError(`${name} is not hosted`);
    return service.fetch(request);
  }

  /** The payment service ends and comes back; what was in flight goes on from its journal. */
  async restartPayment(): Promise<void> {
    const service = await this.#hosted.get("payment");
    this.#hosted.delete("payment");
    await service?.close();
    this.#host("payment");
  }

  /** Who was gone is back. */
  endOutage(): void {
    this.#outage = undefined;
  }

  /** From now on nothing is spoiled, and whatever was late has arrived. */
  async calm(): Promise<void> {
    this.#fates.length = 0;
    this.#gatewayFates.length = 0;
    this.endOutage();
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async close(): Promise<void> {
    await this.calm();
    await (await this.#hosted.get("payment"))?.close();
    await Promise.all([...this.#hosted].filter(([name]) => name !== "payment").map(async ([, service]) => (await service).close()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #host(name: ProcessName): void {
    const service = hostService(name, {
      dataDir: this.#dataDir,
      apiKey: name === "gateway" ? this.#acceptedKey : API_KEY,
      peer: (peer) => ({ baseUrl: urlOf(peer), fetch: (request) => this.#pass(peer, request) }),
      patience: this.#patience,
      answerWithinMs: 250,
      onError: (error) => this.errors.push(error),
      horizonsChecked: false,
    });
    this.#hosted.set(name, service);
  }

  async #pass(name: ProcessName, request: Request): Promise<Response> {
    const count = (this.#passed.get(name) ?? 0) + 1;
    this.#passed.set(name, count);
    if (this.#outage?.name === name && count > this.#outage.after) throw broken("ECONNREFUSED");
    const fate = (name === "gateway" ? this.#gatewayFates : this.#fates).shift() ?? "forward";
    if (fate === "fail") return new Response("something between us broke", { status: 500 });
    if (fate === "loseRequest") throw broken("ECONNRESET");
    const copy = request.clone();
    if (fate === "late") {
      const delivery = new Promise((resolve) => setTimeout(resolve, LATE_MS)).then(() => this.fetch(name, unhurried(copy)));
      this.#late.add(delivery);
      void delivery.finally(() => this.#late.delete(delivery));
      throw broken("ECONNRESET");
    }
    const response = await this.fetch(name, request);
    if (fate === "loseAnswer") throw broken("ECONNRESET");
    return fate === "twice" ? this.fetch(name, copy) : response;
  }
}

/** Of names that no network knows; the gateway takes its key over a secure line only. */
function urlOf(name: ProcessName): string {
  return `${name === "gateway" ? "https" : "http"}://${name}.test`;
}

/** A request that goes on though its sender has given it up. */
function unhurried(request: Request): Request {
  const { method, headers, body } = request;
  return new Request(request.url, { method, headers, body, ...(body === null ? {} : { duplex: "half" }) });
}

/** As Node's fetch reports a connection that broke after it was made. */
function broken(code: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
}
