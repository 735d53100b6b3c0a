/** A `fetch` that brought no answer, as a fault: was the request certainly never sent, or may it have been? Node's fetch (undici) hides the reason in `cause`. */
import { type Fault, fault } from "@backstep/saga-core/adapter";
import { asFailure, codeOf, type Failure, isNeverSent, messageOf } from "./never-sent.ts";

/** Longer chains of causes explain nothing more, and some are circles. */
const DEPTH_MAX = 8;

/** Classifies what `fetch` threw. */
export function classifyFailure(thrown: unknown, where: string): Fault {
  const reasons = reasonsOf(thrown, DEPTH_MAX);
  const codes = reasons.flatMap((each) => codeOf(each) ?? []);
  const details = { code: codes[0] ?? null };
  if (reasons.length > 0 && reasons.every(isNeverSent))
    return fault("NotSent", `${where}: no connection (${codes.join(", ")})`, { details });
  // A port that fetch does not speak to. It has no code, and will not become another port.
  if (reasons.some((each) => each.message === "bad port")) return fault("Faulted", `${where}: fetch refuses this port`);
  return fault("Unknown", `${where}: ${codes[0] ?? messageOf(thrown)}`, { details });
}

/** Whether a body was given up because nothing more of it came. */
export function isBodyTimeout(thrown: unknown): boolean {
  return reasonsOf(thrown, DEPTH_MAX).some((each) => codeOf(each) === "UND_ERR_BODY_TIMEOUT");
}

/** The innermost errors. A name that resolves to several addresses fails with one each: the request left only if one of them connected. */
function reasonsOf(thrown: unknown, depth: number): readonly Failure[] {
  const found = asFailure(thrown);
  if (found === undefined || depth === 0) return [];
  if (Array.isArray(found.errors) && found.errors.length > 0) return found.errors.flatMap((each) => reasonsOf(each, depth - 1));
  const inner = reasonsOf(found.cause, depth - 1);
  return inner.length > 0 ? inner : [found];
}
