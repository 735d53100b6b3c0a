// Goal: a contract's types are inferred from its schemas, for callers and for the service alike, and a contract that contradicts itself does not compile.
// Method: expectTypeOf, and a reason beside each line that must not compile.
import { ok, type Result } from "neverthrow";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type AnyService,
  command,
  contract,
  eventType,
  type Foreign,
  type ForeignAction,
  type ForeignUndo,
  foreign,
  type InputOf,
  type Money,
  type OutputOf,
  quantity,
  query,
  type RejectionOf,
  rejection,
  type Service,
  type UndoContext,
  undo,
} from "../../src/index.ts";

const seat = z.strictObject({ showId: z.string(), seat: z.string() });

const takeSeat = command({
  summary: "Takes a seat.",
  path: "/shows/{showId}/seats",
  input: seat,
  output: z.strictObject({ ticket: z.string() }),
  rejections: [rejection("SeatTaken", { seat: z.string() }, { status: 409 }), rejection("ShowOver", {})],
});
const freeSeat = undo({ summary: "Frees it.", path: "/shows/{showId}/seats/releases", undoes: "takeSeat", input: seat });
const countSeats = query({
  summary: "Counts.",
  path: "/shows/{showId}/free",
  input: z.strictObject({ showId: z.string(), atLeast: z.coerce.number().optional() }),
  output: z.strictObject({ free: quantity }),
  rejections: [],
});

const cinema = contract({
  name: "cinema",
  operations: { takeSeat, freeSeat, countSeats },
  events: { seatTaken: eventType("com.example.cinema.seat-taken.v1", seat) },
});
type Operations = (typeof cinema)["operations"];

interface Transaction {
  readonly put: (row: unknown) => void;
}

test("names, paths and event types stay literal", () => {
  expectTypeOf(cinema.name).toEqualTypeOf<"cinema">();
  expectTypeOf<keyof Operations>().toEqualTypeOf<"takeSeat" | "freeSeat" | "countSeats">();
  expectTypeOf(cinema.operations.freeSeat.undoes).toEqualTypeOf<"takeSeat">();
  expectTypeOf(cinema.events.seatTaken.type).toEqualTypeOf<"com.example.cinema.seat-taken.v1">();
});

test("input, output and rejections are what the schemas hand on", () => {
  expectTypeOf<InputOf<Operations["takeSeat"]>>().toEqualTypeOf<{ showId: string; seat: string }>();
  expectTypeOf<OutputOf<Operations["takeSeat"]>>().toEqualTypeOf<{ ticket: string }>();
  expectTypeOf<RejectionOf<Operations["takeSeat"]>>().toEqualTypeOf<{ _tag: "SeatTaken"; seat: string } | { _tag: "ShowOver" }>();
  expectTypeOf<InputOf<Operations["countSeats"]>>().toEqualTypeOf<{ showId: string; atLeast?: number | undefined }>();
  expectTypeOf<RejectionOf<Operations["countSeats"]>>().toEqualTypeOf<never>();
  expectTypeOf<OutputOf<Operations["freeSeat"]>>().toEqualTypeOf<undefined>();
  expectTypeOf<RejectionOf<Operations["freeSeat"]>>().toEqualTypeOf<never>();
  expectTypeOf<Money>().toEqualTypeOf<{ amountMinor: number; currency: string }>();
});

test("a service answers each operation in its contract's types; an undo is told what it takes back and says no to nothing", () => {
  type Cinema = Service<typeof cinema, Transaction>;
  expectTypeOf<ReturnType<Cinema["takeSeat"]>>().toEqualTypeOf<
    Promise<Result<{ ticket: string }, { _tag: "SeatTaken"; seat: string } | { _tag: "ShowOver" }>>
  >();
  expectTypeOf<Parameters<Cinema["freeSeat"]>[0]>().toEqualTypeOf<UndoContext<Transaction, { ticket: string }>>();
  expectTypeOf<ReturnType<Cinema["freeSeat"]>>().toEqualTypeOf<Promise<void>>();
  expectTypeOf<ReturnType<Cinema["countSeats"]>>().toEqualTypeOf<Promise<Result<{ free: number }, never>>>();
  // @ts-expect-error -- a query is told of no key: it changes nothing
  expectTypeOf<Parameters<Cinema["countSeats"]>[0]>().toHaveProperty("key");
});

