/**
 * The payment service: payment records like any participant's, and the host of the checkout. Its steps reach the other five over HTTP, and its own records
 * through the same contract, without a network.
 */
import type { Rejection } from "@backstep/contract";
import { couponContract } from "@backstep/coupon/contract";
import { createClient } from "@backstep/http-adapter/client";
import {
  mountOperator,
  mountSaga,
  mountSignal,
  operatorPaths,
  problemResponse,
  sagaPaths,
  signalPath,
} from "@backstep/http-adapter/server";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { orderContract } from "@backstep/order/contract";
import { createHttpPublisher, createRelay } from "@backstep/participant";
import { createHttpGateway, createPaymentService, GatewayFailed, type HttpGateway, paymentContract } from "@backstep/payment";
import { productContract } from "@backstep/product/contract";
import { createEngine } from "@backstep/saga-core";
import { Hono } from "hono";
import { approval, approvalPayload, checkoutInput, checkoutOutput, createCheckout, paymentNotApproved } from "./checkout.ts";
import { ownEventsFirst } from "./own-events.ts";
import { FENCE_RETENTION_MS, type HostedService, type HostingOptions, serveContract } from "./participant-hosting.ts";
import { openDatabase, openJournal } from "./storage.ts";

const PATH = "/checkouts";
const APPROVAL_PATH = "/operator/sagas/{sagaId}/approval";

/** What a checkout can be rejected with: what its steps' contracts declare, and its own. */
const operations = [
  memberContract.operations.findPayer,
  orderContract.operations.beginPayment,
  couponContract.operations.useCoupon,
  productContract.operations.deductStock,
  memberPointContract.operations.deductPoints,
  paymentContract.operations.createPayment,
  paymentContract.operations.authorisePayment,
  paymentContract.operations.capturePayment,
  paymentContract.operations.completePayment,
];
const rejections = [paymentNotApproved, ...new Set(operations.flatMap((operation) => operation.rejections as readonly Rejection[]))];

export async function hostPayment(options: HostingOptions): Promise<HostedService> {
  const { peer, patience, answerWithinMs, leaseMs, inMemoryMax, onError, horizonsChecked = true } = options;
  const store = ownEventsFirst(await openJournal(options));
  const database = openDatabase("payment", options);
  // Whoever asks what became of a request to the gateway must not come before that request is given up.
  const runningLeaseMs = 2 * patience.gatewayTimeoutMs;
  const records = serveContract(paymentContract, createPaymentService({ gateway: reachGateway(options) }), database, {
    patience,
    onError: (error) => isDoubt(error) || onError(error),
    runningLeaseMs,
    otherPaths: () => [
      sagaPaths({ saga: checkout, path: PATH, input: checkoutInput, output: checkoutOutput, rejections }),
      operatorPaths(),
      signalPath({
        signal: approval,
        path: APPROVAL_PATH,
        payload: approvalPayload,
        summary: "Approves a large payment that waits for it, or refuses it.",
        keyed: false,
      }),
    ],
  });
  const { checkout, steps } = createCheckout(
    {
      members: createClient(memberContract, peer("member")),
      points: createClient(memberPointContract, peer("member-point")),
      products: createClient(productContract, peer("product")),
      coupons: createClient(couponContract, peer("coupon")),
      orders: createClient(orderContract, peer("order")),
      payments: createClient(paymentContract, { baseUrl: "http://payment.internal", fetch: (request) => records.fetch(request) }),
    },
    patience,
  );

  const points = peer("member-point");
  const relay = createRelay({
    outbox: store.outbox,
    publisher: createHttpPublisher({
      to: { [paymentContract.events.paymentCompleted.type]: [`${points.baseUrl}/events`] },
      ...(points.fetch === undefined ? {} : { fetch: asFetch(points.fetch) }),
    }),
    intervalMs: 250,
  });
  const engine = createEngine({
    sagas: [checkout],
    store,
    leaseMs,
    inMemoryMax,
    onEvents: () => relay.nudge(),
    horizons: horizonsChecked ? { steps, fenceRetentionMs: FENCE_RETENTION_MS, runningLeaseMs } : undefined,
  });

  void engine.recovered.then(({ quarantined }) => {
    if (quarantined > 0) onError(new Error(`sagas that this release cannot drive: ${quarantined}; see GET /operator/parked`));
  });

  const app = new Hono();
  mountSaga(app, {
    engine,
    saga: checkout,
    path: PATH,
    clientOf: (_request, input) => memberOf(input),
    answerWithinMs,
    rejections,
    onError,
  });
  mountOperator(app, { engine, onError });
  // One word per payment: whoever speaks first is heard, and may say it again.
  mountSignal(app, { engine, signal: approval, path: APPROVAL_PATH, keyOf: () => "approval", onError });
  app.all("*", ({ req }) => records.fetch(req.raw));
  app.onError((error) => {
    onError(error);
    return problemResponse("unexpected", { effect: "unknown" });
  });
  return {
    fetch: async (request) => app.fetch(request),
    async close() {
      await engine.close();
      await relay.stop();
      await store.close();
      await records.close();
    },
  };
}

function reachGateway({ peer, apiKey, patience }: HostingOptions): HttpGateway {
  if (apiKey === undefined) throw new TypeError("the payment service needs the gateway's secret key");
  return createHttpGateway({ ...peer("gateway"), apiKey, timeoutMs: patience.gatewayTimeoutMs });
}

/** A gateway that does not answer is no news: the saga has it in its journal as doubt. One that does not accept the key is for somebody to mend. */
function isDoubt(error: unknown): boolean {
  return error instanceof GatewayFailed && error.why !== "unauthorised";
}

/** Nobody signs in here, so the member who pays is the client. A real service would take the client from the request's credentials. */
function memberOf(input: unknown): string | undefined {
  const parsed = checkoutInput.safeParse(input);
  return parsed.success ? parsed.data.memberId : undefined;
}

function asFetch(send: (request: Request) => Promise<Response>): typeof fetch {
  return (input, init) => send(new Request(input, init));
}
