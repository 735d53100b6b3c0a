/**
 * `npm start`: the six services and the gateway stay up on the documented ports, with data under `.data/`, seeded where something is missing; prints what a newcomer can paste.
 * `npm start -- --database postgres://…` keeps the services' records, and the saga's journal, in a Postgres database instead, in a schema each.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { couponContract } from "@backstep/coupon/contract";
import { createClient } from "@backstep/http-adapter/client";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { productContract } from "@backstep/product/contract";
import { seed } from "./seed.ts";
import { type ServiceProcess, startServiceProcess } from "./service-process.ts";
import { PROCESS_NAMES, type ProcessName, SERVICE_NAMES } from "./settings.ts";
import { PORTS, urlOf } from "./topology.ts";

const dataDir = fileURLToPath(new URL("../../../.data/", import.meta.url));
const peers = Object.fromEntries(PROCESS_NAMES.map((name) => [name, urlOf(name)]));
/** No secret: the gateway is on this machine, and holds no money. */
const API_KEY = "local-key";

const database = readDatabase();

let ending = false;
const services: ServiceProcess[] = [];
process.on("SIGINT", () => void end(0));
process.on("SIGTERM", () => void end(0));

const starting = Promise.allSettled(PROCESS_NAMES.map(start));
const failures = (await starting).flatMap((each) => (each.status === "rejected" ? [messageOf(each.reason)] : []));
if (failures.length > 0) await giveUp(failures);
const { memberId, productIds, couponId } = await seed({
  members: createClient(memberContract, { baseUrl: urlOf("member") }),
  points: createClient(memberPointContract, { baseUrl: urlOf("member-point") }),
  products: createClient(productContract, { baseUrl: urlOf("product") }),
  coupons: createClient(couponContract, { baseUrl: urlOf("coupon") }),
}).catch((error: unknown) => giveUp([messageOf(error)]));

const place =
  database === undefined
    ? "with their data under .data/ (remove it to begin anew)"
    : "with their records and the saga's journal in Postgres, a schema each (remove those to begin anew)";
console.log(`Six services are up, ${place}:
${SERVICE_NAMES.map((name) => `  ${name.padEnd(13)} ${urlOf(name)}  ${urlOf(name)}/openapi.json`).join("\n")}
and a payment gateway, which moves no money and forgets when it ends, at ${urlOf("gateway")}

Place an order:

  curl -sw '\\n' ${urlOf("order")}/orders -H 'content-type: application/json' -H 'idempotency-key: "order-1"' \\
    -d '{"orderId":"order-1","memberId":"${memberId}","currency":"KRW","lines":[{"productId":"${productIds[0]}","quantity":2,"unitPriceMinor":4500}]}'

Pay it (twice, to see the same answer):

  curl -sw '\\n' ${urlOf("payment")}/checkouts -H 'content-type: application/json' -H 'idempotency-key: "pay-1"' \\
    -d '{"orderId":"order-1","memberId":"${memberId}","couponId":"${couponId}"}'

Pay another one with 5000 points, and the rest by card (an amount by card that ends in 51 is declined: spend 4949 points):

  curl -sw '\\n' ${urlOf("order")}/orders -H 'content-type: application/json' -H 'idempotency-key: "order-2"' \\
    -d '{"orderId":"order-2","memberId":"${memberId}","currency":"KRW","lines":[{"productId":"${productIds[1]}","quantity":1,"unitPriceMinor":12000}]}'
  curl -sw '\\n' ${urlOf("payment")}/checkouts -H 'content-type: application/json' -H 'idempotency-key: "pay-2"' \\
    -d '{"orderId":"order-2","memberId":"${memberId}","points":5000}'
  curl -sw '\\n' -u ${API_KEY}: ${urlOf("gateway")}/v1/authorisations

See what each step came to, and what is left:

  curl -sw '\\n' ${urlOf("payment")}/checkouts/checkout:${memberId}:pay-1
  curl -sw '\\n' '${urlOf("payment")}/payments?orderId=order-2'
  curl -sw '\\n' ${urlOf("product")}/products/${productIds[0]}
  curl -sw '\\n' ${urlOf("member-point")}/point-accounts/${memberId}/KRW

Ctrl-C ends them all.`);

for (const service of services) {
  void service.gone.then(() => {
    if (!ending) console.error(`service ${service.name} has ended; Ctrl-C, then npm start, takes up where it left off`);
  });
}

function readDatabase(): string | undefined {
  try {
    return parseArgs({ options: { database: { type: "string" } } }).values.database;
  } catch (error) {
    console.error(messageOf(error));
    process.exit(2);
  }
}

async function start(name: ProcessName): Promise<void> {
  const service = await startServiceProcess(name, { dataDir, database, port: PORTS[name], peers, apiKey: API_KEY });
  services.push(service);
}

async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await starting;
  await Promise.all(services.map((service) => service.stop()));
  process.exit(code);
}

/** One line per cause: what keeps several services from starting is told once. */
async function giveUp(causes: readonly string[]): Promise<never> {
  // Whoever ended it does not want to read what that broke.
  if (!ending) for (const cause of new Set(causes)) console.error(cause);
  await end(1);
  return new Promise<never>(() => undefined);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
