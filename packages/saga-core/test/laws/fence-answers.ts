/** What the real fence answers, in the words that a client of a fenced participant hands to a step. */
import type { ActAnswer, ResolveAnswer, UndoAnswer } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import { decided, type Fault, fault, type Resolution } from "../../src/index.ts";
import type { Receipt, Refusal } from "./planned-steps.ts";

type Found = Receipt | undefined | Resolution<Receipt, Refusal>;
export type Answered = Result<Found, Refusal | Fault>;
export function readAct(answer: ActAnswer): Answered {
  if (answer._tag === "Executed" || answer._tag === "Replayed") {
    const { decision } = answer;
    return decision._tag === "Succeeded" ? ok(JSON.parse(decision.json) as Receipt) : err(decided(JSON.parse(decision.json) as Refusal));
  }
  return err(fenceFault(answer));
}

export function readUndo(answer: UndoAnswer): Answered {
  return answer._tag === "Executed" || answer._tag === "Replayed" ? ok(undefined) : err(fenceFault(answer));
}

export function readResolve(answer: ResolveAnswer): Answered {
  if (answer._tag === "Sealed") return ok({ _tag: "SealedForGood" });
  if (answer._tag !== "Replayed") return err(fenceFault(answer));
  const { decision } = answer;
  if (decision._tag === "Succeeded") return ok({ _tag: "Applied", output: JSON.parse(decision.json) as Receipt });
  return decision._tag === "Rejected"
    ? ok({ _tag: "NotApplied", error: JSON.parse(decision.json) as Refusal })
    : ok({ _tag: "StillUnknown" });
}

function fenceFault({ _tag }: { readonly _tag: "Sealed" | "KeyReused" | "Running" | "EvidenceLost" | "Expired" }): Fault {
  return fault(_tag === "Expired" ? "EvidenceLost" : _tag, `the fence answers ${_tag}`);
}
