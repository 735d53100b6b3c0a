// Goal: a participant that takes something back can record why. Method: sagas over a real server; what the service's undo was told.
import { command, contract, undo } from "@backstep/contract";
import { createServer } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { type AnySaga, createEngine, createMemoryStore, fail, fault, saga, step } from "@backstep/saga-core";
import { err, ok } from "neverthrow";
import { expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../src/client.ts";
import { stepOf } from "../src/index.ts";

const input = z.strictObject({ seat: z.string() });
const seats = contract({
  name: "seats",
  operations: {
    hold: command({ summary: "Holds a seat.", path: "/holds", input, output: z.strictObject({ seat: z.string() }), rejections: [] }),
    release: undo({ summary: "Lets a seat go.", path: "/releases", undoes: "hold", input }),
  },
});

function open() {
  const told: (string | undefined)[] = [];
  const database = createMemoryDatabase();
  const server = createServer({
    contract: seats,
    database,
    fence: createFence({ database, retentionMs: 86_400_000 }),
    service: {
      hold: async (_, { seat }) => ok({ seat }),
      release: async ({ cause }) => void told.push(cause),
    },
  });
  const client = createClient(seats, { baseUrl: "http://seats.example", fetch: (request) => server.fetch(request) });
  const engineOf = (trip: AnySaga) => createEngine({ sagas: [trip], store: createMemoryStore() });
  return { told, server, hold: stepOf(client.hold, client.release), engineOf };
}

test("an undo is told the tag of the rejection that the saga goes back for", async () => {
  const { told, hold, engineOf } = open();
  const trip = saga({
    name: "trip",
    input,
    *run(seat) {
      yield* hold(seat);
      yield* fail({ _tag: "NoHotel" });
    },
  });
  expect((await engineOf(trip).run(trip, { seat: "1A" }, { id: "t" }))._unsafeUnwrapErr()).toEqual({ _tag: "NoHotel" });
  expect(told).toEqual(["NoHotel"]);
});

test("or the tag of the fault", async () => {
  const { told, hold, engineOf } = open();
  const broken = step.readOnly({ name: "weather", run: () => err(fault("Faulted", "no such route")) });
  const trip = saga({
    name: "trip",
    input,
    *run(seat) {
      yield* hold(seat);
      yield* broken();
    },
  });
  expect((await engineOf(trip).run(trip, { seat: "1A" }, { id: "t" }))._unsafeUnwrapErr()._tag).toBe("SagaFaulted");
  expect(told).toEqual(["Faulted"]);
});

test("a cause that looks otherwise stops no undo: the service is told none", async () => {
  const { told, server } = open();
  const send = (path: string, headers: Readonly<Record<string, string>>): Promise<Response> =>
    server.fetch(
      new Request(`http://seats.example${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ seat: "1A" }),
      }),
    );
  await send("/holds", { "idempotency-key": '"k"' });
  const undoes = { "backstep-undoes-key": '"k"', "backstep-undoes-issued-at": String(Date.now()), "backstep-undoes-known": "succeeded" };
  const undone = await send("/releases", { "idempotency-key": '"u"', ...undoes, "backstep-cause": "<script>" });
  expect([undone.status, told]).toEqual([200, [undefined]]);
});