type Ticket = OutputOf<Operations["takeSeat"]>;
type Refusal = RejectionOf<Operations["takeSeat"]>;

test("a command that is named foreign is made of parts in its contract's types, its undo with it, and nothing else is", () => {
  type Cinema = Service<typeof cinema, Transaction, "takeSeat">;
  type Input = InputOf<Operations["takeSeat"]>;
  expectTypeOf<Cinema["takeSeat"]>().toEqualTypeOf<Foreign<Input, ForeignAction<Transaction, Ticket, Refusal>>>();
  expectTypeOf<Cinema["freeSeat"]>().toEqualTypeOf<Foreign<Input, ForeignUndo<Transaction, Ticket, Refusal>>>();
  expectTypeOf<Cinema["countSeats"]>().toEqualTypeOf<Service<typeof cinema, Transaction>["countSeats"]>();
  // @ts-expect-error -- a query has no effect that could be elsewhere
  expectTypeOf<Service<typeof cinema, Transaction, "countSeats">>().toBeObject();
  // @ts-expect-error -- an undo is foreign when its command is, not by itself
  expectTypeOf<Service<typeof cinema, Transaction, "freeSeat">>().toBeObject();
});

test("a host takes a service whichever of its commands are foreign", () => {
  expectTypeOf<Service<typeof cinema, Transaction>>().toExtend<AnyService<typeof cinema, Transaction>>();
  expectTypeOf<Service<typeof cinema, Transaction, "takeSeat">>().toExtend<AnyService<typeof cinema, Transaction>>();
  expectTypeOf<Service<typeof cinema, Transaction, "takeSeat">>().not.toExtend<Service<typeof cinema, Transaction>>();
});

test("the parts of a foreign effect are inferred from the operation that they stand for", () => {
  const parts: Service<typeof cinema, Transaction, "takeSeat">["takeSeat"] = foreign(({ showId, seat: chair }) => ({
    effect: async ({ key }) => {
      expectTypeOf(showId).toEqualTypeOf<string>();
      return ok({ ticket: `${key}/${showId}/${chair}` });
    },
    conclude: async ({ transaction }, conclusion) => {
      if (conclusion._tag === "Succeeded") transaction.put(conclusion.output.ticket);
    },
  }));
  expectTypeOf(parts.partsFor({ showId: "s", seat: "1" })).toEqualTypeOf<ForeignAction<Transaction, Ticket, Refusal>>();
  // @ts-expect-error -- not this command's output
  const wrong: Service<typeof cinema, Transaction, "takeSeat">["takeSeat"] = foreign(() => ({ effect: async () => ok({ seatNumber: 1 }) }));
  void wrong;
});

test("an undo of what is no command of the contract does not compile", () => {
  // @ts-expect-error -- there is no such command
  void (() => contract({ name: "cinema", operations: { takeSeat, freeSeat: undo({ ...freeSeat, undoes: "leaveSeat" }) } }));
  // @ts-expect-error -- a query changes nothing that could be undone
  void (() => contract({ name: "cinema", operations: { takeSeat, countSeats, freeSeat: undo({ ...freeSeat, undoes: "countSeats" }) } }));
  // @ts-expect-error -- an undo has no undo
  void (() => contract({ name: "cinema", operations: { takeSeat, freeSeat, again: undo({ ...freeSeat, undoes: "freeSeat" }) } }));
});

test("what is malformed in a declaration does not compile", () => {
  // @ts-expect-error -- a tag is capitalised
  void (() => rejection("seatTaken", {}));
  // @ts-expect-error -- a path begins with a slash
  void (() => command({ ...takeSeat, path: "shows" }));
  // @ts-expect-error -- a command changes state, so it is no GET
  void (() => command({ ...takeSeat, method: "GET" }));
  // @ts-expect-error -- an undo declares no rejection
  void (() => undo({ summary: "Frees it.", path: "/releases", undoes: "takeSeat", input: seat, rejections: [] }));
  // @ts-expect-error -- everything says what it is for
  void (() => query({ path: "/shows", input: z.strictObject({}), output: z.null(), rejections: [] }));
});
