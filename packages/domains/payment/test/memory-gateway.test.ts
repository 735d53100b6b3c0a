/** The promises of the gateway's port, kept by the one in memory, and by the same one over HTTP, where each answer is written and read again. */
import { createGatewayServer, createHttpGateway, createMemoryGateway, type MemoryGatewayOptions } from "@backstep/payment";
import { describe, expect, it } from "vitest";

const amount = { amountMinor: 10_000, currency: "KRW" };
const call = (idempotencyKey: string) => ({ idempotencyKey, signal: new AbortController().signal });
const { signal } = new AbortController();

function overHttp(options: MemoryGatewayOptions = {}) {
  const gateway = createMemoryGateway(options);
  const apiKey = "a secret";
  const server = createGatewayServer({ gateway, apiKey });
  const client = createHttpGateway({ baseUrl: "https://gateway.test", apiKey, fetch: (request) => server.fetch(request) });
  return { ...client, held: () => gateway.held() };
}

describe.each([
  ["in memory", createMemoryGateway],
  ["over HTTP", overHttp],
])("a gateway %s", (_, createGateway) => {
  it("answers a repeated request as the first time, and does it once", async () => {
    const gateway = createGateway();
    const first = await gateway.authorise({ amount, reference: "payment-1" }, call("a"));
    expect(first._unsafeUnwrap()).toEqual({ _tag: "Authorised", authorisationId: "authorisation-1" });
    expect(await gateway.authorise({ amount, reference: "payment-1" }, call("a"))).toEqual(first);
    expect(gateway.held()).toEqual([{ authorisationId: "authorisation-1", reference: "payment-1", amount, state: "Open" }]);
  });

  it("takes a request for the same one in whatever order its members come", async () => {
    const gateway = createGateway();
    const first = await gateway.authorise({ amount, reference: "payment-1" }, call("a"));
    const turned = { reference: "payment-1", amount: { currency: "KRW", amountMinor: 10_000 } };
    expect(await gateway.authorise(turned, call("a"))).toEqual(first);
  });

  it("refuses a key that comes with another request", async () => {
    const gateway = createGateway();
    await gateway.authorise({ amount, reference: "payment-1" }, call("a"));
    const reused = { _tag: "GatewayKeyRefused", why: "reused" };
    expect((await gateway.authorise({ amount, reference: "payment-2" }, call("a")))._unsafeUnwrapErr()).toEqual(reused);
    expect((await gateway.void({ authorisationId: "authorisation-1" }, call("a")))._unsafeUnwrapErr()).toEqual(reused);
  });

  it("captures or voids an authorisation, once, and no more than was authorised", async () => {
    const gateway = createGateway();
    for (const key of ["a", "b"]) await gateway.authorise({ amount, reference: key }, call(key));
    const tooMuch = { authorisationId: "authorisation-1", amount: { amountMinor: 10_001, currency: "KRW" } };
    expect((await gateway.capture(tooMuch, call("c1")))._unsafeUnwrapErr()).toEqual({ _tag: "CaptureTooLarge", authorised: amount });
    const euros = { authorisationId: "authorisation-1", amount: { amountMinor: 1, currency: "EUR" } };
    expect((await gateway.capture(euros, call("c9")))._unsafeUnwrapErr()).toEqual({ _tag: "CaptureTooLarge", authorised: amount });
    expect((await gateway.capture({ authorisationId: "authorisation-1", amount }, call("c2"))).isOk()).toBe(true);
    expect((await gateway.void({ authorisationId: "authorisation-2" }, call("v2"))).isOk()).toBe(true);
    const captured = await gateway.void({ authorisationId: "authorisation-1" }, call("v1"));
    expect(captured._unsafeUnwrapErr()).toEqual({ _tag: "AuthorisationClosed", authorisationId: "authorisation-1", by: "Captured" });
    const voided = await gateway.capture({ authorisationId: "authorisation-2", amount }, call("c3"));
    expect(voided._unsafeUnwrapErr()).toEqual({ _tag: "AuthorisationClosed", authorisationId: "authorisation-2", by: "Voided" });
    const unknown = await gateway.capture({ authorisationId: "authorisation-9", amount }, call("c4"));
    expect(unknown._unsafeUnwrapErr()).toEqual({ _tag: "AuthorisationNotFound", authorisationId: "authorisation-9" });
  });

  it("declines what it is told to decline, and goes on declining it under the same key", async () => {
    const reasons = ["insufficient-funds"];
    const gateway = createGateway({ decline: () => reasons.pop() });
    const declined = { _tag: "AuthorisationDeclined", reason: "insufficient-funds" };
    expect((await gateway.authorise({ amount, reference: "payment-1" }, call("a")))._unsafeUnwrapErr()).toEqual(declined);
    expect((await gateway.authorise({ amount, reference: "payment-1" }, call("a")))._unsafeUnwrapErr()).toEqual(declined);
    expect((await gateway.authorise({ amount, reference: "payment-1" }, call("b"))).isOk()).toBe(true);
  });

  it("settles a key: tells its answer, or sees to it that there never is one", async () => {
    const gateway = createGateway();
    const answer = await gateway.authorise({ amount, reference: "payment-1" }, call("a"));
    expect(await gateway.settle("a", signal)).toEqual({ _tag: "Answered", answer });
    expect(await gateway.settle("b", signal)).toEqual({ _tag: "Sealed" });
    const late = await gateway.authorise({ amount, reference: "payment-2" }, call("b"));
    expect(late._unsafeUnwrapErr()).toEqual({ _tag: "GatewayKeyRefused", why: "sealed" });
    expect(await gateway.settle("b", signal)).toEqual({ _tag: "Sealed" });
    expect(gateway.held()).toHaveLength(1);
  });
});
