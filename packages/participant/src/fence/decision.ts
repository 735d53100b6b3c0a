/** Turns what business code answered into the decision that is recorded. */
import type { Result } from "neverthrow";
import type { ActionDecision } from "./answer.ts";
import { answerText } from "./fingerprint.ts";

export function decisionOf(result: Result<unknown, unknown>): ActionDecision {
  return result.match<ActionDecision>(
    (output) => ({ _tag: "Succeeded", json: answerText(output) }),
    (rejection) => ({ _tag: "Rejected", json: answerText(rejection) }),
  );
}
