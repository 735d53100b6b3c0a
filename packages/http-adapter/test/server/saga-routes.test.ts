/**
 * Goal: a client that starts a saga over HTTP gets one answer for one key, learns where to look while there is none, and never sees anybody's data on the way. Method: a
 * real engine on a memory store behind the real routes; steps wait at gates or fail as told. `send` holds every answer against the host's OpenAPI document.
 */
import { fault } from "@backstep/saga-core";
import { createMemoryDisk } from "@backstep/saga-core/journal";
import { err, ok } from "neverthrow";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Received } from "./rig.ts";
import { openHost, type SagaHost, type Said, type Steps } from "./saga-host.ts";

const input = { client: "alice", orderId: "order-secret" };
const ID = "dispatch:alice:k1";
const STATUS_PATH = `/dispatches/${encodeURIComponent(ID)}`;
const outOfStock: Said = err({ _tag: "OutOfStock", itemId: "secret-item", requested: 3, available: 1 });

const opened: SagaHost[] = [];
afterEach(async () => {
  for (const host of opened.splice(0)) await host.close();
});

async function open(options?: Parameters<typeof openHost>[0]): Promise<SagaHost> {
  const host = await openHost(options);
  opened.push(host);
  return host;
}

const start = (host: SagaHost, key = "k1", json: unknown = input): Promise<Received> => host.send("POST", "/dispatches", { json, key });

/** A step that says when it is reached, and then waits. */
function gate(): { readonly reached: Promise<void>; readonly answer: (said: Said) => void; readonly step: () => Promise<Said> } {
  const reached = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<Said>();
  const step = (): Promise<Said> => {
    reached.resolve();
    return answered.promise;
  };
  return { reached: reached.promise, answer: answered.resolve, step };
}

async function waitFor(host: SagaHost, status: string): Promise<Received> {
  return vi.waitFor(async () => {
    const answer = await host.send("GET", STATUS_PATH);
    expect(answer.body).toMatchObject({ status });
    return answer;
  });
}

