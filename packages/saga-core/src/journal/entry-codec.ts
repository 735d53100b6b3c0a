/**
 * Entries to record text and back. The format has a version of its own; a record of an unknown version or shape is corrupt for its saga and for no other.
 * Checks on reading pair with what writing guarantees: known tags with their fields, so that a fold never meets half an entry.
 */
import { err, ok, type Result } from "neverthrow";
import { freezeJson, type Json } from "../primitives/json.ts";
import type { Entry } from "./entry.ts";
import { RECORD_CHARACTERS_MAX } from "./journal-store.ts";

const FORMAT_VERSION = 1;

type FieldType = "string" | "number" | "object" | "boolean";
type FieldsOf<Tag extends Entry["_tag"]> = Readonly<Partial<Record<Exclude<keyof Extract<Entry, { _tag: Tag }>, "_tag">, FieldType>>>;

/** The fields without which an entry means nothing; every one has `at`. */
const REQUIRED_FIELDS: { readonly [Tag in Entry["_tag"]]: FieldsOf<Tag> } = {
  SagaStarted: { seed: "string" },
  OperationSettled: { path: "string", slot: "string", outcome: "object", attempts: "number" },
  OperationParked: { path: "string", slot: "string", cause: "object", knowledge: "object" },
  OperatorRetried: { path: "string", slot: "string", by: "string", reason: "string" },
  OperatorSettled: { path: "string", slot: "string", verdict: "object", by: "string", reason: "string", evidence: "string" },
  OperatorAbandoned: { by: "string", reason: "string", stands: "object" },
  OperationIntended: { path: "string", step: "string", kind: "string" },
  CompensationIntended: { path: "string" },
  WentBack: { path: "string", cause: "object" },
  RunReturned: {},
  EventEmitted: { path: "string", type: "string" },
  SagaCompleted: {},
  SagaCompensated: { cause: "object" },
};

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

function flawOf(entry: unknown): string | undefined {
  if (typeof entry !== "object" || entry === null) return "an entry is no object";
  const fields = entry as Readonly<Record<string, unknown>>;
  const tag = fields["_tag"];
  if (typeof tag !== "string" || !Object.hasOwn(REQUIRED_FIELDS, tag)) return `an entry has the unknown tag ${JSON.stringify(tag)}`;
  if (typeof fields["at"] !== "number") return `${tag} has no time`;
  for (const [field, type] of Object.entries(REQUIRED_FIELDS[tag as Entry["_tag"]])) {
    // biome-ignore lint/suspicious/useValidTypeof: the table holds typeof names
    if (typeof fields[field] !== type || fields[field] === null) return `${tag}: ${field} is ${typeof fields[field]}, expected ${type}`;
  }
  return undefined;
}
