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

/** The signal of one attempt, made when somebody looks at it: most participants in this process never do. */
export class AttemptSignal {
  #controller: ReturnType<typeof createAbortController> | undefined;
  #aborted = false;

  get signal(): Call["signal"] {
    this.#controller ??= createAbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}

/**
 * Calls `invoke` under a deadline. A call that is over time is aborted and in doubt: its answer, if it still comes, is not waited for. One promise and no `async`, since every attempt of every saga comes by.
 */
export function underDeadline(timeoutMs: number, timer: Timer, attempt: AttemptSignal, invoke: () => Answer<Tagged>): Promise<AnyAttempt> {
  return new Promise((resolve) => {
    const letBe = callAfter(timer, timeoutMs, () => {
      attempt.abort();
      resolve(fault("Unknown", `no answer within ${timeoutMs} ms`));
    });
    const end = (ended: AnyAttempt): void => {
      letBe();
      resolve(ended);
    };
    try {
      const answer = invoke();
      if (isPromiseLike(answer)) {
        answer.then(
          (result) => end(classified(result)),
          (thrown: unknown) => end(threw(thrown)),
        );
      } else end(classified(answer));
    } catch (thrown) {
      end(threw(thrown));
    }
  });
}

function isPromiseLike(answer: Answer<Tagged>): answer is Exclude<Answer<Tagged>, Result<unknown, Tagged>> {
  return typeof answer === "object" && answer !== null && "then" in answer;
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

/** The call of one attempt. Its signal is a property of its own, so that a copy has it too. */
export function callOf({ sagaId, key, issuedAt, attempt, timeoutMs }: CallWithoutSignal, made: AttemptSignal): Call {
  return {
    sagaId,
    key,
    issuedAt,
    attempt,
    timeoutMs,
    get signal() {
      return made.signal;
    },
  };
}
