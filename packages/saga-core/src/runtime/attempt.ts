/** Makes one attempt of an operation and classifies how it ended. What follows from it is the engine's to say. */

import { err, ok, type Result } from "neverthrow";
import type { Answer } from "../definition/answer.ts";
import type { Call } from "../definition/call.ts";
import type { StepDefinition } from "../definition/step-definition.ts";
import type { UndoOrder } from "../engine/command.ts";
import type { AnyAttempt } from "../engine/join-attempts.ts";
import { fault, isFault } from "../errors/fault.ts";
import { isDecided, isTagged, type Tagged } from "../errors/tagged.ts";
import { callAfter, createAbortController, type Timer } from "../primitives/host.ts";
import { type Json, toJson } from "../primitives/json.ts";
import { messageOf } from "../primitives/thrown.ts";

/** Bound of one output or rejection, in characters of JSON. */
export const VALUE_CHARACTERS_MAX = 1024 * 1024;

export type CallWithoutSignal = Omit<Call, "signal">;

/** A call that is over time is aborted and in doubt: its answer, if it still comes, is not waited for. */
export interface Deadline {
  readonly timeoutMs: number;
  readonly timer: Timer;
}

type Send = (signal: Call["signal"]) => Answer<Tagged>;

/** How the attempt ended is told once, and never before this returns. Without a promise of its own, since every attempt of every saga comes by. */
export function attemptUnderDeadline({ timeoutMs, timer }: Deadline, send: Send, tell: (ended: AnyAttempt) => void): void {
  const controller = createAbortController();
  let over = false;
  const end = (ended: AnyAttempt): void => {
    if (over) return;
    over = true;
    letBe();
    tell(ended);
  };
  // Sent first: whatever time the step lets pass before it answers anything, nothing is told before this returns.
  const answered = answerOf(send, controller.signal);
  const letBe = callAfter(timer, timeoutMs, () => {
    controller.abort();
    end(fault("Unknown", `no answer within ${timeoutMs} ms`));
  });
  answered.then(
    (result) => end(classified(result)),
    (thrown: unknown) => end(threw(thrown)),
  );
}

export function underDeadline(deadline: Deadline, send: Send): Promise<AnyAttempt> {
  return new Promise((resolve) => attemptUnderDeadline(deadline, send, resolve));
}

/** What was answered at once comes later as well: whoever waits for it is told when it is ready for it. */
function answerOf(send: Send, signal: Call["signal"]): Promise<Result<unknown, Tagged>> {
  try {
    return Promise.resolve(send(signal));
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

/** I1: an exception that nobody classified is doubt, never a rejection. */
function threw(thrown: unknown): AnyAttempt {
  return fault("Unknown", `the step threw: ${messageOf(thrown)}`);
}

/** Reading what a step answered may throw as well. */
function classified(result: Result<unknown, Tagged> | undefined): AnyAttempt {
  try {
    return classify(result);
  } catch (thrown) {
    return threw(thrown);
  }
}

function classify(result: Result<unknown, Tagged> | undefined): AnyAttempt {
  if (typeof result?.isOk !== "function")
    return fault("Unknown", "the step returned no Result: answer with ok(…), err(…) or a ResultAsync");
  return result.isOk() ? readOutput(result.value) : readError(result.error);
}

function readOutput(output: unknown): AnyAttempt {
  if (output === undefined) return { _tag: "Succeeded", output: undefined };
  return readJson(output).match<AnyAttempt>(
    (json) => ({ _tag: "Succeeded", output: json }),
    (flaw) => fault("Unreadable", `the step succeeded, but its output ${flaw}`),
  );
}

function readError(error: unknown): AnyAttempt {
  if (isFault(error)) return error;
  if (!isTagged(error)) return fault("Unknown", "the step failed with an error that has no _tag");
  const decided = isDecided(error);
  return readJson(error).match<AnyAttempt>(
    (json) => ({ _tag: "Rejected", error: json as unknown as Tagged, decided }),
    (flaw) => fault("Unknown", `the step was rejected with ${error._tag}, but that ${flaw}`),
  );
}

/** A value as the journal keeps it, or what is wrong with it, as the end of a sentence. */
export function readJson(value: unknown): Result<Json, string> {
  return toJson(value)
    .mapErr(({ path, found }) => `is no JSON: ${path === "" ? "it" : path} is ${found}`)
    .andThen((json): Result<Json, string> => {
      const { length } = JSON.stringify(json);
      return length <= VALUE_CHARACTERS_MAX ? ok(json) : err(`has ${length} characters of JSON; ${VALUE_CHARACTERS_MAX} are the most`);
    });
}

/** Calls the function of a step that an operation is about. */
export function invoke(step: StepDefinition, input: Json | undefined, undo: UndoOrder | undefined, call: Call): Answer<Tagged> {
  if (undo === undefined) return step.run(input, { call });
  if (step.compensate === undefined) throw new TypeError(`step ${step.name} has nothing to compensate with`);
  const { undoes, outcome, cause } = undo;
  return step.compensate(input, { call: { ...call, undoes }, outcome, cause });
}
