/** The suites' own assertions, so that they need no runner's. Values are plain data and are compared as JSON. */
import { canonicalJson, type Json } from "@backstep/saga-core/adapter";

const SHOWN_CHARACTERS_MAX = 600;

/** A rule is not kept. */
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

export function expectOneOf(found: unknown, allowed: readonly unknown[], rule: string): void {
  if (!allowed.some((each) => toText(each) === toText(found))) throw new ConformanceFailure(rule, allowed, found);
}

/** @param tag - The `_tag` of the rejection; left out, any will do. */
export async function expectRejects(work: Promise<unknown>, tag: string | undefined, rule: string): Promise<void> {
  const outcome = await work.then(
    (value) => ({ value }),
    (cause: unknown) => ({ cause }),
  );
  if (!("cause" in outcome)) throw new ConformanceFailure(rule, tag ?? "a rejection", outcome.value ?? "undefined");
  if (tag === undefined) return;
  const { cause } = outcome;
  const found = typeof cause === "object" && cause !== null && "_tag" in cause ? cause._tag : String(cause);
  if (found !== tag) throw new ConformanceFailure(rule, tag, found);
}

function toText(value: unknown): string {
  const text = JSON.stringify(value);
  return text === undefined ? "undefined" : canonicalJson(JSON.parse(text) as Json);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length <= SHOWN_CHARACTERS_MAX ? text : `${text.slice(0, SHOWN_CHARACTERS_MAX)}… (${text.length} characters)`;
}
