/** Problem documents as responses (RFC 9457). What they say is fixed text and contract data: never a stack trace, an SQL text or somebody else's data. */
import { PROBLEM, PROBLEM_MEDIA_TYPE, type Problem, type ProblemKind } from "../wire.ts";

export interface ProblemOptions {
  readonly detail?: string | undefined;
  /** Default `none`. */
  readonly effect?: Problem["effect"] | undefined;
  readonly decided?: "key" | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export function problemResponse(kind: ProblemKind, { detail, effect = "none", decided, headers }: ProblemOptions = {}): Response {
  const { type, title, status } = PROBLEM[kind];
  const problem: Problem = { type, title, status, detail, effect, decided };
  return problemDocument(problem, headers);
}

export function problemDocument(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(problem), { status: problem.status, headers: { "content-type": PROBLEM_MEDIA_TYPE, ...headers } });
}

/** `Retry-After` in whole seconds, at least one. */
export function retryAfter(delayMs: number): Readonly<Record<string, string>> {
  return { "retry-after": String(Math.max(1, Math.ceil(delayMs / 1_000))) };
}

const DETAIL_CHARACTERS_MAX = 500;

/** A detail that quotes what came in, cut short: a hostile body can be wrong in thousands of ways, and its names can be long. */
export function cutDetail(text: string): string {
  return text.slice(0, DETAIL_CHARACTERS_MAX).toWellFormed();
}
