/**
 * Goal: the health check tells the truth, and events have one effect however they travel and however often. Method: the real server with a real inbox; effects are read
 * in the stock.
 */
import { formatEvent } from "@backstep/participant";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRig, type Received, type Rig, type Sent, STORAGES, stock } from "./rig.ts";

const arrival = {
  specversion: "1.0",
  id: "e1",
  source: "/suppliers/1",
  type: "com.example.stock.arrived.v1",
  datacontenttype: "application/json",
  data: { itemId: "bolt", units: 7 },
} as const;

describe.each(STORAGES)("on %s", (storage) => {
  let rig: Rig;

  beforeEach(async () => {
    rig = await openRig(storage);
    await stock(rig, "bolt", 5);
  });
  afterEach(() => rig.close());

  const deliver = (sent: Sent): Promise<Received> => rig.send("POST", "/events", sent);
  const structured = (event: unknown): Sent => ({
    body: JSON.stringify(event),
    headers: { "content-type": "application/cloudevents+json" },
  });

  it("the health check says ok while the database answers, and is a 503 from then on", async () => {
    const healthy = await rig.send("GET", "/healthz");
    await rig.database.close();
    const ill = await rig.send("GET", "/healthz");
    expect(healthy.status).toBe(200);
    expect(healthy.body).toEqual({ status: "ok" });
    expect(ill.status).toBe(503);
    expect(ill.body).toMatchObject({ type: "urn:backstep:problem:unavailable", effect: "none" });
    expect(ill.headers.get("retry-after")).toBe("1");
  });

  it.each(["binary", "structured"] as const)("an event in %s mode has one effect, however often it is delivered", async (mode) => {
    const { headers, body } = formatEvent(arrival, mode);
    for (let delivery = 1; delivery <= 3; delivery++) expect((await deliver({ headers, body })).status).toBe(204);
    expect(await rig.units("bolt")).toBe(12);
  });

  it("an event has one effect over both modes, and when it is delivered side by side", async () => {
    const messages = (["binary", "structured"] as const).flatMap((mode) => Array.from({ length: 5 }, () => formatEvent(arrival, mode)));
    const answers = await Promise.all(messages.map(({ headers, body }) => deliver({ headers, body })));
    expect(answers.map(({ status }) => status)).toEqual(messages.map(() => 204));
    expect(await rig.units("bolt")).toBe(12);
  });

  it("events of the same id from two sources are two events", async () => {
    await deliver(structured(arrival));
    await deliver(structured({ ...arrival, source: "/suppliers/2" }));
    expect(await rig.units("bolt")).toBe(19);
  });

  it("an event of a type that nobody waits for is taken, dropped and not remembered", async () => {
    const before = await rig.rows();
    expect((await deliver(structured({ ...arrival, type: "com.example.other.v1" }))).status).toBe(204);
    expect(await rig.rows()).toEqual(before);
  });

  it.each<[string, Sent]>([
    ["nothing", {}],
    ["no attributes", { body: "{}", headers: { "content-type": "application/json" } }],
    ["an event without id", structured({ ...arrival, id: undefined })],
    ["an event of another version", structured({ ...arrival, specversion: "0.3" })],
    ["an event with an empty type", structured({ ...arrival, type: "" })],
    ["no JSON", { body: "arrived", headers: { "content-type": "application/cloudevents+json" } }],
    ["an array", structured([arrival])],
    ["a batch", { body: JSON.stringify([arrival]), headers: { "content-type": "application/cloudevents-batch+json" } }],
    ["data that does not fit", structured({ ...arrival, data: { itemId: "bolt", units: -1 } })],
    ["data with a member too many", structured({ ...arrival, data: { ...arrival.data, colour: "red" } })],
    ["no data", structured({ ...arrival, data: undefined })],
    ["data in base64", structured({ ...arrival, data: undefined, data_base64: "e30=" })],
    [
      "data that is not UTF-8",
      {
        body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
        headers: { "content-type": "application/json", "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/s", "ce-type": arrival.type },
      },
    ],
    [
      "an attribute that is not percent-encoded UTF-8",
      {
        body: "{}",
        headers: {
          "content-type": "application/json",
          "ce-specversion": "1.0",
          "ce-id": "%ff",
          "ce-source": "/s",
          "ce-type": arrival.type,
        },
      },
    ],
    [
      "data nested too deep",
      {
        body: JSON.stringify({ ...arrival, data: { ...arrival.data, notes: 0 } }).replace(
          '"notes":0',
          `"notes":${"[".repeat(5_000)}${"]".repeat(5_000)}`,
        ),
        headers: { "content-type": "application/cloudevents+json" },
      },
    ],
  ])("%s instead of an event is refused, and has no effect", async (_, sent) => {
    const before = await rig.rows();
    const answer = await deliver(sent);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:request-invalid", effect: "none" });
    expect(await rig.rows()).toEqual(before);
    expect(rig.errors).toEqual([]);
  });

  it("an event that is too large is refused", async () => {
    const answer = await deliver(structured({ ...arrival, subject: "x".repeat(70_000) }));
    expect(answer.status).toBe(413);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:body-too-large" });
  });
});

it("a handler that fails leaves no trace, tells nobody but the host, and gets the event again", async () => {
  let broken = true;
  const { takeArrivedStock } = await import("./warehouse-service.ts");
  const rig = await openRig("sqlite", {
    events: [
      {
        ...takeArrivedStock,
        async handle(transaction, data, now) {
          await takeArrivedStock.handle(transaction, data, now);
          if (broken) throw new Error("alice's card");
        },
      },
    ],
  });
  await stock(rig, "bolt", 5);
  const { headers, body } = formatEvent(arrival);
  const first = await rig.send("POST", "/events", { headers, body });
  expect(first.status).toBe(500);
  expect(first.body).toMatchObject({ effect: "unknown" });
  expect(first.text).not.toContain("alice");
  expect(rig.errors).toHaveLength(1);
  expect(await rig.units("bolt")).toBe(5);
  broken = false;
  expect((await rig.send("POST", "/events", { headers, body })).status).toBe(204);
  expect(await rig.units("bolt")).toBe(12);
  await rig.close();
});

it("a server that waits for no events has no route for them, and describes none", async () => {
  const rig = await openRig("memory", { events: undefined });
  const { headers, body } = formatEvent(arrival);
  expect((await rig.send("POST", "/events", { headers, body })).status).toBe(404);
  expect(Object.keys(rig.document.paths)).not.toContain("/events");
  await rig.close();
});
