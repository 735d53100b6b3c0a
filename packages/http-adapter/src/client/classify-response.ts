/**
 * An HTTP answer as an attempt's outcome. Nothing in a status alone is believed more than HTTP gives it: a rejection must be the problem document that the contract
 * declares, with its status and its schema; a bare 409 or a 5xx is doubt, because something in between may have sent it.
 */
import type { Operation, Rejection } from "@backstep/contract";
import { decided, type Fault, type FaultTag, fault, type Json, type Tagged } from "@backstep/saga-core/adapter";
import { err, ok, Result } from "neverthrow";
import { match, P } from "ts-pattern";
import { z } from "zod";
import { PROBLEM, PROBLEM_MEDIA_TYPE, type ProblemKind, rejectionType } from "../wire.ts";

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

/** Faults are journaled; what a server writes into its problems is not bounded by anybody else. */
const DETAIL_CHARACTERS_MAX = 300;

export function classifyResponse(expected: Expectation, received: ReceivedResponse): Result<unknown, Tagged> {
  if (received.status === 202) return err(fault("Running", `${expected.where}: accepted, not done yet`, options(received)));
  if (isSuccess(received.status)) return readSuccess(expected, received);
  const problem = readProblem(received);
  if (problem === undefined) {
    return err(
      fault(bareTag(received.status), `${expected.where}: ${received.status} without a document that explains it`, options(received)),
    );
  }
  const told = `${expected.where}: ${received.status} ${(problem.detail ?? problem.type).slice(0, DETAIL_CHARACTERS_MAX)}`;
  return err(readRejection(expected, received, problem) ?? fault(problemTag(problem, received.status), told, options(received)));
}

/**
 * The participant said that it is done, whatever became of the rest: what is lost is its output. Any other head whose document is lost is doubt, and so is a wait that
 * was given up, as it is before the head.
 */
export function classifyLostBody({ where }: Expectation, status: number, why: string, gaveUp: boolean): Fault {
  const done = isSuccess(status) && status !== 202 && !gaveUp;
  return fault(done ? "Unreadable" : "Unknown", `${where}: ${status}, but of its body ${why}`, { details: { status } });
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function readSuccess({ operation, where }: Expectation, { text, status }: ReceivedResponse): Result<unknown, Fault> {
  return (text === "" ? ok(undefined) : parseJson(text))
    .andThen((value) => (operation._tag === "Undo" ? ok(undefined) : readOutput(operation.output, value)))
    .mapErr(() => fault("Unreadable", `${where}: ${status}, but the answer does not fit the contract`));
}

function readOutput(schema: z.ZodType, value: unknown): Result<unknown, unknown> {
  const output = schema.safeParse(value);
  if (output.success) return ok(output.data);
  // JSON has no word for "nothing" but null.
  const nothing = value === null ? schema.safeParse(undefined) : undefined;
  return nothing?.success === true ? ok(nothing.data) : err(output.error);
}

function readProblem({ mediaType, text, status }: ReceivedResponse): ProblemDocument | undefined {
  if (mediaType !== PROBLEM_MEDIA_TYPE) return undefined;
  const parsed = problemDocument.safeParse(parseJson(text).unwrapOr(undefined));
  // A document that belongs to another status was not written for this answer.
  return parsed.success && (parsed.data.status ?? status) === status ? parsed.data : undefined;
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

/** The problems of this protocol, from a server that speaks it; of any other only what it says of its effect counts, and only against what its status says. */
function problemTag(problem: ProblemDocument, status: number): FaultTag {
  const isOwn = (kind: ProblemKind): boolean => problem.type === PROBLEM[kind].type && status === PROBLEM[kind].status;
  if (isOwn("running")) return "Running";
  if (isOwn("evidenceLost")) return "EvidenceLost";
  if (isOwn("keyReused")) return "KeyReused";
  if (problem.effect === "applied" || problem.effect === "unknown") return "Unknown";
  if (problem.effect === "none" && isOwn("sealed") && problem.decided === "key") return "Sealed";
  if (problem.effect === "none" && isOwn("unavailable")) return "Throttled";
  return isOwn("notFound") ? "Faulted" : bareTag(status);
}

/** What a status means when nothing in the body says more: any server, proxy or gateway may have sent it. */
function bareTag(status: number): FaultTag {
  return (
    match(status)
      // "See other" is how some servers answer a POST that they have executed.
      .with(303, () => "Unknown" as const)
      .with(P.number.between(300, 399), () => "Faulted" as const)
      .with(400, 401, 403, 405, 406, 411, 413, 414, 415, 428, 431, 501, 505, () => "Faulted" as const)
      // During a deploy a gateway knows no route; only our own document makes a 404 final.
      .with(404, 421, 425, () => "NotSent" as const)
      .with(429, () => "Throttled" as const)
      .otherwise(() => "Unknown" as const)
  );
}

function options({ retryAfterMs, status }: ReceivedResponse): { readonly retryAfterMs?: number | undefined; readonly details: Json } {
  return { retryAfterMs, details: { status } };
}

function parseJson(text: string): Result<unknown, unknown> {
  return Result.fromThrowable((json: string): unknown => JSON.parse(json))(text);
}
