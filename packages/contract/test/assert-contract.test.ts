// Goal: a program whose contract is wrong does not start, and is told what is wrong and where. Method: one right contract, and contracts that differ from it in one point.
import { expect, test } from "vitest";
import { z } from "zod";
import { ContractInvalid, command, contract, eventType, id, type Operation, pathParameters, query, rejection, undo } from "../src/index.ts";

const seat = z.strictObject({ showId: id, seat: z.string() });

const takeSeat = command({
  summary: "Takes a seat.",
  path: "/shows/{showId}/seats",
  input: seat,
  output: z.strictObject({ ticket: z.string() }),
  rejections: [rejection("SeatTaken", { seat: z.string() }, { status: 409 }), rejection("ShowOver", {})],
});
const freeSeat = undo({ summary: "Frees a seat.", path: "/shows/{showId}/seats/releases", undoes: "takeSeat", input: seat });
const findShow = query({
  summary: "Finds a show.",
  path: "/shows/{showId}",
  input: z.strictObject({ showId: id }),
  output: z.strictObject({ showId: id, free: z.int() }),
  rejections: [],
});
const seatTaken = eventType("com.example.cinema.seat-taken.v1", seat);

/** The right contract with some operations put in, their types erased: what is wrong here does not compile otherwise. */
function withOperations(operations: Readonly<Record<string, unknown>>): () => unknown {
  const all = { takeSeat, freeSeat, findShow, ...operations } as Readonly<Record<string, Operation>>;
  return () => contract({ name: "cinema", operations: all as never });
}

function because(message: string): ContractInvalid {
  return new ContractInvalid(message);
}

test("a right contract is what was declared, with nothing added but defaults", () => {
  const cinema = contract({ name: "cinema", operations: { takeSeat, freeSeat, findShow }, events: { seatTaken } });
  expect(cinema).toEqual({ name: "cinema", operations: { takeSeat, freeSeat, findShow }, events: { seatTaken } });
  expect([takeSeat._tag, freeSeat._tag, findShow._tag]).toEqual(["Command", "Undo", "Query"]);
  expect([takeSeat.method, freeSeat.method, findShow.method]).toEqual(["POST", "POST", "GET"]);
  expect(contract({ name: "cinema", operations: {} }).events).toEqual({});
  expect(command({ ...takeSeat, method: "PUT" }).method).toBe("PUT");
  expect(undo({ ...freeSeat, method: "DELETE" }).method).toBe("DELETE");
});

test("a rejection has its tag, its status, and a schema that takes its members and no others", () => {
  const [taken, over] = takeSeat.rejections;
  expect([taken.status, over.status]).toEqual([409, 422]);
  expect(taken.schema.safeParse({ _tag: "SeatTaken", seat: "A1" }).success).toBe(true);
  for (const forged of [
    { _tag: "SeatTaken" },
    { _tag: "ShowOver", seat: "A1" },
    { seat: "A1" },
    { _tag: "SeatTaken", seat: "A1", by: "ada" },
  ]) {
    expect(taken.schema.safeParse(forged).success).toBe(false);
  }
});

test("a rejection's members cannot take the place of its tag", () => {
  expect(rejection("ShowOver", { _tag: z.string() }).schema.safeParse({ _tag: "SeatTaken" }).success).toBe(false);
});

test.each(["", "Cinema", "cinema_hall", "cinema.hall", "-cinema", "cinema-", "cinema--hall", "1st", "영화"])(
  "the contract name %j is refused",
  (name) => {
    expect(() => contract({ name, operations: {} })).toThrow(because(`contract name ${JSON.stringify(name)} is not kebab-case`));
  },
);

test.each(["cinema", "cinema-hall-2", "c"])("the contract name %j is taken", (name) => {
  expect(contract({ name, operations: {} }).name).toBe(name);
});

test.each(["", "TakeSeat", "take-seat", "take_seat", "2nd", "take seat", "take.seat"])("the operation name %j is refused", (name) => {
  expect(withOperations({ [name]: { ...findShow, path: "/other", input: z.strictObject({}) } })).toThrow(
    because(`cinema.${name}: an operation's name is camelCase`),
  );
});

test.each([
  "",
  "/",
  "shows",
  "/shows/",
  "//shows",
  "/Shows",
  "/shows/{}",
  "/shows/{ShowId}",
  "/shows/{show-id}",
  "/shows/:showId",
  "/shows?all",
  "/shows/{showId}x",
  "/shows/*",
  "/shows/%20",
  "/shows/../seats",
])("the path %j is refused", (path) => {
  expect(withOperations({ other: { ...findShow, path } })).toThrow(
    because(`cinema.other: path ${path} must be of lower-case words and {members}`),
  );
});

