/** The suite's own assertions, so that it needs no runner's. Values of the port are plain data and are compared as JSON. */
import type { Result } from "neverthrow";
import { canonicalJson, type Json } from "../primitives/json.ts";

const SHOWN_CHARACTERS_MAX = 600;

/** A store does not keep a rule of the port. */
export class ConformanceFailure extends Error {
  readonly _tag = "ConformanceFailure";

  constructor(rule: string, expected: unknown, found: unknown) {
    super(`${rule}\n  expected: ${show(expected)}\n  found:    ${show(found)}`);
    this.name = "ConformanceFailure";
  }
}

/** @param rule - What should hold, as a sentence; it heads the failure. */
export function expectEqual(found: unknown, expected: unknown, rule: string): void {
  if (toText(found) !== toText(expected)) throw new ConformanceFailure(rule, expected, found);
}

export function expectOk<Value>(result: Result<Value, { readonly _tag: string }>, rule: string): Value {
  if (result.isErr()) throw new ConformanceFailure(rule, "ok", result.error);
  return result.value;
}

/** Compares an error by the given members only: messages are a store's own. */
export function expectErr(
  result: Result<unknown, { readonly _tag: string }>,
  expected: { readonly _tag: string; readonly [member: string]: unknown },
  rule: string,
): void {
  if (result.isOk()) throw new ConformanceFailure(rule, expected, { ok: result.value });
  const members = new Map<string, unknown>(Object.entries(result.error));
  expectEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, members.get(key)])), expected, rule);
}

function toText(value: unknown): string {
  const text = JSON.stringify(value);
  return text === undefined ? "undefined" : canonicalJson(JSON.parse(text) as Json);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}… (${text.length} characters)`;
}
