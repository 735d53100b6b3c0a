/**
 * A saga over HTTP: one route that starts it, one that tells how it stands. The starting route has no fence of its own, because a start is idempotent by the saga's id,
 * which is made of client and key. It answers from the saga: ended, with its answer, the same ever after; not ended in time or parked, with 202 and where to look.
 */
import type { Rejection } from "@backstep/contract";
import type { Engine, Saga, SagaEnding, SagaNotFound, SagaSnapshot, SagaStartError, SagaUnavailable } from "@backstep/saga-core";
import { type IdempotencyKey, isTagged, type Tagged } from "@backstep/saga-core/adapter";
import type { Context, Hono } from "hono";
import type { Result } from "neverthrow";
import { match, P } from "ts-pattern";
import { HEADER, rejectionType } from "../wire.ts";
import { allowOf } from "./allowed-methods.ts";
import { titleOf } from "./answer-response.ts";
import { guarded } from "./guarded.ts";
import { problemDocument, problemResponse, retryAfter } from "./problem-response.ts";
import { readCall, SAGA_ID, SAGA_ID_LENGTH_MAX } from "./read-call.ts";
import { readJsonBody } from "./read-input.ts";
import { sagaStatus } from "./saga-status.ts";
import { flawsText, schemaFlaws } from "./schema-flaws.ts";

