// Goal: what the README shows compiles and does what the text beside it says. Method: its program is a region of this file, and the README must hold it word for word.
import { readFile } from "node:fs/promises";
import { command, contract, rejection, undo } from "@backstep/contract";
import { createMemoryDatabase, type Table } from "@backstep/participant";
import { err, ok } from "neverthrow";
import { expect, test } from "vitest";
import { z } from "zod";

const seat = z.strictObject({ showId: z.string(), row: z.int() });
const ticket = z.strictObject({ ticketId: z.string() });
const cinema = contract({
  name: "cinema",
  operations: {
    takeSeat: command({
      summary: "Takes a seat.",
      path: "/shows/{showId}/seats",
      input: seat,
      output: ticket,
      rejections: [rejection("SeatTaken", { row: z.int() }, { status: 409 })],
    }),
    freeSeat: undo({ summary: "Frees it again.", path: "/shows/{showId}/seats/releases", undoes: "takeSeat", input: seat }),
  },
});

interface Seat extends z.output<typeof seat> {
  readonly ticketId: string;
}
const seats: Table<Seat> = {
  name: "seats",
  key: ({ showId, row }) => `${showId}/${row}`,
  decode: (document) => seat.extend({ ticketId: z.string() }).parse(document),
};
const database = createMemoryDatabase();

// #region service
import { createServer } from "@backstep/http-adapter/server";
import { createFence } from "@backstep/participant";

const server = createServer({
  contract: cinema,
  database,
  fence: createFence({ database, retentionMs: 7 * 86_400_000 }),
  service: {
    async takeSeat({ transaction, key }, { showId, row }) {
      const taken = await transaction.insert(seats, { showId, row, ticketId: key });
      return taken ? ok({ ticketId: key }) : err({ _tag: "SeatTaken", row });
    },
    async freeSeat({ transaction }, { showId, row }) {
      await transaction.remove(seats, `${showId}/${row}`); // runs once, and only where the seat was taken under the key that is undone
    },
  },
});
// #endregion service

const baseUrl = "http://cinema.example";
const fetch = (request: Request): Promise<Response> => server.fetch(request);

// #region saga
import { stepOf } from "@backstep/http-adapter";
import { createClient } from "@backstep/http-adapter/client";
import { createEngine, createMemoryStore, saga } from "@backstep/saga-core";

const client = createClient(cinema, { baseUrl, fetch }); //      without `fetch`, the global one
const takeSeat = stepOf(client.takeSeat, client.freeSeat); //    its compensation goes with it

const outing = saga({
  name: "outing",
  input: z.strictObject({ showId: z.string(), rows: z.array(z.int()) }),
  *run({ showId, rows }) {
    const tickets: string[] = [];
    for (const row of rows) tickets.push((yield* takeSeat({ showId, row })).ticketId);
    return tickets;
  },
});
// #endregion saga

test("the README's saga takes seats, or gives back those that it has taken", async () => {
  const engine = createEngine({ sagas: [outing], store: createMemoryStore() });
  const taken = async (): Promise<number> => (await database.transaction((transaction) => transaction.list(seats))).length;

  const first = await engine.run(outing, { showId: "dune", rows: [3, 4] }, { id: "first" });
  expect(first._unsafeUnwrap()).toHaveLength(2);
  const second = await engine.run(outing, { showId: "dune", rows: [5, 4] }, { id: "second" });
  expect(second._unsafeUnwrapErr()).toEqual({ _tag: "SeatTaken", row: 4 });
  expect(await taken()).toBe(2);
  await engine.close();
});

test("the README shows this program", async () => {
  const [own, readme] = await Promise.all([
    readFile(new URL(import.meta.url), "utf8"),
    readFile(new URL("../README.md", import.meta.url), "utf8"),
  ]);
  for (const name of ["service", "saga"]) {
    const region = new RegExp(`// #region ${name}\n([^]*?)// #endregion ${name}`).exec(own)?.[1];
    expect(region?.length).toBeGreaterThan(500);
    expect(readme).toContain(`\`\`\`ts\n${region}\`\`\``);
  }
});
