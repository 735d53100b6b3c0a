/**
 * Goal: the six services run on one Postgres database, a schema each, and outlive it: while it is gone they say so, and when it is back they go on by themselves.
 * Method: the real processes over HTTP, and a real server that is stopped, and started again.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { couponContract } from "@backstep/coupon/contract";
import { createClient } from "@backstep/http-adapter/client";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { orderContract } from "@backstep/order/contract";
import { type PostgresServer, startPostgres } from "@backstep/postgres-server";
import { productContract } from "@backstep/product/contract";
import { idempotencyKey } from "@backstep/saga-core/adapter";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CURRENCY } from "../src/conservation.ts";
import { seed } from "../src/seed.ts";
import { type ServiceProcess, startServiceProcess } from "../src/service-process.ts";
import { PROCESS_NAMES, type ProcessName, readSettings, SERVICE_NAMES } from "../src/settings.ts";

const API_KEY = "a key for tests";
const POLL = { timeout: 20_000, interval: 50 };

let server: PostgresServer;
let dataDir: string;
const processes = new Map<ProcessName, ServiceProcess>();
const ended: ProcessName[] = [];

beforeAll(async () => {
  server = await startPostgres();
  dataDir = mkdtempSync(join(tmpdir(), "backstep-test-"));
  const others = PROCESS_NAMES.filter((name) => name !== "payment");
  await Promise.all(others.map((name) => start(name, {})));
  await start("payment", Object.fromEntries(others.map((name) => [name, urlOf(name)])));
}, 60_000);

afterAll(async () => {
  await Promise.all([...processes.values()].map((service) => service.stop()));
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(name: ProcessName, peers: Readonly<Record<string, string>>): Promise<void> {
  const service = await startServiceProcess(name, { dataDir, database: server.url(), port: 0, peers, apiKey: API_KEY });
  processes.set(name, service);
  void service.gone.then(() => ended.push(name));
}

function urlOf(name: ProcessName): string {
  return processes.get(name)?.url ?? "";
}

const to = (name: ProcessName) => ({ baseUrl: urlOf(name) });
const keyed = (path: string) => ({ key: idempotencyKey({ sagaId: "test", path, slot: "action" }) });

async function health(): Promise<readonly number[]> {
  return Promise.all(SERVICE_NAMES.map(async (name) => (await fetch(`${urlOf(name)}/healthz`)).status));
}

async function pay(orderId: string, memberId: string): Promise<number> {
  const { status } = await fetch(`${urlOf("payment")}/checkouts`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": `"${orderId}"` },
    body: JSON.stringify({ orderId, memberId, points: 1_000 }),
  });
  return status;
}

test("an order is paid through six schemas, and the services outlive the server", async () => {
  const products = createClient(productContract, to("product"));
  const orders = createClient(orderContract, to("order"));
  const points = createClient(memberPointContract, to("member-point"));
  const members = createClient(memberContract, to("member"));
  const { memberId, productIds } = await seed({ members, points, products, coupons: createClient(couponContract, to("coupon")) });
  const [productId] = productIds;
  const placed = async (orderId: string) => {
    const lines = [{ productId, quantity: 2, unitPriceMinor: 4_500 }];
    (await orders.createOrder({ orderId, memberId, currency: CURRENCY, lines }, keyed(orderId)))._unsafeUnwrap();
  };
  const available = async () => (await products.findProduct({ productId }))._unsafeUnwrap().available;
  await placed("o1");
  await placed("o2");
  expect(await health()).toEqual(SERVICE_NAMES.map(() => 200));
  expect(await pay("o1", memberId)).toBe(200);
  const left = await available();

  await server.stop();
  await expect.poll(health, POLL).toEqual(SERVICE_NAMES.map(() => 503));
  const adding = () => products.addStock({ productId, quantity: 5 }, keyed("delivery"));
  expect((await adding())._unsafeUnwrapErr()).toMatchObject({ _tag: "Unknown", details: { status: 503 } });
  const asked = await fetch(`${urlOf("product")}/products/${productId}`);
  expect([asked.status, asked.headers.get("content-type")]).toEqual([503, "application/problem+json"]);
  // What looks by itself, again and again, meets it as well.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(ended).toEqual([]);

  await server.start();
  await expect.poll(health, POLL).toEqual(SERVICE_NAMES.map(() => 200));
  for (let sent = 0; sent < 2; sent++) (await adding())._unsafeUnwrap();
  expect(await available()).toBe(left + 5);
  expect(await pay("o2", memberId)).toBe(200);
  expect((await orders.findOrder({ orderId: "o2" }))._unsafeUnwrap().state._tag).toBe("PAID");
  expect(ended).toEqual([]);
}, 60_000);

test("a database that is none is told by its setting's name, and not quoted", () => {
  const settings = { dataDir: "x", database: "mysql://user:secret@host/db", port: 0, peers: {} };
  expect(() => readSettings(JSON.stringify(settings))).toThrow(/^(?!.*secret).*database: is no URL that begins with postgres:\/\//);
});