export interface SagaRoutesOptions<Input, Output, Failure> {
  readonly engine: Engine;
  readonly saga: Saga<string, Input, Output, Failure>;
  /** Where it is started (POST) and, with its id behind it, looked at (GET), e.g. `/checkouts`. */
  readonly path: `/${string}`;
  /**
   * Who asks, as far as the server knows: part of the saga's id, so that one client's key is never another's. 1 to 64 characters of `A-Z a-z 0-9 . _ : -`; what a saga's
   * id has left after its name and the client bounds the key. Asked only about an input that fits the saga's schema, as it came.
   */
  readonly clientOf: (request: Request, input: unknown) => string | undefined;
  /** How long to wait for the end, in milliseconds, before answering: 202 when the start is durable, 503 when it is not, yet. Default 10,000. */
  readonly answerWithinMs?: number | undefined;
  /** The saga's domain errors, as the contracts of its steps declare them: each has the status that it has there. */
  readonly rejections?: readonly Rejection[] | undefined;
  /** The HTTP status of a domain error by its tag, before `rejections` are asked. An error that neither knows is a 422. */
  readonly statusOf?: ((tag: string) => number | undefined) | undefined;
  /** Default 65,536. */
  readonly bodyBytesMax?: number | undefined;
  /** Gets what went wrong inside; the caller is told nothing of it. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const ANSWER_WITHIN_MS_DEFAULT = 10_000;
const BODY_BYTES_MAX_DEFAULT = 64 * 1024;
const CLIENT = /^[A-Za-z0-9._:-]{1,64}$/;
const KEY = /^[A-Za-z0-9._:@~-]+$/;
const KEY_LENGTH_MAX = 64;

/** Adds the two routes to an app. */
export function mountSaga<Input, Output, Failure>(app: Hono, options: SagaRoutesOptions<Input, Output, Failure>): void {
  const { path, onError = () => undefined } = options;
  app.post(
    path,
    guarded(({ req }) => start(options, req.raw), onError),
  );
  app.get(
    `${path}/:sagaId`,
    guarded((context) => look(options, context), onError),
  );
  app.all(path, () => problemResponse("methodNotAllowed", { headers: { allow: allowOf(["POST"]) } }));
  app.all(`${path}/:sagaId`, () => problemResponse("methodNotAllowed", { headers: { allow: allowOf(["GET"]) } }));
}

async function start<Input, Output, Failure>(options: SagaRoutesOptions<Input, Output, Failure>, request: Request): Promise<Response> {
  const { engine, saga, answerWithinMs = ANSWER_WITHIN_MS_DEFAULT, bodyBytesMax = BODY_BYTES_MAX_DEFAULT } = options;
  const call = readCall(request.headers, 0);
  if (call.isErr()) return call.error;
  // Whoever asks what became of a key must not start anything by it.
  if (call.value.asking)
    return problemResponse("keyInvalid", { detail: `look at ${options.path}/{sagaId}; here ${HEADER.resolve} means nothing` });
  const body = await readJsonBody(request, bodyBytesMax);
  if (body.isErr()) return body.error;
  // Who asks may stand in the body; its own flaws are told before that he is missing there.
  const flawed = await schemaFlaws(saga["~saga"].input, "input", body.value);
  if (flawed !== undefined) return problemResponse("requestInvalid", { detail: flawed });
  const id = sagaIdOf(saga.name, options.clientOf(request, body.value), call.value.key);
  if (id._tag === "Refused") return problemResponse("requestInvalid", { detail: id.detail });
  // As it came, not as the schema hands it on: the engine applies the schema itself.
  const starting = engine.start(saga, body.value as never, { id: id.sagaId });
  let begun = false;
  const run = starting.andThen(() => {
    begun = true;
    return engine.result(saga, id.sagaId);
  });
  const result = await within(run, answerWithinMs);
  // The path as the client knows it: the app may be mounted under a prefix.
  const { pathname } = new URL(request.url);
  if (result !== undefined) return resultResponse({ ...options, path: pathname }, id.sagaId, result);
  return begun ? accepted(pathname, id.sagaId, "running") : notBegun();
}

/** It waits for its turn, or for the store. It may be begun yet, so only the same key may ask again. */
function notBegun(): Response {
  const detail = "not begun in time, and perhaps never; ask again under the same key";
  return problemResponse("unavailable", { detail, effect: "unknown", headers: retryAfter(1_000) });
}

type NamedSaga = { readonly _tag: "Named"; readonly sagaId: string } | { readonly _tag: "Refused"; readonly detail: string };

function sagaIdOf(name: string, client: string | undefined, key: IdempotencyKey): NamedSaga {
  if (client === undefined || !CLIENT.test(client)) return { _tag: "Refused", detail: "who asks is missing or malformed" };
  // A colon in the client would let it reach into another one's keys: "a:b" with "c" must not be "a" with "b:c".
  const owner = `${name}:${client.replaceAll(":", "@")}:`;
  const room = SAGA_ID_LENGTH_MAX - owner.length;
  if (room < 1) return { _tag: "Refused", detail: "who asks has too long a name for this saga" };
  if (KEY.test(key) && key.length <= Math.min(room, KEY_LENGTH_MAX)) return { _tag: "Named", sagaId: owner + key };
  const [where, most] = room < KEY_LENGTH_MAX ? ["for this client", room] : ["here", KEY_LENGTH_MAX];
  return { _tag: "Refused", detail: `${where} an Idempotency-Key has 1 to ${most} characters of A-Z a-z 0-9 . _ : @ ~ -` };
}

async function within<Value>(awaited: PromiseLike<Value>, delayMs: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, delayMs, undefined);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

function accepted(path: string, sagaId: string, status: "running" | "parked"): Response {
  const location = `${path}/${encodeURIComponent(sagaId)}`;
  return Response.json({ sagaId, status, location }, { status: 202, headers: { location, ...retryAfter(1_000) } });
}

/** How a run can be answered besides its output and its own domain errors. */
type EngineError = SagaEnding | SagaStartError | SagaNotFound | SagaUnavailable;

const ENGINE_TAGS: Readonly<Record<EngineError["_tag"], true>> = {
  SagaAbandoned: true,
  SagaCancelled: true,
  SagaDeadlineExceeded: true,
  SagaFaulted: true,
  SagaIdConflict: true,
  SagaNotFound: true,
  SagaParked: true,
  SagaRequestInvalid: true,
  SagaUnavailable: true,
};

/** A domain error may be named after sagas, too. The engine's own speaks of the saga that was asked for. */
function isEngineError(error: Tagged, sagaId: string): error is EngineError {
  return Object.hasOwn(ENGINE_TAGS, error._tag) && "sagaId" in error && error.sagaId === sagaId;
}

interface RouteOptions extends Pick<SagaRoutesOptions<never, unknown, unknown>, "saga" | "statusOf" | "rejections"> {
  readonly path: string;
}

function resultResponse(options: RouteOptions, sagaId: string, result: Result<unknown, unknown>): Response {
  if (result.isOk()) return Response.json(result.value ?? null);
  const { error } = result;
  if (!isTagged(error)) return problemResponse("unexpected", { effect: "unknown" });
  return isEngineError(error, sagaId) ? engineResponse(options, sagaId, error) : rejectedResponse(options, error);
}

function engineResponse({ path }: RouteOptions, sagaId: string, error: EngineError): Response {
  return (
    match(error)
      .with({ _tag: "SagaParked" }, () => accepted(path, sagaId, "parked"))
      .with({ _tag: "SagaRequestInvalid" }, ({ issues }) => problemResponse("requestInvalid", { detail: flawsText(issues) }))
      .with({ _tag: "SagaIdConflict" }, () => problemResponse("keyReused"))
      // Turned away at the door: nothing was begun.
      .with({ _tag: "SagaUnavailable", retryAfterMs: P.number }, ({ retryAfterMs }) =>
        problemResponse("unavailable", { headers: retryAfter(retryAfterMs) }),
      )
      .with({ _tag: P.union("SagaUnavailable", "SagaNotFound") }, () =>
        problemResponse("unavailable", { effect: "unknown", headers: retryAfter(1_000) }),
      )
      .with({ _tag: "SagaFaulted" }, ({ step, path: place }) =>
        problemResponse("sagaFaulted", { detail: `${step ?? place} could not be done; everything is taken back`, decided: "key" }),
      )
      .with({ _tag: "SagaCancelled" }, () => problemResponse("sagaCancelled", { decided: "key" }))
      .with({ _tag: "SagaDeadlineExceeded" }, () => problemResponse("sagaDeadlineExceeded", { decided: "key" }))
      .with({ _tag: "SagaAbandoned" }, ({ stands }) =>
        problemResponse("sagaAbandoned", {
          detail: `an operator ended it; ${stands.length} effects stand`,
          effect: stands.length === 0 ? "none" : "applied",
          decided: "key",
        }),
      )
      .exhaustive()
  );
}

/** The saga said no, and everything is taken back: an answer for the key. */
function rejectedResponse({ saga, statusOf, rejections = [] }: RouteOptions, error: Tagged): Response {
  const { _tag: tag } = error;
  return problemDocument({
    type: rejectionType(saga.name, tag),
    title: titleOf(tag),
    status: statusOf?.(tag) ?? rejections.find((each) => each.tag === tag)?.status ?? 422,
    effect: "none",
    decided: "key",
    error,
  });
}

async function look(
  { engine, saga }: Pick<SagaRoutesOptions<never, unknown, unknown>, "engine" | "saga">,
  { req }: Context,
): Promise<Response> {
  const sagaId = req.param("sagaId") ?? "";
  // What no saga can be called is not worth a question to the store.
  if (!SAGA_ID.test(sagaId)) return problemResponse("noSuchSaga");
  const snapshot = await engine.inspect(sagaId);
  return snapshot.match(
    (found: SagaSnapshot) => {
      const named = withName(found, saga.name);
      return named.saga.name === saga.name ? Response.json(sagaStatus(named)) : problemResponse("noSuchSaga");
    },
    (error) =>
      error._tag === "SagaNotFound" ? problemResponse("noSuchSaga") : problemResponse("unavailable", { headers: retryAfter(1_000) }),
  );
}

/** A journal that cannot be read does not tell whose it is; the id that this route gave the saga does. */
function withName(found: SagaSnapshot, name: string): SagaSnapshot {
  const unread = found.saga.name === "" && found.sagaId.startsWith(`${name}:`);
  return unread ? { ...found, saga: { ...found.saga, name } } : found;
}
