// Goal: a call comes out of a message as it went in, and so does its answer. Method: any calls, written, copied as a message is, and read.
import type { AppendRequest } from "@backstep/saga-core/journal";
import fc from "fast-check";
import { err, ok, type Result } from "neverthrow";
import { expect, test } from "vitest";
import { createAnswersWriter, createCallsWriter, isPlainAppend, readAnswers, readCalls } from "../src/thread-wire.ts";

const CALLS_MAX = 20;
const text = fc.string({ unit: "grapheme", maxLength: 6 });
const wholeNumber = fc.oneof(fc.maxSafeNat(), fc.nat(3));

const append: fc.Arbitrary<AppendRequest> = fc.record({
  sagaId: text,
  sequence: wholeNumber,
  epoch: wholeNumber,
  saga: fc.record({ name: fc.oneof(text, fc.constant("checkout")), version: fc.oneof(fc.maxSafeInteger(), fc.constant(1)) }),
  status: fc.constantFrom("running", "parked", "waiting", "completed", "compensated", "abandoned"),
  wakeAt: fc.option(fc.maxSafeInteger(), { nil: undefined }),
  locks: fc.option(fc.record({ held: fc.array(text), wanted: fc.array(text) }), { nil: undefined, freq: 5 }),
  record: text,
  outbox: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    fc.array(fc.record({ id: text, type: text, source: text, time: text, sagaId: text, data: text }), { maxLength: 2 }),
  ),
  leaves: fc.boolean(),
});
const call = fc.oneof(
  { weight: 4, arbitrary: append.map((request) => ({ request })) },
  text.map((sagaId) => ({ asked: { method: "load", parameters: [sagaId] } as const })),
);

test("calls are read as they were written, in their order", () => {
  fc.assert(
    fc.property(fc.array(fc.array(call, { maxLength: CALLS_MAX }), { maxLength: 3 }), fc.nat(), (messages, first) => {
      const writer = createCallsWriter(CALLS_MAX);
      for (const calls of messages) {
        for (const each of calls) {
          if (!("request" in each)) writer.ask(each.asked.method, each.asked.parameters);
          else if (isPlainAppend(each.request)) writer.append(each.request);
          else writer.ask("append", [each.request]);
        }
        expect(writer.count()).toBe(calls.length);
        const read: unknown[] = [];
        readCalls(structuredClone(writer.take(first)), {
          append: (number, request) => read.push([number, { request: { locks: undefined, ...request } }]),
          ask: (number, asked) => read.push([number, asked.method === "append" ? { request: asked.parameters[0] } : { asked }]),
        });
        expect(read).toEqual(calls.map((each, at) => [first + at, each]));
      }
    }),
  );
});

test("answers are read as they were written", () => {
  const answer: fc.Arbitrary<Result<unknown, unknown>> = fc.oneof(
    { weight: 4, arbitrary: fc.constant(ok(undefined)) },
    text.map((value) => ok(value)),
    text.map((error) => err(error)),
  );
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.nat(30), answer), { selector: ([number]) => number }), (answers) => {
      const writer = createAnswersWriter();
      for (const [number, result] of answers) writer.add(number, result);
      expect(writer.isEmpty()).toBe(answers.length === 0);
      const read = new Map<number, Result<unknown, unknown>>();
      readAnswers(structuredClone(writer.take({ commits: 1, settlements: 0 })), (number, result) => read.set(number, result));
      expect(writer.isEmpty()).toBe(true);
      expect(read).toEqual(new Map(answers));
    }),
  );
});
