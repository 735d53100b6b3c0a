/**
 * Goal: what an operator or a signal's sender says over HTTP is what the engine is told, once; whatever is malformed, unknown or refused comes back as a problem document, and nothing is begun by it.
 * Method: a real engine behind its routes, with sagas that wait or are stuck; every answer is held against the host's OpenAPI document.
 */
import type { Fault } from "@backstep/saga-core";
import { fault } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { expect, onTestFinished, test } from "vitest";
import { HELD, openHost, type SagaHost, type Steps } from "./saga-host.ts";

const input = { client: "alice", orderId: "o-1" };
const SAGA = "dispatch:alice:k1";
/** On a busy machine. */
const SOON = { timeout: 15_000 };
const operator = { by: "ops", reason: "seen in the courier's books" };

async function open(steps: Steps = {}, releaseKey?: string): Promise<SagaHost> {
  const host = await openHost({ answerWithinMs: 20, steps, releaseKey });
  onTestFinished(() => host.close());
  return host;
}

const start = (host: SagaHost, order: object = input) => host.send("POST", "/dispatches", { json: order, key: "k1" });
const say = (host: SagaHost, verb: string, json?: unknown, key?: string) =>
  host.send("POST", `/desk/sagas/${encodeURIComponent(SAGA)}/${verb}`, { json, key });
const status = async (host: SagaHost): Promise<unknown> =>
  ((await host.send("GET", `/dispatches/${encodeURIComponent(SAGA)}`)).body as { readonly status: unknown }).status;

/** A saga that went back until its undo failed, as often as it was told to. */
async function stuck(fails = 1): Promise<SagaHost> {
  let failed = 0;
  const unpick = (): Result<unknown, Fault> => {
    failed += 1;
    return failed > fails ? ok() : err(fault("Faulted", "the shelf is locked"));
  };
  const host = await open({ ship: () => err({ _tag: "OutOfStock", itemId: "bolt", requested: 1, available: 0 }), unpick });
  expect((await start(host)).body).toMatchObject({ status: "parked" });
  return host;
}

test("what is parked is listed with its operations, and tried again, it goes on", async () => {
  const host = await stuck();
  const listed = await host.send("GET", "/desk/parked");
  expect(listed.body).toMatchObject({ parked: [{ sagaId: SAGA, operations: [{ slot: "compensation" }] }] });
  const [{ operations }] = (listed.body as { readonly parked: readonly [{ readonly operations: readonly [{ readonly path: string }] }] })
    .parked;
  const retried = await say(host, "retry", { ...operator, path: operations[0].path, slot: "compensation" });
  expect(retried.status).toBe(204);
  await expect.poll(() => status(host), SOON).toBe("compensated");
  expect((await host.send("GET", "/desk/parked")).body).toEqual({ parked: [] });
});

test("what is parked is settled with evidence, or ended as it stands", async () => {
  const [settled, abandoned] = [await stuck(9), await stuck(9)];
  const { path } = (await settled.engine.parked())._unsafeUnwrap()[0]?.operations[0] ?? { path: "" };
  const order = { ...operator, path, slot: "compensation", evidence: "counted by hand", verdict: { _tag: "applied" } };
  expect((await say(settled, "settle", order)).status).toBe(204);
  await expect.poll(() => status(settled), SOON).toBe("compensated");
  expect((await say(abandoned, "abandon", operator)).status).toBe(204);
  await expect.poll(() => status(abandoned), SOON).toBe("abandoned");
});

test("a running saga is cancelled, by whom and why the journal says", async () => {
  const host = await open();
  await start(host, { ...input, notes: HELD });
  expect((await say(host, "cancel", operator)).status).toBe(204);
  await expect.poll(() => status(host), SOON).toBe("compensated");
  expect((await start(host, { ...input, notes: HELD })).body).toMatchObject({ type: "urn:backstep:problem:saga-cancelled" });
});

test("a signal is told once per key, and a second word under it is refused", async () => {
  const host = await open();
  expect((await start(host, { ...input, notes: HELD })).status).toBe(202);
  expect((await say(host, "release", { by: "head" }, "word-1")).status).toBe(204);
  await expect.poll(() => status(host), SOON).toBe("completed");
  const other = await say(host, "release", { by: "somebody else" }, "word-1");
  expect(other.status).toBe(409);
  expect(other.body).toMatchObject({ type: "urn:backstep:problem:verb-refused" });
});

test("a signal is not told by asking what became of its key", async () => {
  const host = await open();
  await start(host, { ...input, notes: HELD });
  const path = `/desk/sagas/${encodeURIComponent(SAGA)}/release`;
  const asked = await host.send("POST", path, { json: { by: "head" }, key: "k", headers: { "backstep-resolve": "?1" } });
  expect([asked.status, asked.body]).toMatchObject([400, { type: "urn:backstep:problem:key-invalid" }]);
  expect(await status(host)).not.toBe("completed");
});

test("a signal whose key the host gives needs none with the request", async () => {
  const host = await open({}, "release");
  await start(host, { ...input, notes: HELD });
  expect((await say(host, "release", { by: "head" })).status).toBe(204);
  await expect.poll(() => status(host), SOON).toBe("completed");
});

test.each<[string, string, unknown, string | undefined, number, string]>([
  ["an order without a reason", "cancel", { by: "ops" }, undefined, 400, "request-invalid"],
  ["an order with more than it has", "abandon", { ...operator, force: true }, undefined, 400, "request-invalid"],
  [
    "a verdict that is none",
    "settle",
    { ...operator, path: "p", slot: "action", evidence: "e", verdict: "applied" },
    undefined,
    400,
    "request-invalid",
  ],
  ["a payload that does not fit", "release", { by: "" }, "k", 400, "request-invalid"],
  ["a signal without its key", "release", { by: "head" }, undefined, 400, "key-missing"],
  ["a signal whose key is too long", "release", { by: "head" }, "k".repeat(256), 400, "key-invalid"],
  ["a verb on no saga", "cancel", operator, undefined, 404, "no-such-saga"],
  ["a signal to no saga", "release", { by: "head" }, "k", 404, "no-such-saga"],
  ["a saga to examine that nobody has in quarantine", "readmit", undefined, undefined, 409, "verb-refused"],
])("%s is a problem, and begins nothing", async (_, verb, json, key, code, type) => {
  const host = await open();
  const answer = await say(host, verb, json, key);
  expect([answer.status, answer.body]).toMatchObject([code, { type: `urn:backstep:problem:${type}`, effect: "none" }]);
  expect(host.errors).toEqual([]);
  expect((await host.engine.inspect(SAGA)).isErr()).toBe(true);
});

test("a verb that the saga's state does not allow is refused in the engine's words", async () => {
  const host = await open();
  expect((await start(host)).status).toBe(200);
  const refused = await say(host, "abandon", operator);
  expect(refused.status).toBe(409);
  expect(refused.body).toMatchObject({ type: "urn:backstep:problem:verb-refused", detail: expect.stringContaining("completed") });
});

test("a store that is away is unavailable, and what was said may have been heard", async () => {
  const host = await open();
  await start(host, { ...input, notes: HELD });
  await host.store.close();
  const [listed, said] = [await host.send("GET", "/desk/parked"), await say(host, "cancel", operator)];
  expect([listed.status, said.status]).toEqual([503, 503]);
  expect(said.body).toMatchObject({ effect: "unknown" });
});
