// Goal: a record that is not what was written is told apart before anything is folded (I12). Method: one flaw at a time, made of a sound record.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../src/journal/entry.ts";
import { decodeRecord, encodeRecord } from "../../src/journal/entry-codec.ts";
import { RECORD_CHARACTERS_MAX } from "../../src/journal/journal-store.ts";
import { samples } from "./entries.ts";

function flawOf(text: string): string {
  return decodeRecord(text)._unsafeUnwrapErr();
}

function recordOf(entry: unknown): string {
  return JSON.stringify({ v: 1, entries: [entry] });
}

/** A sample of this kind with a part replaced, `undefined` to leave it out. `place` is a path of keys. */
function damaged(tag: Entry["_tag"], place: readonly string[], value: unknown): string {
  const copy = JSON.parse(JSON.stringify(samples[tag])) as Record<string, unknown>;
  let target = copy;
  for (const key of place.slice(0, -1)) target = target[key] as Record<string, unknown>;
  const last = place.at(-1) ?? "";
  if (value === undefined) delete target[last];
  else target[last] = value;
  return recordOf(copy);
}

describe("records", () => {
  test("what is written is read back, frozen", () => {
    const entries = Object.values(samples);
    const read = decodeRecord(encodeRecord(entries)._unsafeUnwrap())._unsafeUnwrap();
    expect(read).toEqual(entries);
    expect(Object.isFrozen(read) && read.every(Object.isFrozen)).toBe(true);
  });

  test("the format of a record never changes within its version", () => {
    expect(encodeRecord([samples.SagaStarted, samples.OperationIntended])._unsafeUnwrap()).toBe(
      '{"v":1,"entries":[{"_tag":"SagaStarted","at":1,"seed":"s","input":{"a":1}},{"_tag":"OperationIntended","at":1,"path":"run/a","step":"a","kind":"compensatable","input":1}]}',
    );
  });

  test.each<[what: string, text: string, flaw: string]>([
    ["text that is cut off", '{"v":1,"entries":[{"_tag":"RunRet', "a record is not JSON"],
    ["no text", "", "a record is not JSON"],
    ["null", "null", "a record is no object"],
    ["a number", "1", "a record is no object"],
    ["a list", "[]", "a record has format version undefined; this engine reads version 1"],
    ["a later format", '{"v":2,"entries":[]}', "a record has format version 2; this engine reads version 1"],
    ["a version that is text", '{"v":"1","entries":[]}', 'a record has format version "1"; this engine reads version 1'],
    ["no entries", '{"v":1}', "a record has no entries"],
    ["entries that are no list", '{"v":1,"entries":{}}', "a record has no entries"],
    ["an empty list", '{"v":1,"entries":[]}', "a record has no entries"],
    ["an entry that is null", recordOf(null), "an entry is no object"],
    ["an entry that is text", recordOf("SagaStarted"), "an entry is no object"],
    ["an entry without a tag", recordOf({ at: 1 }), "an entry has the unknown tag undefined"],
    ["an unknown tag", recordOf({ _tag: "SagaPaused", at: 1 }), 'an entry has the unknown tag "SagaPaused"'],
    ["a tag that every object has", recordOf({ _tag: "toString", at: 1 }), 'an entry has the unknown tag "toString"'],
  ])("%s is refused", (_what, text, flaw) => {
    expect(flawOf(text)).toBe(flaw);
  });

  test("one bad entry spoils its whole record", () => {
    const text = JSON.stringify({ v: 1, entries: [samples.RunReturned, { _tag: "SagaPaused", at: 1 }] });
    expect(flawOf(text)).toBe('an entry has the unknown tag "SagaPaused"');
  });

  test("a record over the bound is refused with its length, and one at the bound is not", () => {
    const emptyLength = encodeRecord([{ ...samples.SagaStarted, input: "" }])._unsafeUnwrap().length;
    const input = (characters: number) => [{ ...samples.SagaStarted, input: "x".repeat(characters - emptyLength) }];
    expect(encodeRecord(input(RECORD_CHARACTERS_MAX))._unsafeUnwrap().length).toBe(RECORD_CHARACTERS_MAX);
    expect(encodeRecord(input(RECORD_CHARACTERS_MAX + 1))._unsafeUnwrapErr()).toEqual({ characters: RECORD_CHARACTERS_MAX + 1 });
  });
});