test("a path parameter is a member of the input", () => {
  expect(withOperations({ other: { ...findShow, path: "/others/{otherId}" } })).toThrow(
    because("cinema.other: path parameter {otherId} is no member of the input"),
  );
});

test("a path parameter stands once in its path", () => {
  expect(withOperations({ other: { ...findShow, path: "/shows/{showId}/copies/{showId}" } })).toThrow(
    because("cinema.other: path parameter {showId} stands twice in the path"),
  );
});

test.each([
  ["a text", z.string()],
  ["a list", z.array(z.string())],
  ["a union", z.union([z.strictObject({ a: id }), z.strictObject({ b: id })])],
  ["a record", z.record(z.string(), z.string())],
  ["nothing", z.undefined()],
])("an input that is %s is refused: its members must be known to travel", (_what, input) => {
  expect(withOperations({ other: { ...findShow, path: "/others", input } })).toThrow(
    because("cinema.other: the input must be an object schema"),
  );
});

test("an object schema may be loose, refined, described or without members", () => {
  for (const input of [
    z.object({ a: id }),
    z.looseObject({ a: id }),
    z.strictObject({ a: id }).refine(() => true),
    z.strictObject({ a: id }).meta({ title: "x" }),
    z.object({}),
  ]) {
    expect(withOperations({ other: { ...findShow, path: "/others", input } })).not.toThrow();
  }
});

test.each([
  ["the same", "/shows/{showId}"],
  ["the same but for the parameter's name", "/shows/{id}"],
  ["a word where the other has any text", "/shows/tonight"],
])("two operations in places that are %s are refused, because a request could be either", (_what, path) => {
  const other = { ...findShow, path, input: z.strictObject({ showId: id, id }) };
  expect(withOperations({ other })).toThrow(because(`cinema.other and cinema.findShow are both at GET ${path}`));
});

test("two operations at one path with different methods, and two paths of different lengths or words, are taken", () => {
  expect(withOperations({ moveShow: command({ ...takeSeat, path: "/shows/{showId}", method: "PUT" }) })).not.toThrow();
  expect(withOperations({ other: { ...findShow, path: "/shows/{showId}/details" } })).not.toThrow();
  expect(withOperations({ other: { ...findShow, path: "/halls/{showId}" } })).not.toThrow();
});

test.each(["leaveSeat", "freeSeat", "findShow", "toString", "__proto__"])(
  "an undo of %s is refused: it is no command of this contract",
  (undoes) => {
    expect(withOperations({ other: { ...freeSeat, path: "/others/{showId}", undoes } })).toThrow(
      because(`cinema.other: it undoes ${undoes}, which is no command of this contract`),
    );
  },
);

test.each([100, 200, 302, 399, 500, 503, 404.5, Number.NaN, Number.POSITIVE_INFINITY])(
  "a rejection with status %d is refused",
  (status) => {
    const rejections = [rejection("ShowOver", {}, { status })];
    expect(withOperations({ other: { ...findShow, path: "/others/{showId}", rejections } })).toThrow(
      because(`cinema.other: rejection ShowOver has status ${status}; a rejection is a 4xx`),
    );
  },
);

test.each(["showOver", "", "Show-Over", "SHOW OVER", "1Show"])("the rejection tag %j is refused", (tag) => {
  const rejections = [rejection(tag as "ShowOver", {})];
  expect(withOperations({ other: { ...takeSeat, path: "/others/{showId}", rejections } })).toThrow(
    because(`cinema.other: rejection ${JSON.stringify(tag)} is not PascalCase`),
  );
});

test("one operation declares a rejection once", () => {
  const rejections = [rejection("ShowOver", {}), rejection("ShowOver", { showId: id }, { status: 410 })];
  expect(withOperations({ other: { ...takeSeat, path: "/others/{showId}", rejections } })).toThrow(
    because("cinema.other: rejection ShowOver is declared twice"),
  );
});

test("the parameters of a path are told in its order", () => {
  expect(pathParameters("/shows/{showId}/seats/{seat}")).toEqual(["showId", "seat"]);
  expect(pathParameters("/shows")).toEqual([]);
});

test("what is thrown has a tag and a name, as everything that is caught has", () => {
  expect(because("x")).toMatchObject({ _tag: "ContractInvalid", name: "ContractInvalid", message: "x" });
});
