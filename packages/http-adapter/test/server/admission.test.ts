/**
 * Goal: a service that is behind turns calls away before it has done anything for them, and answers the others in the order in which they came. Method: a real server with room for one call, whose
 * service waits at a gate that the test opens.
 */
import { createServer } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase, OptionInvalid } from "@backstep/participant";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { Admission } from "../../src/server/admission.ts";
import { warehouse } from "../warehouse.ts";
import { openRig, type Received, type Rig, stock } from "./rig.ts";
import { createWarehouseService } from "./warehouse-service.ts";

const OVERLOADED = { type: "urn:backstep:problem:unavailable", effect: "none" };

describe("a server with room for one call", () => {
  const gates: (() => void)[] = [];
  const done: string[] = [];

  afterEach(() => {
    gates.length = 0;
    done.length = 0;
  });

  /** Adding an item named `slow…` waits at the gate, once inside. */
  async function open(waitMsMax: number): Promise<Rig> {
    const service = createWarehouseService();
    const addItem: typeof service.addItem = async (context, input) => {
      if (input.itemId.startsWith("slow")) await new Promise<void>((resolve) => gates.push(resolve));
      done.push(input.itemId);
      return service.addItem(context, input);
    };
    const rig = await openRig("memory", { service: { ...service, addItem }, callsMax: 1, waitMsMax });
    onTestFinished(() => rig.close());
    return rig;
  }

  const add = (rig: Rig, itemId: string, headers: Readonly<Record<string, string>> = {}): Promise<Received> =>
    rig.send("POST", "/items", { json: { itemId, label: "shelf" }, key: `add-${itemId}`, headers });

  /** A call that is inside, and stays there until `letGo`. */
  async function occupy(rig: Rig): Promise<{ readonly letGo: () => void; readonly answer: Promise<Received> }> {
    const answer = add(rig, "slow");
    await expect.poll(() => gates.length, { timeout: 15_000 }).toBe(1);
    return { answer, letGo: () => gates[0]?.() };
  }

  it("answers 503 without effect when its turn does not come, and the key is as fresh as before", async () => {
    const rig = await open(1);
    const slow = await occupy(rig);
    const refused = await add(rig, "bolt");
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject(OVERLOADED);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(done).toEqual([]);
    slow.letGo();
    expect((await slow.answer).status).toBe(200);
    const again = await add(rig, "bolt");
    expect({ status: again.status, replayed: again.replayed }).toEqual({ status: 200, replayed: false });
  });

  it("answers all who wait, queries among them, and its health check meanwhile", async () => {
    const rig = await open(600_000);
    const slow = await occupy(rig);
    const waiting = [...["a", "b"].map((itemId) => add(rig, itemId)), rig.send("GET", "/items/slow")];
    expect((await rig.send("GET", "/healthz")).status).toBe(200);
    expect(done).toEqual([]);
    slow.letGo();
    expect((await Promise.all([slow.answer, ...waiting])).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it("does not let a caller wait for longer than half of its own time", async () => {
    const rig = await open(600_000);
    const slow = await occupy(rig);
    const hasty = await add(rig, "bolt", { "backstep-timeout-ms": "20" });
    expect(hasty.status).toBe(503);
    expect(hasty.body).toMatchObject(OVERLOADED);
    slow.letGo();
    await slow.answer;
  });

  it("turns a query and an event away likewise", async () => {
    const rig = await open(1);
    await stock(rig, "bolt", 5);
    const slow = await occupy(rig);
    const query = await rig.send("GET", "/items/bolt");
    const event = await rig.send("POST", "/events", {
      json: { specversion: "1.0", id: "e1", source: "/s", type: "com.example.stock.arrived.v1", data: { itemId: "bolt", units: 7 } },
      headers: { "content-type": "application/cloudevents+json" },
    });
    expect([query, event].map(({ status }) => status)).toEqual([503, 503]);
    slow.letGo();
    await slow.answer;
    expect(await rig.units("bolt")).toBe(5);
  });

  it("gives its place back when the call fails", async () => {
    const rig = await open(1);
    await rig.database.close();
    expect((await add(rig, "bolt")).status).toBe(503);
    const second = await add(rig, "bolt");
    expect(second.body).toMatchObject({ effect: "unknown" });
  });
});

it("gives places to calls of sagas first, of a kind in the order in which they came, and none to who comes while one is handed on", async () => {
  const admission = new Admission({ callsMax: 1, waitMsMax: 600_000 });
  const [gate, order] = [Promise.withResolvers<Response>(), [] as string[]];
  const come = (name: string): Promise<Response> =>
    admission.admit({ inSaga: name.startsWith("saga") }, async () => {
      order.push(name);
      return new Response(name);
    });
  const inside = admission.admit({ inSaga: false }, () => gate.promise);
  const waiting = ["a", "saga a", "b", "saga b"].map(come);
  gate.resolve(new Response("inside"));
  await inside;
  await Promise.all([...waiting, come("late")]);
  expect(order).toEqual(["saga a", "saga b", "a", "b", "late"]);
});

it.each([{ callsMax: 0 }, { callsMax: 1.5 }, { waitMsMax: -1 }, { waitMsMax: 600_001 }, { waitMsMax: Number.NaN }])(
  "refuses %o",
  (wrong) => {
    const database = createMemoryDatabase();
    const fence = createFence({ database, retentionMs: 60_000 });
    expect(() => createServer({ contract: warehouse, service: createWarehouseService(), database, fence, ...wrong })).toThrow(
      OptionInvalid,
    );
  },
);
