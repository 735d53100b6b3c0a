/**
 * Finds out what a claimed foreign action comes to: by doing it, by asking, or by doing it again under the same key. Between claim and
 * record no transaction is open, so a crash here leaves an open row for whoever comes after the lease.
 */
import type { Result } from "neverthrow";
import type { ActAnswer } from "./answer.ts";
import { type Claim, foreignContext, giveBack, renewLease } from "./claim.ts";
import type { FenceParts } from "./fence-rows.ts";
import type { ForeignAction, ForeignVerdict } from "./foreign.ts";
import { recordVerdict } from "./record-verdict.ts";

/** `act`: the effect is wanted. `end`: only an answer is wanted, and one that stays. */
export type Purpose = "act" | "end";

export async function settle<Output, Rejection>(
  parts: FenceParts,
  claim: Claim,
  foreign: ForeignAction<Output, Rejection>,
  purpose: Purpose,
): Promise<ActAnswer> {
  if (claim.fresh || foreign.query === undefined) return perform(parts, claim, foreign);
  const verdict = await foreign.query(foreignContext(parts, claim));
  if (verdict._tag !== "Absent" || purpose === "end") return recordVerdict(parts, claim, verdict, foreign);
  // The question took time; without a lease of its own the effect could overlap with the next holder's question.
  const renewed = await renewLease(parts, claim);
  return renewed === undefined ? recordVerdict(parts, claim, { _tag: "Undecided" }, foreign) : perform(parts, renewed, foreign);
}

async function perform<Output, Rejection>(parts: FenceParts, claim: Claim, foreign: ForeignAction<Output, Rejection>): Promise<ActAnswer> {
  let result: Result<Output, Rejection>;
  try {
    result = await foreign.effect(foreignContext(parts, claim));
  } catch (cause) {
    // A request that is still under way may be repeated, but not asked about: the answer could come before the request does.
    if (foreign.query === undefined) await giveBack(parts, claim);
    throw cause;
  }
  return recordVerdict(parts, claim, verdictOf(result), foreign);
}

function verdictOf<Output, Rejection>(result: Result<Output, Rejection>): ForeignVerdict<Output, Rejection> {
  return result.match<ForeignVerdict<Output, Rejection>>(
    (output) => ({ _tag: "Succeeded", output }),
    (rejection) => ({ _tag: "Rejected", rejection }),
  );
}