describe("entries", () => {
  /** Of some kinds only: a cancellation need not say by whom, a wait is for a time, a signal or both. */
  const optionalIn: Readonly<Partial<Record<Entry["_tag"], readonly string[]>>> = {
    SagaStarted: ["deadlineAt"],
    SignalReceived: ["payload"],
    CancelRequested: ["by"],
    WaitBegan: ["signal", "dueAt"],
  };
  const optional = new Set(["input", "output", "data", "subject"]);
  const required = Object.entries(samples).flatMap(([tag, sample]) =>
    Object.keys(sample)
      .filter((field) => field !== "_tag" && !optional.has(field) && optionalIn[tag as Entry["_tag"]]?.includes(field) !== true)
      .map((field) => [tag as Entry["_tag"], field] as const),
  );

  test.each(required)("%s without its %s, or with another type there, is refused by name", (tag, field) => {
    for (const value of [undefined, null, [[]], true]) {
      if (value === true && field === "kind") continue;
      const flaw = flawOf(damaged(tag, [field], value));
      expect(flaw, JSON.stringify(value)).toContain(tag);
      expect(flaw, JSON.stringify(value)).toContain(field === "at" ? "time" : field);
    }
  });

  test.each<[tag: Entry["_tag"], place: string, value: unknown]>([
    ["OperationSettled", "slot", "undo"],
    ["OperationSettled", "outcome", {}],
    ["OperationSettled", "outcome._tag", "Sealed"],
    ["OperationSettled", "outcome", { _tag: "NoEffect" }],
    ["OperationSettled", "outcome", { _tag: "NoEffect", cause: { _tag: "RejectedCause" } }],
    ["OperationSettled", "outcome", { _tag: "NoEffect", cause: { _tag: "RejectedCause", error: { tag: "x" } } }],
    ["OperationSettled", "outcome", { _tag: "InDoubt", known: "nothing" }],
    ["OperationSettled", "outcome", { _tag: "InDoubt", known: "something", cause: samples.SagaCompensated.cause }],
    ["OperationParked", "slot", "both"],
    ["OperationParked", "cause._tag", "Tired"],
    ["OperationParked", "cause.fault", undefined],
    ["OperationParked", "cause.fault.message", 1],
    ["OperationParked", "cause.fault._tag", "Sleepy"],
    ["OperationParked", "knowledge", {}],
    ["OperationParked", "knowledge.doubt", "yes"],
    ["OperatorSettled", "verdict", {}],
    ["OperatorSettled", "verdict._tag", "SettledMaybe"],
    ["OperatorSettled", "verdict.next", "guess"],
    ["OperatorAbandoned", "stands", {}],
    ["OperatorAbandoned", "stands", [{}]],
    ["OperatorAbandoned", "stands", [{ path: "run/a", step: "a", known: "perhaps" }]],
    ["OperationIntended", "kind", "optional"],
    ["WentBack", "cause", {}],
    ["WentBack", "cause._tag", "Whim"],
    ["SagaCompensated", "cause.fault", {}],
    ["SagaCompensated", "cause.path", undefined],
    ["SagaStarted", "deadlineAt", "tomorrow"],
    ["SagaStarted", "deadlineAt", null],
    ["WaitBegan", "dueAt", "tomorrow"],
    ["WaitBegan", "signal", 7],
    ["CancelRequested", "by", { name: "ada" }],
    ["WentBack", "cause", { _tag: "CancelledCause" }],
    ["WentBack", "cause", { _tag: "CancelledCause", reason: 7 }],
    ["WentBack", "cause", { _tag: "DeadlineCause" }],
    ["SagaCompensated", "cause", { _tag: "DeadlineCause", deadlineAt: "noon" }],
    ["OperationSettled", "outcome", { _tag: "NoEffect", cause: { _tag: "CancelledCause", reason: "changed my mind" } }],
    ["OperationSettled", "outcome", { _tag: "InDoubt", known: "nothing", cause: { _tag: "DeadlineCause", deadlineAt: 1 } }],
  ])("%s with a %s of %j is refused: nothing that folds it could go on", (tag, place, value) => {
    const flaw = flawOf(damaged(tag, place.split("."), value));
    expect(flaw).toContain(tag);
    expect(flaw).toContain(place.split(".")[0]);
  });

  test.each<[tag: Entry["_tag"], field: string]>([
    ["SagaStarted", "deadlineAt"],
    ["SignalReceived", "payload"],
    ["CancelRequested", "by"],
    ["WaitBegan", "signal"],
    ["WaitBegan", "dueAt"],
  ])("%s without its %s is read: not every one has it", (tag, field) => {
    expect(decodeRecord(damaged(tag, [field], undefined)).isOk()).toBe(true);
  });

  test.each<object>([
    { _tag: "CancelledCause", reason: "changed my mind" },
    { _tag: "CancelledCause", by: "ada", reason: "changed my mind" },
    { _tag: "DeadlineCause", deadlineAt: 1 },
  ])("a saga may go back for %j", (cause) => {
    expect(decodeRecord(damaged("WentBack", ["cause"], cause)).isOk()).toBe(true);
    expect(decodeRecord(damaged("SagaCompensated", ["cause"], cause)).isOk()).toBe(true);
  });
});
