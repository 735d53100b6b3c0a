/**
 * The operator's desk: what is parked, and every verb that may be said about it, each a route. Nobody is asked who they are: mount it on a private network, or behind a middleware that asks
 * (`app.use("/operator/*", …)`). `by` is what whoever speaks says of themselves, for the journal.
 */
import type { CancelRefused, Engine, Signal, SignalRefused, VerbError } from "@backstep/saga-core";
import type { Context, Hono } from "hono";
import type { ResultAsync } from "neverthrow";
import { match, P } from "ts-pattern";
import { z } from "zod";
import { HEADER, TRUE } from "../wire.ts";
import { guarded } from "./guarded.ts";
import { cutDetail, problemResponse, retryAfter } from "./problem-response.ts";
import { readCall } from "./read-call.ts";
import { readJsonBody } from "./read-input.ts";
import { schemaFlaws } from "./schema-flaws.ts";

export interface OperatorRoutesOptions {
  readonly engine: Engine;
  /** What every route begins with. Default `/operator`. */
  readonly path?: `/${string}` | undefined;
  /** Gets what went wrong inside; the caller is told nothing of it. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface SignalRouteOptions<Given, Payload> {
  readonly engine: Engine;
  readonly signal: Signal<string, Given, Payload>;
  /** E.g. `/operator/sagas/{sagaId}/approval`. The body is the payload. */
  readonly path: `/${string}{sagaId}${string}`;
  /** Names the signal for its saga: the same key again is the same signal. Default: the `Idempotency-Key` that came with it. */
  readonly keyOf?: ((sagaId: string) => string) | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
}

export const OPERATOR_PATH = "/operator";

const operator = { by: z.string().min(1).max(200), reason: z.string().min(1).max(2_000) };
const operation = { path: z.string().min(1), slot: z.enum(["action", "compensation"]) };

/** What each verb is told, as it is in the body. */
export const ORDERS = {
  retry: z.strictObject({ ...operator, ...operation }),
  settle: z.strictObject({
    ...operator,
    ...operation,
    evidence: z.string().min(1).max(2_000),
    verdict: z.discriminatedUnion("_tag", [
      z.strictObject({ _tag: z.literal("applied"), output: z.unknown().optional() }),
      z.strictObject({ _tag: z.literal("notApplied") }),
    ]),
  }),
  abandon: z.strictObject(operator),
  cancel: z.strictObject(operator),
} as const;

const BODY_BYTES_MAX = 64 * 1024;

/** Adds the routes to an app: `GET …/parked`, and `POST …/sagas/{sagaId}/` with `retry`, `settle`, `abandon`, `cancel` or `readmit`. */
export function mountOperator(app: Hono, { engine, path = OPERATOR_PATH, onError = () => undefined }: OperatorRoutesOptions): void {
  const verb = (name: string, handle: (context: Context) => Promise<Response>): unknown =>
    app.post(`${path}/sagas/:sagaId/${name}`, guarded(handle, onError));
  app.get(
    `${path}/parked`,
    guarded(() => listParked(engine), onError),
  );
  verb("retry", (context) => obey(context, ORDERS.retry, (id, order) => engine.retry(id, order)));
  verb("settle", (context) => obey(context, ORDERS.settle, (id, order) => engine.settle(id, order)));
  verb("abandon", (context) => obey(context, ORDERS.abandon, (id, order) => engine.abandon(id, order)));
  verb("cancel", (context) => obey(context, ORDERS.cancel, (id, { by, reason }) => engine.cancel(id, reason, { by })));
  verb("readmit", ({ req }) => answerVerb(engine.readmit(req.param("sagaId") ?? "")));
}

/** Adds a route that tells a saga a signal: a human's approval, a gateway's webhook. 204 when it is durable, also when it was before. */
export function mountSignal<Given, Payload>(app: Hono, options: SignalRouteOptions<Given, Payload>): void {
  const { path, onError = () => undefined } = options;
  app.post(
    path.replace("{sagaId}", ":sagaId"),
    guarded((context) => tell(options, context), onError),
  );
}

async function tell<Given, Payload>({ engine, signal, keyOf }: SignalRouteOptions<Given, Payload>, { req }: Context): Promise<Response> {
  const sagaId = req.param("sagaId") ?? "";
  const call = keyOf === undefined ? readCall(req.raw.headers, 0) : undefined;
  if (call?.isErr()) return call.error;
  // Whoever asks what became of a key must not tell anything by it.
  if (req.header(HEADER.resolve) === TRUE) return problemResponse("keyInvalid", { detail: `here ${HEADER.resolve} means nothing` });
  const key = call?.isOk() ? call.value.key : (keyOf?.(sagaId) ?? "");
  const body = await readJsonBody(req.raw, BODY_BYTES_MAX);
  if (body.isErr()) return body.error;
  const flaws = await schemaFlaws(signal.payload, "payload", body.value);
  if (flaws !== undefined) return problemResponse("requestInvalid", { detail: flaws });
  // As it came, not as the schema hands it on: the engine applies the schema itself.
  return answerVerb(engine.signal(sagaId, signal, body.value as never, { key }));
}

async function listParked(engine: Engine): Promise<Response> {
  return (await engine.parked()).match(
    (parked) => Response.json({ parked }),
    ({ message }) => problemResponse("unavailable", { detail: cutDetail(message), headers: retryAfter(1_000) }),
  );
}

async function obey<Schema extends z.ZodType>(
  { req }: Context,
  schema: Schema,
  verb: (sagaId: string, order: z.output<Schema>) => ResultAsync<void, Refusal>,
): Promise<Response> {
  const body = await readJsonBody(req.raw, BODY_BYTES_MAX);
  if (body.isErr()) return body.error;
  const order = schema.safeParse(body.value);
  if (!order.success) return problemResponse("requestInvalid", { detail: cutDetail(z.prettifyError(order.error)) });
  return answerVerb(verb(req.param("sagaId") ?? "", order.data));
}

type Refusal = VerbError | CancelRefused | SignalRefused;

async function answerVerb(obeying: ResultAsync<void, Refusal>): Promise<Response> {
  const obeyed = await obeying;
  return obeyed.match(
    () => new Response(null, { status: 204 }),
    (error) =>
      match(error)
        .with({ _tag: "SagaNotFound" }, () => problemResponse("noSuchSaga"))
        .with({ _tag: P.union("VerbRefused", "CancelRefused", "SignalRefused") }, ({ message }) =>
          problemResponse("verbRefused", { detail: cutDetail(message) }),
        )
        // It may have been written down all the same.
        .with({ _tag: "SagaUnavailable" }, ({ message }) =>
          problemResponse("unavailable", { detail: cutDetail(message), effect: "unknown", headers: retryAfter(1_000) }),
        )
        .exhaustive(),
  );
}
