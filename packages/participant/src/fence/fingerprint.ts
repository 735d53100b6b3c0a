/** What identifies a payload, and how an answer becomes the text that every replay repeats. */
import { hash } from "node:crypto";
import { canonicalJson, type Json, toJson } from "@backstep/saga-core/adapter";
import { FenceMisused } from "./fence-misused.ts";

/** SHA-256 of the input's canonical JSON, 64 hexadecimal digits: equal for equal values, whatever the order of members. */
export function fingerprintOf(input: unknown): string {
  return hash("sha256", canonicalJson(input === undefined ? undefined : jsonOf(input, "input")), "hex");
}

/** `undefined` becomes `null`. */
export function answerText(value: unknown): string {
  return JSON.stringify(value === undefined ? null : jsonOf(value, "answer"));
}

function jsonOf(value: unknown, what: string): Json {
  return toJson(value).match(
    (json) => json,
    ({ path, found }) => {
      throw new FenceMisused(`the ${what} of a fenced operation holds ${found} at ${path === "" ? "its root" : path}, which is no JSON`);
    },
  );
}