describe("a start", () => {
  it("is answered with the saga's output, and so is its repeat, which starts nothing", async () => {
    const pick = vi.fn((): Said => ok({ receipt: "r" }));
    const host = await open({ steps: { pick } });
    const first = await start(host);
    const second = await start(host);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ orderId: "order-secret", receipt: "r-secret" });
    expect(second.text).toBe(first.text);
    expect(pick).toHaveBeenCalledTimes(1);
  });

  it("has one saga for many requests of one key at once", async () => {
    const pick = vi.fn((): Said => ok({ receipt: "r" }));
    const host = await open({ steps: { pick } });
    const answers = await Promise.all(Array.from({ length: 10 }, () => start(host)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(pick).toHaveBeenCalledTimes(1);
  });

  it("is refused when its key came with another payload", async () => {
    const host = await open();
    await start(host);
    const answer = await start(host, "k1", { ...input, orderId: "other" });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:key-reused", effect: "none" });
  });

  it("under the key of another client starts a saga of its own", async () => {
    const pick = vi.fn((): Said => ok({ receipt: "r" }));
    const host = await open({ steps: { pick } });
    await start(host);
    expect((await start(host, "k1", { ...input, client: "bob" })).status).toBe(200);
    expect(pick).toHaveBeenCalledTimes(2);
  });

  it("cannot meet another client's saga, however client and key are cut", async () => {
    const pick = vi.fn((): Said => ok({ receipt: "r" }));
    const host = await open({ clientOf: ({ headers }) => headers.get("x-client") ?? undefined, steps: { pick } });
    const startAs = (client: string, key: string): Promise<Received> =>
      host.send("POST", "/dispatches", { json: input, key, headers: { "x-client": client } });
    expect((await startAs("a:b", "c")).status).toBe(200);
    expect((await startAs("a", "b:c")).status).toBe(200);
    expect(pick).toHaveBeenCalledTimes(2);
  });

  it("is answered with the domain's rejection, decided for the key, with the status that its contract gives it", async () => {
    const ship = vi.fn(() => outOfStock);
    const host = await open({ steps: { ship } });
    const first = await start(host);
    const second = await start(host);
    expect(first.status).toBe(409);
    expect(first.body).toEqual({
      type: "urn:backstep:dispatch:OutOfStock",
      title: "Out of stock",
      status: 409,
      effect: "none",
      decided: "key",
      error: { _tag: "OutOfStock", itemId: "secret-item", requested: 3, available: 1 },
    });
    expect(second.text).toBe(first.text);
    expect(ship).toHaveBeenCalledTimes(1);
  });

  it("takes a domain error for what it is, though it has the name of one of the engine's", async () => {
    const host = await openHost({ steps: { ship: () => err({ _tag: "SagaParked", sagaId: "another" }) } });
    opened.push(host);
    const answer = await host.fetch(
      new Request("http://warehouse.example/dispatches", {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": '"k1"' },
        body: JSON.stringify(input),
      }),
    );
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ type: "urn:backstep:dispatch:SagaParked", decided: "key", error: { sagaId: "another" } });
  });

  it("is a 503 that is decided when a step could not be done, without what the step said of itself", async () => {
    const host = await open({ steps: { ship: () => err(fault("Faulted", "SELECT secret")) } });
    const first = await start(host);
    const second = await start(host);
    expect(first.status).toBe(503);
    expect(first.body).toMatchObject({ type: "urn:backstep:problem:saga-faulted", effect: "none", decided: "key" });
    expect(first.text).not.toContain("secret");
    expect(second.text).toBe(first.text);
  });

  it("is accepted while the saga runs, and answered by the same key once it has ended", async () => {
    const { step, reached, answer } = gate();
    const host = await open({ answerWithinMs: 1, steps: { ship: step } });
    const accepted = await start(host);
    expect(accepted.status).toBe(202);
    expect(accepted.body).toEqual({ sagaId: ID, status: "running", location: STATUS_PATH });
    expect(accepted.headers.get("location")).toBe(STATUS_PATH);
    expect(accepted.headers.get("retry-after")).toBe("1");
    await reached;
    expect((await waitFor(host, "running")).status).toBe(200);
    answer(ok({ receipt: "late" }));
    await waitFor(host, "completed");
    await vi.waitFor(async () => {
      expect((await start(host)).body).toEqual({ orderId: "order-secret", receipt: "late" });
    });
  });

  it("is accepted as parked when an operator has to decide, and answered by the same key after that", async () => {
    const host = await open({ steps: { ship: () => outOfStock, unpick: () => err(fault("Faulted", "secret")) } });
    const parked = await start(host);
    expect(parked.status).toBe(202);
    expect(parked.body).toEqual({ sagaId: ID, status: "parked", location: STATUS_PATH });
    expect(parked.headers.get("location")).toBe(STATUS_PATH);
    (await host.engine.abandon(ID, { by: "op", reason: "secret reason" }))._unsafeUnwrap();
    const abandoned = await start(host);
    expect(abandoned.status).toBe(409);
    expect(abandoned.body).toMatchObject({ type: "urn:backstep:problem:saga-abandoned", effect: "applied", decided: "key" });
    expect(abandoned.text).not.toContain("secret");
  });

  it.each<["unreadable" | "undecodable"]>([["unreadable"], ["undecodable"]])(
    "is accepted as parked when the journal of its saga is damaged, and so says the status page (%s)",
    async (how) => {
      const disk = createMemoryDisk();
      const before = await open({ disk, steps: { ship: () => outOfStock, unpick: () => err(fault("Faulted", "secret")) } });
      await start(before);
      await before.engine.close();
      if (how === "unreadable") disk.corrupt.add(ID);
      else disk.sagas.get(ID)?.records.splice(0, 1, "{");
      const host = await open({ disk });
      await host.engine.recovered;
      const parked = await start(host);
      expect(parked.status).toBe(202);
      expect(parked.body).toEqual({ sagaId: ID, status: "parked", location: STATUS_PATH });
      const page = await host.send("GET", STATUS_PATH);
      expect(page.status).toBe(200);
      expect(page.body).toMatchObject({ sagaId: ID, saga: "dispatch", status: "parked", quarantine: "JournalCorrupt" });
    },
  );

  it("names the place to look at as the client knows it, also under a prefix", async () => {
    const { step, answer } = gate();
    const host = await open({ answerWithinMs: 1, prefix: "/api/v1", steps: { ship: step } });
    const accepted = await host.send("POST", "/api/v1/dispatches", { json: input, key: "k1" });
    const location = accepted.headers.get("location") ?? "";
    expect(location).toBe(`/api/v1${STATUS_PATH}`);
    expect((await host.send("GET", location)).status).toBe(200);
    answer(ok({ receipt: "r" }));
  });

  it("is a 503 with nothing promised when the engine is closed", async () => {
    const host = await open();
    await host.engine.close();
    const answer = await start(host);
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:unavailable", effect: "unknown" });
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("is a 503 when the store is down, and goes through with the same key when it is back", async () => {
    let down = true;
    const host = await open({ faults: { beforeCommit: () => (down ? "refuse" : undefined) } });
    const refused = await start(host);
    expect(refused.status).toBe(503);
    expect(refused.text).not.toContain("injected");
    down = false;
    expect((await start(host)).status).toBe(200);
  });

  it("is a 503 for starting and for looking once the store is closed", async () => {
    const host = await open();
    await start(host);
    await host.store.close();
    expect((await start(host)).status).toBe(503);
    expect((await host.send("GET", STATUS_PATH)).status).toBe(503);
  });

  it("that waits when the engine closes is told that the outcome is not known", async () => {
    const { step, reached, answer } = gate();
    const host = await open({ steps: { ship: step } });
    const waiting = start(host);
    await reached;
    const closing = host.engine.close();
    answer(ok({ receipt: "r" }));
    await closing;
    expect([200, 503]).toContain((await waiting).status);
  });

  it("leaves no rejection unhandled when nobody waits for it any more and its store dies", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): number => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    const { step, reached, answer } = gate();
    const host = await open({ answerWithinMs: 1, steps: { ship: step } });
    const client = new AbortController();
    const request = new Request("http://warehouse.example/dispatches", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": '"k1"' },
      body: JSON.stringify(input),
      signal: client.signal,
    });
    const accepted = host.fetch(request);
    await reached;
    client.abort();
    expect((await accepted).status).toBe(202);
    await host.store.close();
    const closing = host.engine.close();
    answer(ok({ receipt: "r" }));
    await closing;
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });

  it("takes clients of as many characters as an id of a contract has, and a key beside them", async () => {
    const host = await open();
    const answer = await start(host, crypto.randomUUID(), { ...input, client: "c".repeat(64) });
    expect(answer.status).toBe(200);
  });

  it("fills a saga's id to the last character, and says how long a key may be when that is too long", async () => {
    const host = await open();
    const client = "c".repeat(64);
    const longest = 128 - "dispatch::".length - client.length;
    expect((await start(host, "k".repeat(longest), { ...input, client })).status).toBe(200);
    const refused = await start(host, "k".repeat(longest + 1), { ...input, client });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      type: "urn:backstep:problem:request-invalid",
      detail: `for this client an Idempotency-Key has 1 to ${longest} characters of A-Z a-z 0-9 . _ : @ ~ -`,
    });
  });

  it.each<[string, unknown]>([
    ["an error", new Error("secret")],
    ["a text", "secret"],
  ])("is a 500 when what tells clients apart throws %s", async (_, thing) => {
    const host = await open({
      clientOf: () => {
        throw thing;
      },
    });
    const answer = await start(host);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("secret");
    expect(host.errors).toEqual([thing]);
  });
});

