/**
 * Goal: over HTTP, too, an operation has at most one effect, a decision is told the same way ever after, and an undo is safe in every order. Method: the real server
 * on the real fence, on each database; effects are counted in the stock, answers compared as texts.
 */
import { ok } from "neverthrow";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRig, RETENTION_MS, type Received, type Rig, STORAGES, stock } from "./rig.ts";
import { closedOrderTable } from "./warehouse-service.ts";

const RESERVATIONS = "/items/bolt/reservations";
const RELEASES = "/items/bolt/releases";
const two = { orderId: "o1", quantity: 2 };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await openRig(storage);
    await stock(rig, "bolt", 5);
  });
  afterEach(async () => {
    await rig.close();
    expect(rig.errors).toEqual([]);
  });

  const reserve = (key: string, json: unknown = two, headers: Readonly<Record<string, string>> = {}): Promise<Received> =>
    rig.send("POST", RESERVATIONS, { json, key, headers });
  const release = (key: string, undoes: string, headers: Readonly<Record<string, string>> = {}): Promise<Received> =>
    rig.send("POST", RELEASES, {
      json: two,
      key,
      headers: {
        "backstep-undoes-key": `"${undoes}"`,
        "backstep-undoes-issued-at": String(rig.clock.now),
        "backstep-undoes-known": "inDoubt",
        ...headers,
      },
    });
  const resolve = (key: string, headers: Readonly<Record<string, string>> = {}): Promise<Received> =>
    reserve(key, two, { "backstep-resolve": "?1", ...headers });

  it("runs a command once and answers its repeat from the record, byte for byte", async () => {
    const first = await reserve("k1");
    const second = await reserve("k1");
    expect(first.status).toBe(200);
    expect(first.replayed).toBe(false);
    expect(first.body).toEqual({ reservationId: "k1", left: 3 });
    expect(second.status).toBe(200);
    expect(second.replayed).toBe(true);
    expect(second.text).toBe(first.text);
    expect(await rig.units("bolt")).toBe(3);
  });

  it("takes a payload for the same when only the order of its members differs", async () => {
    await reserve("k1");
    const second = await reserve("k1", { quantity: 2, orderId: "o1" });
    expect(second.replayed).toBe(true);
    expect(await rig.units("bolt")).toBe(3);
  });

  it("remembers a rejection and repeats it when the reason for it is gone", async () => {
    const nine = { orderId: "o1", quantity: 9 };
    const first = await reserve("k1", nine);
    await rig.send("PUT", "/items/bolt/stock", { json: { units: 100 }, key: "more" });
    const second = await reserve("k1", nine);
    expect(first.status).toBe(409);
    expect(first.body).toMatchObject({
      type: "urn:backstep:warehouse:OutOfStock",
      title: "Out of stock",
      effect: "none",
      decided: "key",
      error: { _tag: "OutOfStock", itemId: "bolt", requested: 9, available: 5 },
    });
    expect(second.replayed).toBe(true);
    expect(second.text).toBe(first.text);
    expect(await rig.units("bolt")).toBe(100);
  });

  it("answers a query's rejection without claiming that it is decided for a key", async () => {
    const answer = await rig.send("GET", "/items/nut");
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ type: "urn:backstep:warehouse:ItemUnknown", error: { itemId: "nut" } });
    expect(answer.body).not.toHaveProperty("decided");
  });

  it("refuses another payload, or another operation, under a key that is taken", async () => {
    await reserve("k1");
    const otherBody = await reserve("k1", { orderId: "o1", quantity: 3 });
    const otherItem = await rig.send("POST", "/items/nut/reservations", { json: two, key: "k1" });
    const otherOperation = await rig.send("PUT", "/items/bolt/stock", { json: { units: 1 }, key: "k1" });
    for (const answer of [otherBody, otherItem, otherOperation]) {
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({ type: "urn:backstep:problem:key-reused", effect: "none" });
    }
    expect(await rig.units("bolt")).toBe(3);
  });

  it("executes exactly one of many duplicates that come at once", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => reserve("k1")));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(await rig.units("bolt")).toBe(3);
  });

  it("answers a repeat before it asks the business guards", async () => {
    const first = await reserve("k1");
    await rig.database.transaction((transaction) => transaction.put(closedOrderTable, { orderId: "o1" }));
    expect((await reserve("k1")).text).toBe(first.text);
    expect((await reserve("k2")).body).toMatchObject({ error: { _tag: "OrderClosed" } });
  });

  it("takes an action back once, and seals its key", async () => {
    await reserve("k1");
    const first = await release("u1", "k1");
    const second = await release("u1", "k1");
    const late = await reserve("k1");
    expect(first.body).toEqual({ _tag: "Undone" });
    expect(first.replayed).toBe(false);
    expect(second.text).toBe(first.text);
    expect(second.replayed).toBe(true);
    expect(late.status).toBe(410);
    expect(await rig.units("bolt")).toBe(5);
  });

  it("takes an action back although a business guard fell since", async () => {
    await reserve("k1");
    await rig.database.transaction((transaction) => transaction.put(closedOrderTable, { orderId: "o1" }));
    expect((await release("u1", "k1")).body).toEqual({ _tag: "Undone" });
    expect(await rig.units("bolt")).toBe(5);
  });

  it("lets an undo overtake its action: nothing is undone, and the late action finds its key sealed", async () => {
    const undone = await release("u1", "k1");
    const late = await reserve("k1");
    expect(undone.body).toEqual({ _tag: "NothingToUndo" });
    expect(late.status).toBe(410);
    expect(late.body).toMatchObject({ type: "urn:backstep:problem:sealed", effect: "none", decided: "key" });
    expect(await rig.units("bolt")).toBe(5);
  });

  it("has nothing to undo for an action that was rejected", async () => {
    await reserve("k1", { orderId: "o1", quantity: 9 });
    expect((await release("u1", "k1")).body).toEqual({ _tag: "NothingToUndo" });
  });

  it("runs exactly one of many undos that come at once", async () => {
    await reserve("k1");
    const answers = await Promise.all(Array.from({ length: 10 }, () => release("u1", "k1")));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await rig.units("bolt")).toBe(5);
  });

  it("wants an undo to have a key of its own", async () => {
    await reserve("k1");
    const answer = await release("k1", "k1");
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:key-invalid", effect: "none" });
    expect(await rig.units("bolt")).toBe(3);
  });

  it("undoes nothing when the key to undo is that of another operation", async () => {
    const answer = await release("u1", "stock-bolt-5");
    expect(answer.status).toBe(422);
    expect(await rig.units("bolt")).toBe(5);
  });

  it("says that evidence is lost, and goes on saying it, when an action that is known to have succeeded left no row", async () => {
    const known = { "backstep-undoes-known": "succeeded" };
    const first = await release("u1", "k1", known);
    const second = await release("u1", "k1", known);
    const late = await reserve("k1");
    for (const answer of [first, second, late]) {
      expect(answer.status).toBe(410);
      expect(answer.body).toMatchObject({ type: "urn:backstep:problem:evidence-lost", effect: "unknown" });
      expect(answer.body).not.toHaveProperty("decided");
    }
    expect(await rig.units("bolt")).toBe(5);
  });

  it("does not run an action that was issued before the fence's memory begins", async () => {
    const answer = await reserve("k1", two, { "backstep-issued-at": String(rig.clock.now - RETENTION_MS - 1) });
    expect(answer.status).toBe(410);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:evidence-lost", effect: "unknown" });
    expect(await rig.units("bolt")).toBe(5);
  });

  it("tells an asker that an action was applied, with the recorded answer", async () => {
    const first = await reserve("k1");
    const answer = await resolve("k1");
    expect(answer.text).toBe(first.text);
    expect(answer.replayed).toBe(true);
    expect(await rig.units("bolt")).toBe(3);
  });

  it("tells an asker that an action was rejected, for the key", async () => {
    const first = await reserve("k1", { orderId: "o1", quantity: 9 });
    const answer = await resolve("k1");
    expect(answer.text).toBe(first.text);
    expect(answer.body).toMatchObject({ decided: "key" });
  });

  it("seals the key of an action that never came, before it says so", async () => {
    const answer = await resolve("k1");
    const late = await reserve("k1");
    for (const sealed of [answer, late]) {
      expect(sealed.status).toBe(410);
      expect(sealed.body).toMatchObject({ type: "urn:backstep:problem:sealed", decided: "key" });
    }
    expect(await rig.units("bolt")).toBe(5);
  });

  it("does not claim to know of an action that is older than its memory", async () => {
    const answer = await resolve("k1", { "backstep-issued-at": String(rig.clock.now - RETENTION_MS - 1) });
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:evidence-lost", effect: "unknown" });
  });

  it("tells an asker what became of an undo", async () => {
    await reserve("k1");
    await release("u1", "k1");
    const asked = await rig.send("POST", RELEASES, { json: two, key: "u1", headers: { "backstep-resolve": "?1" } });
    expect(asked.body).toEqual({ _tag: "Undone" });
    expect(asked.replayed).toBe(true);
  });

  it("runs an action whose asker says that it does not ask", async () => {
    const answer = await reserve("k1", two, { "backstep-resolve": "?0" });
    expect(answer.status).toBe(200);
    expect(await rig.units("bolt")).toBe(3);
  });

  it("says that an operation is running, and when to come back", async () => {
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const input = { itemId: "bolt", ...two };
    const operation = { key: "k1", name: "warehouse.reserve", input, issuedAt: rig.clock.now };
    const running = rig.fence.intend(operation, {
      async effect() {
        reached.resolve();
        await gate.promise;
        return ok({ reservationId: "k1", left: 0 });
      },
    });
    await reached.promise;
    for (const answer of [await reserve("k1"), await resolve("k1"), await release("u1", "k1")]) {
      expect(answer.status).toBe(409);
      expect(answer.body).toMatchObject({ type: "urn:backstep:problem:running", effect: "unknown" });
      expect(answer.headers.get("retry-after")).toBe("30");
    }
    gate.resolve();
    await running;
    expect((await reserve("k1")).text).toBe('{"reservationId":"k1","left":0}');
  });

  it("tells the service whose saga it is called for", async () => {
    await reserve("k1", two, { "backstep-saga-id": "checkout:m1:abc" });
    expect((await rig.rows())["backstep_fence"]).toContainEqual(expect.objectContaining({ key: "k1", sagaId: "checkout:m1:abc" }));
  });
});
