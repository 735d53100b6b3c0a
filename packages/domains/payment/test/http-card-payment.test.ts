/**
 * Goal: a card payment over HTTP is made once, whatever becomes of requests and answers on the way, and what is in doubt is decided by the gateway. Method: the payment
 * service behind the real fence, the HTTP adapter, and msw, which stands between it and the reference gateway and loses what it is told to.
 */
import { createGatewayServer, createHttpGateway, createMemoryGateway, createPaymentService, type MemoryGateway } from "@backstep/payment";
import { paymentContract } from "@backstep/payment/contract";
import { HttpResponse, http } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openRig, type Rig, STORAGES } from "../../test/rig.ts";

const network = setupServer();
beforeAll(() => network.listen({ onUnhandledFrame: "error" }));
afterEach(() => network.resetHandlers());
afterAll(() => network.close());

/** What becomes of requests to a route, by the end of its path: nothing reaches the gateway, its answer is lost, or something in between fails. */
type Fault = "loseRequest" | "loseAnswer" | "fail";

const cardMinor = 9_000;
const request = { orderId: "order-1", memberId: "ann", amount: { amountMinor: 12_000, currency: "KRW" }, cardMinor };
const amount = { amountMinor: cardMinor, currency: "KRW" };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig<typeof paymentContract>;
  let gateway: MemoryGateway;
  let faults: Map<string, Fault>;
  let paymentId: string;
  beforeEach(async () => {
    gateway = createMemoryGateway();
    faults = new Map();
    const reference = createGatewayServer({ gateway, apiKey: "key" });
    network.use(
      http.all("https://gateway.test/*", async ({ request: sent }) => {
        const { pathname } = new URL(sent.url);
        const fault = [...faults].find(([suffix]) => pathname.endsWith(suffix))?.[1];
        if (fault === "fail") return new HttpResponse("bad gateway", { status: 502 });
        if (fault === "loseRequest") return HttpResponse.error();
        const answered = await reference.fetch(sent);
        return fault === "loseAnswer" ? HttpResponse.error() : answered;
      }),
    );
    const service = createPaymentService({ gateway: createHttpGateway({ baseUrl: "https://gateway.test", apiKey: "key" }) });
    rig = await openRig(paymentContract, service, storage);
    ({ paymentId } = await rig.do("createPayment", request, "saga-1/1"));
  });
  afterEach(() => rig.close());

  const AUTHORISE = "/v1/authorisations";
  const CAPTURE = "/captures";
  const VOID = "/voids";
  const authorise = () => rig.act("authorisePayment", { paymentId, amount }, "saga-1/2");
  const release = () => rig.undo("voidAuthorisation", { paymentId, amount }, "saga-1/2");
  const capture = () => rig.act("capturePayment", { paymentId, amount, authorisationId: "authorisation-1" }, "saga-1/3");
  const state = async () => (await rig.ask("findPayment", { paymentId }))._unsafeUnwrap().state._tag;
  const held = () => gateway.held().map((each) => each.state);
  const passLease = () => {
    rig.clock.now += rig.fence.runningLeaseMs + 1;
  };
  const lost = { _tag: "GatewayFailed", why: "unanswered" };

  it("authorises and captures, and the payment is paid by both parts", async () => {
    expect(await authorise()).toEqual({
      _tag: "Succeeded",
      output: { _tag: "Authorised", authorisationId: "authorisation-1" },
      replayed: false,
    });
    expect(await capture()).toMatchObject({
      _tag: "Succeeded",
      output: { captureId: "capture-of-authorisation-1", paidAt: rig.clock.now },
    });
    expect(await capture()).toMatchObject({ _tag: "Succeeded", replayed: true });
    expect([held(), await state()]).toEqual([["Captured"], "PAID"]);
  });

  it("says what the issuer said, for good", async () => {
    const { paymentId: other } = await rig.do("createPayment", { ...request, cardMinor: 51 }, "saga-2/1");
    gateway = createMemoryGateway({ decline: () => "insufficient-funds" });
    const reference = createGatewayServer({ gateway, apiKey: "key" });
    network.use(http.all("https://gateway.test/*", ({ request: sent }) => reference.fetch(sent)));
    const act = () => rig.act("authorisePayment", { paymentId: other, amount: { ...amount, amountMinor: 51 } }, "saga-2/2");
    const rejection = { _tag: "AuthorisationDeclined", reason: "insufficient-funds" };
    expect(await act()).toEqual({ _tag: "Rejected", rejection, replayed: false });
    expect(await act()).toEqual({ _tag: "Rejected", rejection, replayed: true });
    expect(held()).toEqual([]);
  });

  it("finds a capture whose answer was lost, and pays once", async () => {
    await authorise();
    faults.set(CAPTURE, "loseAnswer");
    await expect(capture()).rejects.toMatchObject(lost);
    expect([held(), await state()]).toEqual([["Captured"], "PENDING"]);
    expect(await capture()).toEqual({ _tag: "Running", retryAfterMs: rig.fence.runningLeaseMs });
    passLease();
    expect(await capture()).toMatchObject({ _tag: "Succeeded", output: { _tag: "Captured" } });
    expect([held(), await state()]).toEqual([["Captured"], "PAID"]);
  });

  it("seals a capture whose request was lost, and the late request is refused", async () => {
    await authorise();
    faults.set(CAPTURE, "loseRequest");
    await expect(capture()).rejects.toMatchObject(lost);
    passLease();
    expect(await capture()).toEqual({ _tag: "Sealed" });
    faults.clear();
    const direct = createHttpGateway({ baseUrl: "https://gateway.test", apiKey: "key" });
    const late = { idempotencyKey: "saga-1/3", signal: new AbortController().signal };
    expect((await direct.capture({ authorisationId: "authorisation-1", amount }, late))._unsafeUnwrapErr()).toEqual({
      _tag: "GatewayKeyRefused",
      why: "sealed",
    });
    expect([held(), await state()]).toEqual([["Open"], "PENDING"]);
  });

  it("stays in doubt while the gateway cannot be asked, and whatever it is then, it is once", async () => {
    await authorise();
    faults.set(CAPTURE, "loseAnswer").set("saga-1%2F3", "fail");
    await expect(capture()).rejects.toMatchObject(lost);
    for (let asked = 0; asked < 2; asked += 1) {
      passLease();
      await expect(capture()).rejects.toMatchObject({ _tag: "GatewayFailed", why: "unexpected", status: 502 });
      expect(await state()).toBe("PENDING");
    }
    faults.clear();
    passLease();
    expect(await capture()).toMatchObject({ _tag: "Succeeded" });
    expect([held(), await state()]).toEqual([["Captured"], "PAID"]);
  });

  it("lets a reservation go whose answer was lost, also when the answer of letting it go is lost", async () => {
    faults.set(AUTHORISE, "loseAnswer").set(VOID, "loseAnswer");
    await expect(authorise()).rejects.toMatchObject(lost);
    expect(held()).toEqual(["Open"]);
    passLease();
    await expect(release()).rejects.toMatchObject(lost);
    expect(held()).toEqual(["Voided"]);
    faults.clear();
    passLease();
    expect(await release()).toMatchObject({ decision: { _tag: "Undone" } });
    expect(await authorise()).toEqual({ _tag: "Sealed" });
    expect(held()).toEqual(["Voided"]);
  });

  it("has nothing to let go where the request was lost, and it never comes", async () => {
    faults.set(AUTHORISE, "loseRequest");
    await expect(authorise()).rejects.toMatchObject(lost);
    passLease();
    expect(await release()).toMatchObject({ decision: { _tag: "NothingToUndo" } });
    const settled = await gateway.settle("saga-1/2", new AbortController().signal);
    expect([settled, held()]).toEqual([{ _tag: "Sealed" }, []]);
  });
});
