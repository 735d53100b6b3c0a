/**
 * What a fence answers, in the words of a step: as a client of `http-adapter` reads them from a server that stands behind the same fence. There is no wire in
 * between, so nothing is lost or unreadable here; that is the simulator's to add.
 */
import { type ActAnswer, type Decision, isDatabaseError, type ResolveAnswer, type UndoAnswer } from "@backstep/participant";
import type { Resolution } from "@backstep/saga-core";
import { decided, type Fault, fault, type Tagged } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";

/** How a recorded output becomes the one that is told. */
export type ReadOutput = (recorded: unknown, where: string) => Result<unknown, Fault>;

type AnyAnswer = ActAnswer | UndoAnswer | ResolveAnswer;
type Refused = Exclude<AnyAnswer, { readonly decision: Decision }>;

export function readAct(answer: ActAnswer, where: string, readOutput: ReadOutput): Result<unknown, Tagged> {
  if (!isDecision(answer)) return err(refusal(answer, where));
  const { decision } = answer;
  if (decision._tag === "Succeeded") return readOutput(JSON.parse(decision.json), where);
  return err(decided(JSON.parse(decision.json) as Tagged));
}

export function readUndo(answer: UndoAnswer, where: string): Result<undefined, Fault> {
  return isDecision(answer) ? ok(undefined) : err(refusal(answer, where));
}

export function readResolve(answer: ResolveAnswer, where: string, readOutput: ReadOutput): Result<Resolution<unknown, Tagged>, Fault> {
  if (answer._tag === "Sealed") return ok({ _tag: "SealedForGood" });
  if (!isDecision(answer)) return err(refusal(answer, where));
  const { decision } = answer;
  if (decision._tag === "Rejected") return ok({ _tag: "NotApplied", error: decided(JSON.parse(decision.json) as Tagged) });
  // An undo's record has no output to read.
  if (decision._tag !== "Succeeded") return ok({ _tag: "Applied", output: undefined });
  return readOutput(JSON.parse(decision.json), where).map((output) => ({ _tag: "Applied", output }));
}

function isDecision<Answer extends AnyAnswer>(answer: Answer): answer is Extract<Answer, { readonly decision: Decision }> {
  return answer._tag === "Executed" || answer._tag === "Replayed";
}

/** A server asks for whole seconds, at least one, and no client waits longer than five minutes at a stretch. */
const RETRY_AFTER_MS_MAX = 5 * 60 * 1_000;

function refusal(answer: Refused, where: string): Fault {
  switch (answer._tag) {
    case "Running": {
      const retryAfterMs = Math.min(Math.max(1, Math.ceil(answer.retryAfterMs / 1_000)) * 1_000, RETRY_AFTER_MS_MAX);
      return fault("Running", `${where}: an operation under this key is being executed`, { retryAfterMs });
    }
    case "Sealed":
      return fault("Sealed", `${where}: this key is sealed: the operation was taken back, or never will happen`);
    case "KeyReused":
      return fault("KeyReused", `${where}: this key came with another payload`);
    case "EvidenceLost":
    case "Expired":
      return fault("EvidenceLost", `${where}: what became of this key is no longer known`);
  }
}

/** What a participant throws is doubt to whoever called it: nobody can tell from outside how far it came. */
export function thrownFault(thrown: unknown, where: string): Fault {
  const isAway = isDatabaseError(thrown) && thrown._tag === "DatabaseUnavailable";
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return fault("Unknown", `${where}: ${message}`, isAway ? { retryAfterMs: 1_000 } : {});
}
