/** What the client's tests share: whose call it is, and an HTTP answer as the client hears it. */
import { type CompensationCall, idempotencyKey } from "@backstep/saga-core/adapter";
import type { UndoCall } from "../../src/client.ts";
import { PROBLEM, type ProblemKind } from "../../src/wire.ts";

export const ORIGIN = "http://warehouse.test";

export const key = idempotencyKey({ sagaId: "s1", path: "run/0:warehouse.reserve", slot: "action" });
export const undoKey = idempotencyKey({ sagaId: "s1", path: "run/0:warehouse.reserve", slot: "compensation" });

export const undoes: CompensationCall["undoes"] = { key, issuedAt: 1_700_000_000_000, known: "inDoubt" };
export const undoCall: UndoCall = { key: undoKey, undoes };

export const line = { itemId: "tea", orderId: "o1", quantity: 2 };

/** A problem document with the given members, under the media type and status that it should have. */
export function problem(
  status: number,
  members: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(members), { status, headers: { "content-type": "application/problem+json", ...headers } });
}

/** One of the protocol's own problems, as a server of this package sends it, with some members replaced. */
export function ownProblem(kind: ProblemKind, members: Readonly<Record<string, unknown>> = {}): Response {
  return problem(PROBLEM[kind].status, { ...PROBLEM[kind], effect: "none", ...members });
}
