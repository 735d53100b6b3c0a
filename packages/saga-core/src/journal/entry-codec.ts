/**
 * Entries to record text and back. The format has a version of its own; a record of an unknown version or shape is corrupt for its saga and for no other.
 * Checks on reading pair with what writing guarantees: known tags with their fields (`entry-shape.ts`), so that a fold never meets half an entry.
 */
import { err, ok, type Result } from "neverthrow";
import { freezeJson, type Json } from "../primitives/json.ts";
import type { Entry } from "./entry.ts";
import { flawOf } from "./entry-shape.ts";
import { RECORD_CHARACTERS_MAX } from "./journal-store.ts";

const FORMAT_VERSION = 1;

/** One append as text, or the number of characters it is over the bound. */
export function encodeRecord(entries: readonly Entry[]): Result<string, { readonly characters: number }> {
  const text = JSON.stringify({ v: FORMAT_VERSION, entries });
  return text.length <= RECORD_CHARACTERS_MAX ? ok(text) : err({ characters: text.length });
}

/** The entries of a record, frozen; or what is wrong with it. */
export function decodeRecord(text: string): Result<readonly Entry[], string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return err("a record is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null) return err("a record is no object");
  const { v, entries } = parsed as { readonly v?: unknown; readonly entries?: unknown };
  if (v !== FORMAT_VERSION) return err(`a record has format version ${JSON.stringify(v)}; this engine reads version ${FORMAT_VERSION}`);
  if (!Array.isArray(entries) || entries.length === 0) return err("a record has no entries");
  for (const entry of entries as readonly unknown[]) {
    const flaw = flawOf(entry);
    if (flaw !== undefined) return err(flaw);
  }
  return ok(freezeJson(entries as unknown as Json) as unknown as readonly Entry[]);
}
