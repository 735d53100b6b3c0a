/** The fence's answers as responses. A decision is told byte for byte as it was recorded, whoever asks and how often. */
import type { Operation } from "@backstep/contract";
import type { ActAnswer, ResolveAnswer, UndoAnswer } from "@backstep/participant";
import { match, P } from "ts-pattern";
import { HEADER, type Problem, rejectionType, TRUE } from "../wire.ts";
import { ContractBroken } from "./contract-broken.ts";
import { problemDocument, problemResponse, retryAfter } from "./problem-response.ts";

export function answerResponse(contract: string, operation: Operation, answer: ActAnswer | UndoAnswer | ResolveAnswer): Response {
  return match(answer)
    .with({ _tag: P.union("Executed", "Replayed") }, ({ _tag, decision }) => {
      const headers: Record<string, string> = _tag === "Replayed" ? { [HEADER.replayed]: TRUE } : {};
      return match(decision)
        .with({ _tag: "Succeeded" }, ({ json }) => jsonResponse(json, headers))
        .with({ _tag: "Rejected" }, ({ json }) => rejectionResponse(contract, operation, json, "key", headers))
        .with({ _tag: P.union("Undone", "NothingToUndo") }, (undone) => jsonResponse(JSON.stringify(undone), headers))
        .exhaustive();
    })
    .with({ _tag: "Sealed" }, () => problemResponse("sealed", { decided: "key" }))
    .with({ _tag: "KeyReused" }, () => problemResponse("keyReused"))
    .with({ _tag: "Running" }, ({ retryAfterMs }) => problemResponse("running", { effect: "unknown", headers: retryAfter(retryAfterMs) }))
    .with({ _tag: P.union("EvidenceLost", "Expired") }, () => problemResponse("evidenceLost", { effect: "unknown" }))
    .exhaustive();
}

function jsonResponse(json: string, headers: Readonly<Record<string, string>>): Response {
  return new Response(json, { status: 200, headers: { "content-type": "application/json", ...headers } });
}

/** A declared rejection. `decided` only when a fence has committed it. */
export function rejectionResponse(
  contract: string,
  operation: Operation,
  json: string,
  decided: "key" | undefined,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const error = JSON.parse(json) as { readonly _tag: string };
  const declared = operation._tag === "Undo" ? undefined : operation.rejections.find(({ tag }) => tag === error._tag);
  // Recorded under an older contract: nobody could read it as one of today's.
  if (declared === undefined) throw new ContractBroken(`a recorded rejection of ${contract} is not declared any more`);
  const problem: Problem = {
    type: rejectionType(contract, declared.tag),
    title: titleOf(declared.tag),
    status: declared.status,
    effect: "none",
    decided,
    error,
  };
  return problemDocument(problem, headers);
}

/** `OutOfStock` → `Out of stock`. */
export function titleOf(tag: string): string {
  return tag.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
