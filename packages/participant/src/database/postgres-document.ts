/**
 * Documents as Postgres keeps them: as the text that `JSON.stringify` wrote, which comes back byte for byte. Postgres reads the text itself
 * where a field is indexed, and accepts neither U+0000 nor a lone surrogate in it, so those are written otherwise: behind U+001B.
 */
import type { Json } from "@backstep/saga-core/adapter";

const ESCAPE = String.raw`\u001b`;
/** Whole escape sequences, so that a backslash which is itself escaped is never taken for the beginning of one. */
const UNACCEPTABLE = /\\(?:u(0000|001b|d[89a-f][0-9a-f]{2})|[^])/g;
const WRITTEN_OTHERWISE = /\\(?:u001b(?:\\(u001b)|([0-9a-f]{4}))|[^])/g;

export function storedText(document: Json): string {
  return JSON.stringify(document).replace(UNACCEPTABLE, (sequence, code: string | undefined) => {
    if (code === undefined) return sequence;
    return code === "001b" ? ESCAPE + ESCAPE : ESCAPE + code;
  });
}

export function documentFrom(text: string): Json {
  const json = text.replace(WRITTEN_OTHERWISE, (sequence, escape: string | undefined, code: string | undefined) => {
    if (escape !== undefined) return ESCAPE;
    return code === undefined ? sequence : String.raw`\u${code}`;
  });
  return JSON.parse(json) as Json;
}

/** A field's value as Postgres finds it in a stored text. */
export function storedField(value: string): string {
  return JSON.parse(storedText(value)) as string;
}
