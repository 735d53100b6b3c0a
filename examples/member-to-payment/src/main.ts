/** `npm start`: the six services and the gateway stay up on the documented ports, with data under `.data/`, seeded once; prints what a newcomer can paste. */
import { fileURLToPath } from "node:url";
import { seed } from "./seed.ts";
import { startServiceProcess } from "./service-process.ts";
import { PROCESS_NAMES, type ProcessName, SERVICE_NAMES } from "./settings.ts";
import { PORTS, urlOf } from "./topology.ts";

const dataDir = fileURLToPath(new URL("../../../.data/", import.meta.url));
const peers = Object.fromEntries(PROCESS_NAMES.map((name) => [name, urlOf(name)]));
/** No secret: the gateway is on this machine, and holds no money. */
const API_KEY = "local-key";

const settingsOf = (name: ProcessName) => ({ dataDir, port: PORTS[name], peers, apiKey: API_KEY });
const started = await Promise.allSettled(PROCESS_NAMES.map((name) => startServiceProcess(name, settingsOf(name))));
const services = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
const failed = started.flatMap((each, index) => (each.status === "rejected" ? [`${PROCESS_NAMES[index]}: ${String(each.reason)}`] : []));
if (failed.length > 0) {
  console.error(`Not every service could be started:\n${failed.join("\n")}`);
  await Promise.all(services.map((service) => service.stop()));
  process.exit(1);
}

const { memberId, productIds, couponId } = await seed();
console.log(`Six services are up, with their data under .data/ (remove it to begin anew):
${SERVICE_NAMES.map((name) => `  ${name.padEnd(13)} ${urlOf(name)}  ${urlOf(name)}/openapi.json`).join("\n")}
and a payment gateway, which moves no money and forgets when it ends, at ${urlOf("gateway")}

Place an order:

  curl -s ${urlOf("order")}/orders -H 'content-type: application/json' -H 'idempotency-key: "order-1"' \\
    -d '{"orderId":"order-1","memberId":"${memberId}","currency":"KRW","lines":[{"productId":"${productIds[0]}","quantity":2,"unitPriceMinor":4500}]}'

Pay it (twice, to see the same answer):

  curl -s ${urlOf("payment")}/checkouts -H 'content-type: application/json' -H 'idempotency-key: "pay-1"' \\
    -d '{"orderId":"order-1","memberId":"${memberId}","couponId":"${couponId}"}'

Pay another one with 5000 points, and the rest by card (an amount by card that ends in 51 is declined: spend 4949 points):

  curl -s ${urlOf("order")}/orders -H 'content-type: application/json' -H 'idempotency-key: "order-2"' \\
    -d '{"orderId":"order-2","memberId":"${memberId}","currency":"KRW","lines":[{"productId":"${productIds[1]}","quantity":1,"unitPriceMinor":12000}]}'
  curl -s ${urlOf("payment")}/checkouts -H 'content-type: application/json' -H 'idempotency-key: "pay-2"' \\
    -d '{"orderId":"order-2","memberId":"${memberId}","points":5000}'
  curl -s -u ${API_KEY}: ${urlOf("gateway")}/v1/authorisations

See what each step came to, and what is left:

  curl -s ${urlOf("payment")}/checkouts/checkout:${memberId}:pay-1
  curl -s '${urlOf("payment")}/payments?orderId=order-2'
  curl -s ${urlOf("product")}/products/${productIds[0]}
  curl -s ${urlOf("member-point")}/point-accounts/${memberId}/KRW

Ctrl-C ends them all.`);

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await Promise.all(services.map((service) => service.stop()));
  process.exit(0);
}
process.on("SIGINT", () => void end());
process.on("SIGTERM", () => void end());
for (const service of services) {
  void service.gone.then(() => {
    if (!ending) console.error(`service ${service.name} has ended; Ctrl-C, then npm start, takes up where it left off`);
  });
}
