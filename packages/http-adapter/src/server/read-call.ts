/** The headers of a call, checked: whose it is, and for an undo what it takes back. */
import { type IdempotencyKey, idempotencyKey } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { CAUSE, HEADER, TRUE, unquoted } from "../wire.ts";
import { problemResponse } from "./problem-response.ts";

export interface ReceivedCall {
  readonly key: IdempotencyKey;
  readonly sagaId: string | undefined;
  /** Epoch milliseconds; now, for a client that does not say. */
  readonly issuedAt: number;
  /** A deciding query. */
  readonly asking: boolean;
}

export interface ReceivedUndo {
  readonly undoes: { readonly key: IdempotencyKey; readonly issuedAt: number; readonly known: "succeeded" | "inDoubt" };
  /** A tag; absent from a caller that does not say. */
  readonly cause: string | undefined;
}

export const SAGA_ID_LENGTH_MAX = 128;
export const SAGA_ID = /^[A-Za-z0-9._:@~-]{1,128}$/;
const EPOCH_MS = /^\d{1,15}$/;
const COUNT = /^[1-9]\d{0,14}$/;
/** A Structured Field Boolean. Whatever else an asker sends must not be taken for "run it". */
const ASKING: Readonly<Record<string, boolean>> = { "?0": false, [TRUE]: true };

export function readCall(headers: Headers, now: number): Result<ReceivedCall, Response> {
  const field = headers.get(HEADER.key);
  if (field === null) return err(problemResponse("keyMissing", { detail: 'send Idempotency-Key: "<1 to 255 characters>"' }));
  const sagaId = headers.get(HEADER.sagaId) ?? undefined;
  if (sagaId !== undefined && !SAGA_ID.test(sagaId)) return err(invalid(`${HEADER.sagaId} is malformed`));
  for (const name of [HEADER.attempt, HEADER.timeoutMs]) {
    if (!COUNT.test(headers.get(name) ?? "1")) return err(invalid(`${name} must be a whole number from 1 on`));
  }
  const resolve = headers.get(HEADER.resolve) ?? "?0";
  const asking = Object.hasOwn(ASKING, resolve) ? ASKING[resolve] : undefined;
  if (asking === undefined) return err(invalid(`${HEADER.resolve} must be ?1 or ?0`));
  return readKey(HEADER.key, field).andThen((key) =>
    readTime(HEADER.issuedAt, headers.get(HEADER.issuedAt) ?? String(now)).map((issuedAt) => ({ key, sagaId, issuedAt, asking })),
  );
}

export function readUndo(headers: Headers): Result<ReceivedUndo, Response> {
  const told = headers.get(HEADER.cause) ?? "";
  const cause = CAUSE.test(told) ? told : undefined;
  const known = headers.get(HEADER.undoesKnown);
  if (known !== "succeeded" && known !== "inDoubt") return err(invalid(`${HEADER.undoesKnown} must be succeeded or inDoubt`));
  return readKey(HEADER.undoesKey, headers.get(HEADER.undoesKey) ?? "").andThen((key) =>
    readTime(HEADER.undoesIssuedAt, headers.get(HEADER.undoesIssuedAt) ?? "").map(
      (issuedAt): ReceivedUndo => ({
        undoes: { key, issuedAt, known },
        cause,
      }),
    ),
  );
}

function readKey(name: string, field: string): Result<IdempotencyKey, Response> {
  const text = unquoted(field);
  if (text === undefined) return err(invalid(`${name} must be a quoted string without quotes or backslashes inside`));
  return idempotencyKey.parse(text).mapErr(({ message }) => invalid(`${name}: ${message}`));
}

function readTime(name: string, field: string): Result<number, Response> {
  return EPOCH_MS.test(field) ? ok(Number(field)) : err(invalid(`${name} must be epoch milliseconds`));
}

function invalid(detail: string): Response {
  return problemResponse("keyInvalid", { detail });
}
