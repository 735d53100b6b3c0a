/**
 * Goal: what goes wrong inside stays inside: the caller learns that the effect is unknown, the host learns everything. Method: services and databases that fail in the
 * ways that real ones do, with secrets in their errors that must not come out.
 */
import { createFence, createMemoryDatabase, type Database, DatabaseUnavailable } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { describe, expect, it } from "vitest";
import { openRig, type Received, type Rig, stock } from "./rig.ts";
import { createWarehouseService, type WarehouseService } from "./warehouse-service.ts";

const SECRET = "SELECT card FROM customers WHERE id = 'alice-4111'";
const service = createWarehouseService();
const good = { orderId: "o1", quantity: 2 };

async function failing(broken: Partial<Record<keyof WarehouseService, unknown>>): Promise<Rig> {
  const rig = await openRig("sqlite", { service: { ...service, ...broken } as WarehouseService });
  await stock(rig, "bolt", 5);
  return rig;
}

function expectUnknown(answer: Received, status: 500 | 503): void {
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({
    type: `urn:backstep:problem:${status === 500 ? "unexpected" : "unavailable"}`,
    effect: "unknown",
  });
  expect(answer.text).not.toMatch(/alice|4111|SELECT|\bat \/|\.ts:\d|node_modules/);
}

const reserve = (rig: Rig, key = "k1"): Promise<Received> => rig.send("POST", "/items/bolt/reservations", { json: good, key });
const release = (rig: Rig): Promise<Received> =>
  rig.send("POST", "/items/bolt/releases", {
    json: good,
    key: "u1",
    headers: { "backstep-undoes-key": '"k1"', "backstep-undoes-issued-at": String(rig.clock.now), "backstep-undoes-known": "succeeded" },
  });

describe("a service that throws", () => {
  const thrown: readonly [string, unknown][] = [
    ["an error", new Error(SECRET)],
    ["a text", SECRET],
    ["an object", { _tag: "OutOfStock", message: SECRET }],
    ["nothing", undefined],
    ["an error that says what to answer", Object.assign(new Error(SECRET), { status: 200, getResponse: () => new Response(SECRET) })],
  ];

  it.each(thrown)("%s is a 500 for a command, has no effect, and may be tried again", async (_, thing) => {
    let broken = true;
    const rig = await failing({
      reserve: async (...given: Parameters<WarehouseService["reserve"]>) => {
        const done = await service.reserve(...given);
        if (broken) throw thing;
        return done;
      },
    });
    expectUnknown(await reserve(rig), 500);
    expect(rig.errors).toEqual([thing]);
    expect(await rig.units("bolt")).toBe(5);
    broken = false;
    expect((await reserve(rig)).body).toEqual({ reservationId: "k1", left: 3 });
    await rig.close();
  });

  it.each(thrown)("%s is a 500 for a query and for an undo", async (_, thing) => {
    const fail = (): never => {
      throw thing;
    };
    const rig = await failing({ countLabel: fail, release: fail });
    expectUnknown(await rig.send("GET", "/labels/x/count"), 500);
    await reserve(rig);
    expectUnknown(await release(rig), 500);
    expect(rig.errors).toEqual([thing, thing]);
    expect(await rig.units("bolt")).toBe(3);
    await rig.close();
  });
});

describe("a service whose answer its contract does not know", () => {
  it.each<[string, unknown]>([
    ["an output with a member too many", ok({ reservationId: "k1", left: 3, customer: SECRET })],
    ["an output of the wrong type", ok({ reservationId: "k1", left: "3" })],
    ["an output that is no JSON", ok({ reservationId: "k1", left: 3n })],
    ["no output", ok(undefined)],
    ["nothing at all", undefined],
    ["a rejection that is not declared", err({ _tag: "Frozen", customer: SECRET })],
    ["a rejection with a member too many", err({ _tag: "OrderClosed", orderId: "o1", customer: SECRET })],
    ["a rejection that is none", err(SECRET)],
  ])("is a 500 for a command, recorded nowhere, and told to the host: %s", async (_, answer) => {
    const rig = await failing({ reserve: async () => answer });
    const before = await rig.rows();
    expectUnknown(await reserve(rig), 500);
    expect(await rig.rows()).toEqual(before);
    expect(rig.errors).toHaveLength(1);
    await rig.close();
  });

  it.each<[string, unknown]>([
    ["an output with a member too many", ok({ label: "x", items: 1, customer: SECRET })],
    ["a rejection that is not declared", err({ _tag: "Frozen", customer: SECRET })],
    ["nothing at all", undefined],
  ])("is a 500 for a query, and told to the host: %s", async (_, answer) => {
    const rig = await failing({ countLabel: async () => answer });
    expectUnknown(await rig.send("GET", "/labels/x/count"), 500);
    expect(rig.errors).toHaveLength(1);
    await rig.close();
  });

  it("is a 500 for a recorded rejection that the contract no longer knows", async () => {
    const rig = await failing({});
    const input = { itemId: "bolt", ...good };
    await rig.fence.act({ key: "k1", name: "warehouse.reserve", input, issuedAt: rig.clock.now }, async () =>
      err({ _tag: "Frozen", customer: SECRET }),
    );
    expectUnknown(await reserve(rig), 500);
    expect(rig.errors).toHaveLength(1);
    await rig.close();
  });
});

describe("a database that fails", () => {
  it("is a 503 when it cannot be reached, for every kind of operation and for events", async () => {
    const rig = await openRig("sqlite");
    await rig.database.close();
    const event = { specversion: "1.0", id: "e1", source: "/s", type: "com.example.stock.arrived.v1", data: { itemId: "bolt", units: 1 } };
    const answers = [
      await reserve(rig),
      await release(rig),
      await rig.send("GET", "/items/bolt"),
      await rig.send("POST", "/events", { body: JSON.stringify(event), headers: { "content-type": "application/cloudevents+json" } }),
    ];
    for (const answer of answers) {
      expectUnknown(answer, 503);
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    expect(rig.errors).toHaveLength(answers.length);
    await rig.close();
  });

  it("is a 503 when the answer of a commit is lost, and the repeat finds what was committed", async () => {
    let lost = false;
    const wrap = (database: Database): Database => ({
      ...database,
      async transaction(body) {
        const value = await database.transaction(body);
        if (!lost) return value;
        throw new DatabaseUnavailable(SECRET, { cause: new Error(SECRET) });
      },
    });
    const rig = await openRig("sqlite", { wrap });
    await stock(rig, "bolt", 5);
    lost = true;
    expectUnknown(await reserve(rig), 503);
    lost = false;
    const repeat = await reserve(rig);
    expect(repeat.replayed).toBe(true);
    expect(await rig.units("bolt")).toBe(3);
    await rig.close();
  });

  it("is a 500 when what it holds is damaged, and nobody else's row is shown", async () => {
    const rig = await failing({});
    const damaged = { name: "warehouse_items", key: () => "bolt", decode: (document: unknown) => document };
    await rig.database.transaction((transaction) => transaction.put(damaged, { owner: "alice", card: "4111" }));
    expectUnknown(await rig.send("GET", "/items/bolt"), 500);
    expectUnknown(await reserve(rig), 500);
    expect(rig.errors).toHaveLength(2);
    await rig.close();
  });

  it("does not reach another service's database through the fence of this one", async () => {
    const other = createMemoryDatabase();
    const rig = await openRig("memory", { fence: createFence({ database: other, retentionMs: 60_000 }) });
    expect((await rig.send("GET", "/items/nut")).status).toBe(404);
    await other.close();
    expectUnknown(await reserve(rig), 503);
    await rig.close();
  });
});