describe("a bad start", () => {
  it.each<[string, number, string, Parameters<SagaHost["send"]>[2]]>([
    ["no key", 400, "key-missing", { json: input }],
    ["an unquoted key", 400, "key-invalid", { json: input, headers: { "idempotency-key": "k1" } }],
    ["a key that fits no saga's id", 400, "request-invalid", { json: input, key: "a/b" }],
    ["a key that is too long", 400, "request-invalid", { json: input, key: "k".repeat(65) }],
    ["a question what became of the key", 400, "key-invalid", { json: input, key: "k1", headers: { "backstep-resolve": "?1" } }],
    ["a malformed body", 400, "request-invalid", { body: "{", key: "k1", headers: { "content-type": "application/json" } }],
    ["a body of another media type", 415, "media-type", { body: "{}", key: "k1", headers: { "content-type": "text/plain" } }],
    ["a body that is too large", 413, "body-too-large", { json: { ...input, notes: "x".repeat(70_000) }, key: "k1" }],
    [
      "a body that is too deep",
      400,
      "request-invalid",
      {
        body: `{"client":"alice","orderId":"o","notes":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
        key: "k1",
        headers: { "content-type": "application/json" },
      },
    ],
    ["no client", 400, "request-invalid", { json: { orderId: "o" }, key: "k1" }],
    ["a client that is too long", 400, "request-invalid", { json: { ...input, client: "c".repeat(65) }, key: "k1" }],
    ["a client that fits no saga's id", 400, "request-invalid", { json: { ...input, client: "al ice" }, key: "k1" }],
  ])("with %s is refused, and starts nothing", async (_, status, kind, sent) => {
    const host = await open();
    const answer = await host.send("POST", "/dispatches", sent);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ type: `urn:backstep:problem:${kind}`, effect: "none" });
    expect((await host.store.unfinished({ limit: 1 }))._unsafeUnwrap().sagaIds).toEqual([]);
    expect(host.errors).toEqual([]);
  });

  it("is told the flaws of its body, not that nobody is named by it", async () => {
    const clientOf = vi.fn(() => undefined);
    const host = await open({ clientOf });
    const answer = await start(host, "k1", { ...input, orderId: 7 });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      type: "urn:backstep:problem:request-invalid",
      detail: expect.stringContaining("input/orderId: ") as string,
    });
    expect(clientOf).not.toHaveBeenCalled();
  });

  it("is told that its client is missing once the body is flawless", async () => {
    const host = await open({ clientOf: () => undefined });
    expect((await start(host)).body).toMatchObject({ detail: "who asks is missing or malformed" });
  });

  it("with an input that the saga's schema refuses is refused in few words", async () => {
    const host = await open({ clientOf: () => "alice" });
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`member${index}`, index]));
    const answer = await start(host, "k1", { ...input, orderId: 7, ...many });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ type: "urn:backstep:problem:request-invalid", effect: "none" });
    expect(answer.text.length).toBeLessThan(2_000);
  });

  it.each([
    ["GET", "/dispatches", "POST"],
    ["PUT", "/dispatches", "POST"],
    ["OPTIONS", "/dispatches", "POST"],
    ["DELETE", STATUS_PATH, "GET, HEAD"],
  ])("by another method is refused: %s %s", async (method, path, allow) => {
    const host = await open();
    const answer = await host.send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe(allow);
  });
});

describe("the status page", () => {
  const failing = (): Said => err(fault("Faulted", "said the card 4111-secret"));
  const throwing = (): Said => {
    throw new Error("INSERT INTO cards VALUES ('4111-secret')");
  };
  const states: readonly [string, Steps, readonly string[]][] = [
    ["completed", {}, ["pick action succeeded", "ship action succeeded"]],
    ["compensated", { ship: () => outOfStock }, ["pick action succeeded", "ship action rejected", "pick compensation succeeded"]],
    ["compensated", { ship: failing }, ["pick action succeeded", "ship action faulted", "pick compensation succeeded"]],
    [
      "compensated",
      { ship: throwing },
      ["pick action succeeded", "ship action inDoubt", "ship compensation succeeded", "pick compensation succeeded"],
    ],
    [
      "parked",
      { ship: throwing, unpick: () => err(fault("EvidenceLost", "4111-secret")) },
      ["pick action succeeded", "ship action inDoubt", "ship compensation succeeded", "pick compensation parked"],
    ],
  ];

  it.each(states)("tells every step of a saga that is %s, and nobody's data", async (status, steps, expected) => {
    const host = await open({ steps });
    await start(host);
    const answer = await waitFor(host, status);
    const { operations, ...rest } = answer.body as {
      readonly operations: readonly { readonly step: string; readonly slot: string; readonly outcome: string }[];
    };
    expect(rest).toMatchObject({ sagaId: ID, saga: "dispatch", version: 1, status });
    expect(operations.map(({ step, slot, outcome }) => `${step} ${slot} ${outcome}`)).toEqual(expected);
    expect(answer.text).not.toMatch(/secret|4111|INSERT/);
  });

  it("tells of a saga that runs, and nobody's data", async () => {
    const { step, reached, answer } = gate();
    const host = await open({ answerWithinMs: 1, steps: { ship: step } });
    await start(host);
    await reached;
    const running = await waitFor(host, "running");
    expect(running.body).toMatchObject({
      operations: [
        { step: "pick", outcome: "succeeded" },
        { step: "ship", outcome: "open" },
      ],
    });
    expect(running.text).not.toContain("secret");
    answer(ok({ receipt: "r" }));
  });

  it("is a 404 for what is no saga of this name, and for what no saga can be called", async () => {
    const host = await open();
    for (const id of ["dispatch:alice:k9", "x", "%00", "%zz", "%ff", "a%2Fb", "__proto__", "x".repeat(200), "%ED%A0%80"]) {
      const answer = await host.send("GET", `/dispatches/${id}`);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ type: "urn:backstep:problem:no-such-saga", effect: "none" });
    }
  });

  it("answers HEAD without a body", async () => {
    const host = await open();
    await start(host);
    const answer = await host.send("HEAD", STATUS_PATH);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe("");
  });
});
