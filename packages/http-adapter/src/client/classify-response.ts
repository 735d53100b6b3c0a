/**
 * An HTTP answer as an attempt's outcome. Nothing in a status alone is believed more than HTTP gives it: a rejection must be the problem document that the contract
 * declares, with its status and its schema; a bare 409 or a 5xx is doubt, because something in between may have sent it.
 */
import type { Operation, Rejection } from "@backstep/contract";
import { decided, type Fault, fault, type Json, type Tagged } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { match, P } from "ts-pattern";
import { z } from "zod";
import { PROBLEM, rejectionType } from "../wire.ts";

export interface ReceivedResponse {
  readonly status: number;
  readonly mediaType: string;
  readonly retryAfterMs: number | undefined;
  readonly text: string;
}

export interface Expectation {
  readonly contract: string;
  readonly operation: Operation;
  /** For messages: method and path, without origin. */
  readonly where: string;
}

const problemDocument = z.looseObject({
  type: z.string(),
  status: z.int().optional(),
  detail: z.string().optional(),
  effect: z.enum(["none", "applied", "unknown"]).optional(),
  decided: z.literal("key").optional(),
  error: z.unknown().optional(),
});

type ProblemDocument = z.output<typeof problemDocument>;

export function classifyResponse(expected: Expectation, received: ReceivedResponse): Result<unknown, Tagged> {
  const { status } = received;
  if (status >= 200 && status < 300) return status === 202 ? err(stillRunning(expected, received)) : readSuccess(expected, received);
  const problem = readProblem(received);
  const rejection = problem === undefined ? undefined : readRejection(expected, received, problem);
  return err(rejection ?? (problem === undefined ? undefined : ownProblem(expected, received, problem)) ?? bareStatus(expected, received));
}

function stillRunning(expected: Expectation, received: ReceivedResponse): Fault {
  return fault("Running", `${expected.where}: accepted, not done yet`, options(received));
}

function readSuccess({ operation, where }: Expectation, { text, status }: ReceivedResponse): Result<unknown, Fault> {
  if (operation._tag === "Undo") return ok(undefined);
  const output = operation.output.safeParse(text === "" ? undefined : parseJson(text));
  return output.success ? ok(output.data) : err(fault("Unreadable", `${where}: ${status}, but the answer does not fit the contract`));
}

function readProblem({ mediaType, text, status }: ReceivedResponse): ProblemDocument | undefined {
  if (mediaType !== "application/problem+json") return undefined;
  const parsed = problemDocument.safeParse(parseJson(text));
  // A document that belongs to another status was not written for this answer.
  return parsed.success && (parsed.data.status === undefined || parsed.data.status === status) ? parsed.data : undefined;
}

function readRejection({ contract, operation }: Expectation, { status }: ReceivedResponse, problem: ProblemDocument): Tagged | undefined {
  if (operation._tag === "Undo" || problem.effect !== "none") return undefined;
  const declared = operation.rejections.find(
    (each: Rejection) => rejectionType(contract, each.tag) === problem.type && each.status === status,
  );
  const error = declared?.schema.safeParse(problem.error);
  if (error?.success !== true) return undefined;
  // The schema of a declared rejection has a literal `_tag`.
  const rejection = error.data as Tagged;
  return problem.decided === "key" ? decided(rejection) : rejection;
}

/** The problems of this protocol, from a server that speaks it. */
function ownProblem(expected: Expectation, received: ReceivedResponse, problem: ProblemDocument): Fault | undefined {
  const { where } = expected;
  const told = `${where}: ${received.status} ${problem.detail ?? problem.type}`;
  const isOwn = ({ type, status }: { readonly type: string; readonly status: number }): boolean =>
    problem.type === type && received.status === status;
  if (isOwn(PROBLEM.running)) return fault("Running", told, options(received));
  if (isOwn(PROBLEM.sealed) && problem.decided === "key") return fault("Sealed", told, options(received));
  if (isOwn(PROBLEM.evidenceLost)) return fault("EvidenceLost", told, options(received));
  if (isOwn(PROBLEM.keyReused)) return fault("KeyReused", told, options(received));
  if (isOwn(PROBLEM.unavailable) && problem.effect === "none") return fault("Throttled", told, options(received));
  if (isOwn(PROBLEM.notFound) || isOwn(PROBLEM.methodNotAllowed)) return fault("Faulted", told, options(received));
  return undefined;
}

/** What a status means when nothing in the body says more: any server, proxy or gateway may have sent it. */
function bareStatus({ where }: Expectation, received: ReceivedResponse): Fault {
  const { status } = received;
  const tag = match(status)
    .with(P.number.between(300, 399), () => "Faulted" as const)
    .with(400, 401, 403, 405, 406, 411, 413, 414, 415, 428, 431, 501, 505, () => "Faulted" as const)
    // During a deploy a gateway knows no route; only our own document makes a 404 final.
    .with(404, 421, 425, () => "NotSent" as const)
    .with(429, () => "Throttled" as const)
    .otherwise(() => "Unknown" as const);
  return fault(tag, `${where}: ${status} without a document that explains it`, options(received));
}

function options({ retryAfterMs, status }: ReceivedResponse): { readonly retryAfterMs?: number | undefined; readonly details: Json } {
  return { retryAfterMs, details: { status } };
}

/** The value, or `undefined`, which fits no schema that expects something. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
