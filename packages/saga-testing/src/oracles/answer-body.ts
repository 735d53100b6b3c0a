/** What a participant answered, as text: equal answers give equal texts, and a decided one is never taken for one that decides nothing. */
import { canonicalJson, isDecided, isTagged, toJson } from "@backstep/saga-core/adapter";
import type { Result } from "neverthrow";

/**
 * `ok` and the value, `no` and the rejection that the participant decided for the key, or the bare tag of any other error. What is no JSON, or has no tag, is told as such.
 */
export function answerBody(answer: Result<unknown, unknown>): string {
  if (answer.isOk()) return answer.value === undefined ? "ok" : `ok ${textOf(answer.value)}`;
  const { error } = answer;
  if (!isTagged(error)) return "NoTag";
  return isDecided(error) ? `no ${textOf(error)}` : error._tag;
}

function textOf(value: unknown): string {
  return toJson(value).match(canonicalJson, ({ path, found }) => `(no JSON: ${path === "" ? "it" : path} is ${found})`);
}

const TAG_ALONE = /^[A-Z]\w*$/;

/** Whether an answer decides something for its key: a success, or a rejection that stands. */
export function isDecision(body: string): boolean {
  return !TAG_ALONE.test(body);
}
