/** Goal: the value that is made for a schema fits it, is small, and where there is none it is said where and why. */
import type { Contract } from "@backstep/contract";
import { couponContract } from "@backstep/coupon/contract";
import { memberContract } from "@backstep/member/contract";
import { memberPointContract } from "@backstep/member-point/contract";
import { orderContract } from "@backstep/order/contract";
import { paymentContract } from "@backstep/payment/contract";
import { productContract } from "@backstep/product/contract";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { smallestOf } from "../../src/participants/smallest-value.ts";

const CONTRACTS: readonly Contract[] = [
  memberContract,
  memberPointContract,
  productContract,
  couponContract,
  orderContract,
  paymentContract,
];

const SCHEMAS = CONTRACTS.flatMap(({ name: contract, operations }) =>
  Object.entries(operations).flatMap(([name, operation]) => [
    [`the input of ${contract}.${name}`, operation.input] as const,
    ...(operation._tag === "Undo"
      ? []
      : [
          [`the output of ${contract}.${name}`, operation.output] as const,
          ...operation.rejections.map(({ tag, schema }) => [`${tag} of ${contract}.${name}`, schema] as const),
        ]),
  ]),
);

describe("a value is made that fits", () => {
  test.each(SCHEMAS)("%s", (_what, schema) => {
    const made = smallestOf(schema);
    expect(made).toMatchObject({ _tag: "Made" });
    schema.parse((made as { readonly value: unknown }).value);
  });
});

test.each<readonly [string, z.ZodType, unknown]>([
  ["text", z.string(), ""],
  ["text of a length", z.string().min(3), "aaa"],
  ["capitals", z.string().regex(/^[A-Z]{3}$/), "AAA"],
  ["digits", z.string().regex(/^\d{12}$/), "000000000000"],
  ["a date", z.iso.date(), "1970-01-01"],
  ["an instant", z.iso.datetime(), "1970-01-01T00:00:00Z"],
  ["an id", z.uuid(), "00000000-0000-4000-8000-000000000000"],
  ["an address", z.email(), "a@example.com"],
  ["a place", z.url(), "https://example.com"],
  ["a whole number", z.int(), 0],
  ["a positive number", z.int().positive(), 1],
  ["a negative number", z.int().negative(), -1],
  ["a number from somewhere", z.int().min(7), 7],
  ["a multiple", z.int().min(7).multipleOf(5), 10],
  ["a word of a list", z.enum(["B", "A"]), "B"],
  ["a constant", z.literal("only"), "only"],
  ["yes or no", z.boolean(), false],
  ["nothing", z.null(), null],
  ["perhaps nothing", z.string().nullable(), ""],
  ["a list", z.array(z.int()), []],
  ["a list that is not empty", z.array(z.int()).min(2), [0, 0]],
  ["a tuple", z.tuple([z.int(), z.string()]), [0, ""]],
  ["one of several", z.union([z.literal("a"), z.int()]), "a"],
  ["what may be left out", z.strictObject({ a: z.int(), b: z.int().optional(), c: z.int().default(3) }), { a: 0 }],
  ["both of two", z.intersection(z.object({ a: z.int() }), z.object({ b: z.string() })), { a: 0, b: "" }],
  ["a dictionary", z.record(z.string(), z.int()), {}],
  ["a dictionary of known words", z.record(z.enum(["a", "b"]), z.int()), { a: 0, b: 0 }],
  ["anything", z.unknown(), null],
  [
    "a tree",
    z.object({
      get children() {
        return z.array(z.object({ name: z.string() }));
      },
    }),
    { children: [] },
  ],
])("%s", (_what, schema, expected) => {
  expect(smallestOf(schema)).toEqual({ _tag: "Made", value: expected });
});

describe("a rule that is written as code", () => {
  test("is met by a neighbour of the smallest value", () => {
    const span = z.strictObject({ from: z.int().min(0), until: z.int().min(0) }).refine(({ from, until }) => from < until);
    expect(smallestOf(z.strictObject({ span }))).toEqual({ _tag: "Made", value: { span: { from: 0, until: 1 } } });
    const filled = z.strictObject({ a: z.int().optional(), list: z.array(z.int()) }).refine(({ list }) => list.length > 0);
    expect(smallestOf(filled)).toEqual({ _tag: "Made", value: { list: [0] } });
    const present = z.strictObject({ a: z.int().optional() }).refine(({ a }) => a !== undefined);
    expect(smallestOf(present)).toEqual({ _tag: "Made", value: { a: 0 } });
  });

  test("that none of them meets is told", () => {
    const schema = z.strictObject({ sum: z.int().refine((sum) => sum === 42, "must be 42") });
    expect(smallestOf(schema)).toEqual({ _tag: "NotMade", path: "", why: "no value near the smallest fits: sum: must be 42" });
  });
});

test.each<readonly [string, z.ZodType, string, string]>([
  ["a pattern of its own", z.object({ code: z.string().regex(/^x-\d$/) }), "code", "no text that is tried fits ^x-\\d$"],
  ["no number", z.object({ n: z.int().min(7).max(9).multipleOf(5) }), "n", "there is no number from 7 to 9 that counts in 5"],
  [
    "what no JSON holds",
    z.object({ at: z.date() }),
    "",
    "no value near the smallest fits: at: Invalid input: expected date, received null",
  ],
])("%s cannot be made", (_what, schema, path, why) => {
  expect(smallestOf(schema)).toEqual({ _tag: "NotMade", path, why });
});
