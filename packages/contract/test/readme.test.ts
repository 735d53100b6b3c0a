// Goal: what the README shows compiles and does what the text beside it says. Method: its program is a region of this file, and the README must hold it word for word.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const OWN = new URL(import.meta.url);

// #region contract
import { command, contract, eventType, id, money, query, rejection, undo } from "@backstep/contract";
import { z } from "zod";

const seat = z.strictObject({ showId: id, row: z.int().min(1).max(50) });
const seatTaken = rejection("SeatTaken", { row: z.int() }, { status: 409 });

export const cinema = contract({
  name: "cinema",
  operations: {
    takeSeat: command({
      summary: "Takes a seat in a row.",
      path: "/shows/{showId}/seats",
      input: seat,
      output: z.strictObject({ ticketId: id, price: money }),
      rejections: [seatTaken],
    }),
    freeSeat: undo({ summary: "Frees it again.", path: "/shows/{showId}/seats/releases", undoes: "takeSeat", input: seat }),
    countSeats: query({
      summary: "Counts the free seats of a show.",
      path: "/shows/{showId}/seats",
      input: seat.pick({ showId: true }),
      output: z.strictObject({ free: z.int() }),
      rejections: [],
    }),
  },
  events: { soldOut: eventType("com.example.cinema.sold-out.v1", seat.pick({ showId: true })) },
});
// #endregion contract

test("the README's contract is declared, and its schemas refuse what is out of bounds", () => {
  const { takeSeat, freeSeat } = cinema.operations;
  expect(takeSeat.input.safeParse({ showId: "dune", row: 50 }).success).toBe(true);
  for (const wrong of [
    { showId: "dune", row: 51 },
    { showId: "..", row: 1 },
    { showId: "dune", row: 1, seat: 2 },
  ]) {
    expect(takeSeat.input.safeParse(wrong).success).toBe(false);
  }
  expect(freeSeat.undoes).toBe("takeSeat");
  expect(takeSeat.rejections[0].schema.parse({ _tag: "SeatTaken", row: 3 })).toEqual({ _tag: "SeatTaken", row: 3 });
});

test("the README shows this program", async () => {
  const [own, readme] = await Promise.all([readFile(OWN, "utf8"), readFile(new URL("../README.md", import.meta.url), "utf8")]);
  const region = /\/\/ #region contract\n([^]*?)\/\/ #endregion contract/.exec(own)?.[1];
  expect(region?.length).toBeGreaterThan(500);
  expect(readme).toContain(`\`\`\`ts\n${region}\`\`\``);
});
