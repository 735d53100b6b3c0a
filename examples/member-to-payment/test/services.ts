/** The six services in this process: real handlers, real SQLite files, and a network between them that a script of fates spoils. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { couponContract } from "@backstep/coupon/contract";
import { createClient } from "@backstep/http-adapter/client";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { orderContract } from "@backstep/order/contract";
import { paymentContract } from "@backstep/payment/contract";
import { productContract } from "@backstep/product/contract";
import type { Services } from "../src/checkout.ts";
import { hostService } from "../src/hosting.ts";
import type { HostedService, Peer } from "../src/participant-hosting.ts";
import { type Patience, SERVICE_NAMES, type ServiceName } from "../src/settings.ts";

/**
 * What becomes of one request from the payment service to another. `loseRequest`: it never arrives. `loseAnswer`: it is executed, and the connection breaks. `fail`: something
 * in between answers 500. `late`: the connection breaks, and it arrives a little later, perhaps after its undo. `twice`: it is delivered again, at once.
 */
export type Fate = "forward" | "loseRequest" | "loseAnswer" | "fail" | "late" | "twice";

/** A service that, from its `after`-th request on, is gone: nothing reaches it. */
export interface Outage {
  readonly name: ServiceName;
  readonly after: number;
}

export interface Script {
  readonly fates: readonly Fate[];
  readonly outage?: Outage | undefined;
}

/** Steps give up soon. What must not be given up is given up a little later, so that an outage leads to parked sagas. */
const PATIENCE: Patience = { attempts: 2, delayMs: 1, delayMsMax: 5, timeoutMs: 2_000, horizonMs: 30, persistentHorizonMs: 120 };
const LATE_MS = 15;

export class TestServices {
  readonly services: Services;
  readonly #dataDir = mkdtempSync(join(tmpdir(), "backstep-test-"));
  readonly #hosted = new Map<ServiceName, HostedService>();
  readonly #late = new Set<Promise<unknown>>();
  readonly errors: unknown[] = [];
  readonly #fates: Fate[];
  #outage: Outage | undefined;
  readonly #passed = new Map<ServiceName, number>();

  constructor({ fates, outage }: Script) {
    this.#fates = [...fates];
    this.#outage = outage;
    for (const name of SERVICE_NAMES) this.#host(name);
    const direct = (name: ServiceName): Peer => ({ baseUrl: `http://${name}.test`, fetch: (request) => this.fetch(name, request) });
    this.services = {
      members: createClient(memberContract, direct("member")),
      points: createClient(memberPointContract, direct("member-point")),
      products: createClient(productContract, direct("product")),
      coupons: createClient(couponContract, direct("coupon")),
      orders: createClient(orderContract, direct("order")),
      payments: createClient(paymentContract, direct("payment")),
    };
  }

  /** Straight to a service, past the spoiled network. */
  fetch(name: ServiceName, request: Request): Promise<Response> {
    const service = this.#hosted.get(name);
    if (service === undefined) throw new TypeError(`${name} is not hosted`);
    return service.fetch(request);
  }

  /** The payment service ends and comes back; what was in flight goes on from its journal. */
  async restartPayment(): Promise<void> {
    const service = this.#hosted.get("payment");
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
    this.endOutage();
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async close(): Promise<void> {
    await this.calm();
    await this.#hosted.get("payment")?.close();
    await Promise.all([...this.#hosted].filter(([name]) => name !== "payment").map(([, service]) => service.close()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #host(name: ServiceName): void {
    const service = hostService(name, {
      dataDir: this.#dataDir,
      peer: (peer) => ({ baseUrl: `http://${peer}.test`, fetch: (request) => this.#pass(peer, request) }),
      patience: PATIENCE,
      answerWithinMs: 250,
      onError: (error) => this.errors.push(error),
    });
    this.#hosted.set(name, service);
  }

  async #pass(name: ServiceName, request: Request): Promise<Response> {
    const count = (this.#passed.get(name) ?? 0) + 1;
    this.#passed.set(name, count);
    if (this.#outage?.name === name && count > this.#outage.after) throw broken("ECONNREFUSED");
    const fate = this.#fates.shift() ?? "forward";
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

/** A request that goes on though its sender has given it up. */
function unhurried(request: Request): Request {
  const { method, headers, body } = request;
  return new Request(request.url, { method, headers, body, ...(body === null ? {} : { duplex: "half" }) });
}

/** As Node's fetch reports a connection that broke after it was made. */
function broken(code: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
}
