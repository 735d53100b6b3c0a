/**
 * Goal: over HTTP, too, an effect in somebody else's system is made once, its answer is never guessed, and it is taken back safely in every order. Method: the real
 * server on the real fence, on each database, with a courier whose line loses requests and answers; what the courier has is compared with what callers were told.
 */
import { createServer, ServiceInvalid } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Courier, type CourierRig, courier, createCourierService, LEASE_MS, openCourier } from "./courier.ts";
import { type Received, STORAGES } from "./rig.ts";

const parcel = { parcelId: "p1", grams: 500 };

describe.each(STORAGES)("on %s", (storage) => {
  let rig: CourierRig;

  beforeEach(async () => {
    rig = await openCourier(storage);
  });
  afterEach(() => rig.close());

  const sendIt = (key = "k1", json: object = parcel, headers: Readonly<Record<string, string>> = {}): Promise<Received> =>
    rig.send("POST", "/parcels", { json, key, headers });
  const ask = (key = "k1", json: object = parcel): Promise<Received> => sendIt(key, json, { "backstep-resolve": "?1" });
  const recall = (known = "inDoubt", key = "u1"): Promise<Received> =>
    rig.send("POST", "/parcels/recalls", {
      json: parcel,
      key,
      headers: {
        "backstep-undoes-key": '"k1"',
        "backstep-undoes-issued-at": String(rig.clock.now),
        "backstep-undoes-known": known,
        "backstep-cause": "OutOfStock",
      },
    });
  const where = async (parcelId = "p1"): Promise<unknown> => (await rig.send("GET", `/parcels/${parcelId}`)).body;
  const away = (): readonly string[] => [...rig.outside.away.values()];
  const passLease = (): void => {
    rig.clock.now += LEASE_MS + 1;
  };
  const expectUnknown = (answer: Received): void => {
    expect([answer.status, answer.body]).toMatchObject([500, { type: "urn:backstep:problem:unexpected", effect: "unknown" }]);
    expect(answer.body).not.toHaveProperty("decided");
  };
  const expectRunning = (answer: Received): void => {
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([409, "30"]);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:running", effect: "unknown" });
  };
  const expectSealed = (answer: Received): void => {
    expect(answer.status).toBe(410);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:sealed", effect: "none", decided: "key" });
  };

  it("makes the effect once, writes down what follows from it, and answers repeats from the record", async () => {
    const first = await sendIt();
    const second = await sendIt();
    expect([first.status, first.replayed, first.body]).toEqual([200, false, { trackingId: "track-p1" }]);
    expect([second.status, second.replayed, second.text]).toEqual([200, true, first.text]);
    expect([await where(), rig.outside.calls]).toEqual([{ where: "away" }, ["take k1"]]);
  });

  it("remembers a rejection, of the service or of the courier, for the key", async () => {
    const heavy = { parcelId: "p2", grams: 1_001 };
    await sendIt();
    const answers = [await sendIt("k2", heavy), await sendIt("k2", heavy), await sendIt("k3")];
    expect(answers.map(({ body }) => body)).toMatchObject([
      { decided: "key", error: { _tag: "TooHeavy", gramsMax: 1_000 } },
      { decided: "key", error: { _tag: "TooHeavy", gramsMax: 1_000 } },
      { decided: "key", error: { _tag: "ParcelGone", parcelId: "p1" } },
    ]);
    expect(rig.outside.calls).toEqual(["take k1", "take k2"]);
    expect(await where("p2")).toEqual({ where: "here" });
  });

  it("does not know, and says so, when the courier's answer is lost; after the lease it asks, and the effect stands once", async () => {
    rig.outside.lose = "answer";
    expectUnknown(await sendIt());
    expect(rig.errors).toEqual([new TypeError("the courier's answer was lost")]);
    expectRunning(await sendIt());
    expect(await where()).toEqual({ where: "leaving" });
    passLease();
    expect((await sendIt()).body).toEqual({ trackingId: "track-p1" });
    expect([away(), await where(), rig.outside.calls]).toEqual([["p1"], { where: "away" }, ["take k1", "ask k1"]]);
  });

  it("answers a deciding query by asking the courier: applied when it was, sealed when it was not", async () => {
    rig.outside.lose = "answer";
    await sendIt();
    expectRunning(await ask());
    passLease();
    const applied = await ask();
    expect([applied.status, applied.replayed, applied.body]).toEqual([200, true, { trackingId: "track-p1" }]);
    expect((await sendIt()).text).toBe(applied.text);

    rig.outside.lose = "request";
    const other = { parcelId: "p2", grams: 1 };
    await sendIt("k2", other);
    passLease();
    expectSealed(await ask("k2", other));
    expectSealed(await sendIt("k2", other));
    expect(await where("p2")).toEqual({ where: "here" });
    expect(await rig.outside.take("k2", "p2", 1)).toEqual({ _tag: "Sealed" });
    expect(away()).toEqual(["p1"]);
  });

  it("seals a key that never came without bothering the courier", async () => {
    expectSealed(await ask());
    expectSealed(await sendIt());
    expect(rig.outside.calls).toEqual([]);
  });

  it("takes an effect back once, and seals its key", async () => {
    await sendIt();
    const first = await recall();
    const second = await recall();
    expect([first.body, second.text, second.replayed]).toEqual([{ _tag: "Undone" }, first.text, true]);
    expectSealed(await sendIt());
    expect([away(), await where(), rig.outside.calls]).toEqual([[], { where: "here" }, ["take k1", "recall track-p1"]]);
  });

  it("settles an effect that nobody knows of before it takes it back", async () => {
    rig.outside.lose = "answer";
    await sendIt();
    expectRunning(await recall());
    passLease();
    expect((await recall()).body).toEqual({ _tag: "Undone" });
    expect([away(), rig.outside.calls]).toEqual([[], ["take k1", "ask k1", "recall track-p1"]]);
  });

  it("has nothing to take back of a request that was lost, and the courier will refuse it", async () => {
    rig.outside.lose = "request";
    await sendIt();
    passLease();
    expect((await recall()).body).toEqual({ _tag: "NothingToUndo" });
    expect(await rig.outside.take("k1", "p1", 500)).toEqual({ _tag: "Sealed" });
    expect([away(), await where()]).toEqual([[], { where: "here" }]);
  });

  it("lets an undo overtake its action, and the late action finds its key sealed", async () => {
    expect((await recall()).body).toEqual({ _tag: "NothingToUndo" });
    expectSealed(await sendIt());
    expect(rig.outside.calls).toEqual([]);
  });

  it("tells an asker what became of an undo", async () => {
    await sendIt();
    await recall();
    const asked = await rig.send("POST", "/parcels/recalls", { json: parcel, key: "u1", headers: { "backstep-resolve": "?1" } });
    expect([asked.body, asked.replayed]).toEqual([{ _tag: "Undone" }, true]);
  });

  it.each<[string, unknown]>([
    ["an output with a member too many", { _tag: "Succeeded", output: { trackingId: "t", customer: "alice" } }],
    ["no output", { _tag: "Succeeded", output: undefined }],
    ["a rejection that is not declared", { _tag: "Rejected", rejection: { _tag: "OnStrike", customer: "alice" } }],
    ["a rejection with a member too many", { _tag: "Rejected", rejection: { _tag: "TooHeavy", gramsMax: 1, customer: "alice" } }],
  ])("what its contract does not know stays in doubt, whether the courier answers it or is asked: %s", async (_, lie) => {
    rig.outside.lie = lie;
    const told = await sendIt();
    expectUnknown(told);
    passLease();
    expectUnknown(await sendIt());
    passLease();
    expectUnknown(await ask());
    expect(told.text).not.toContain("alice");
    expect(rig.errors).toHaveLength(3);
    expect(rig.errors).toMatchObject(Array.from({ length: 3 }, () => ({ _tag: "ContractBroken" })));
    rig.outside.lie = undefined;
    passLease();
    expect((await ask()).body).toEqual({ trackingId: "track-p1" });
  });

  it("a guard's rejection that its contract does not know leaves nothing behind", async () => {
    const broken = await openCourier(storage, (service) => ({
      ...service,
      sendParcel: {
        ...service.sendParcel,
        partsFor: (input: typeof parcel) => ({
          ...service.sendParcel.partsFor(input),
          prepare: async () => err({ _tag: "OnStrike", customer: "alice" }),
        }),
      },
    }));
    const told = await broken.send("POST", "/parcels", { json: parcel, key: "k1" });
    expectUnknown(told);
    expect([told.text.includes("alice"), broken.outside.calls]).toEqual([false, []]);
    await broken.close();
  });
});

describe("a server does not start", () => {
  const service = createCourierService(new Courier());
  const database = createMemoryDatabase();
  const start = (change: object) =>
    createServer({
      contract: courier,
      service: { ...service, ...change },
      database,
      fence: createFence({ database, retentionMs: 60_000 }),
    });

  it.each<[string, object, string]>([
    [
      "whose command is foreign and its undo is not",
      { recallParcel: async () => undefined },
      "courier.sendParcel is foreign and recallParcel is not",
    ],
    [
      "whose undo is foreign and its command is not",
      { sendParcel: async () => ok({ trackingId: "t" }) },
      "courier.recallParcel is foreign and sendParcel is not",
    ],
    ["that has a foreign query", { findParcel: service.sendParcel }, "courier.findParcel is a query"],
  ])("%s", (_, change, message) => {
    expect(() => start(change)).toThrow(ServiceInvalid);
    expect(() => start(change)).toThrow(message);
  });
});
