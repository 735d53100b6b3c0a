/** The operator's desk: what is parked, and what may be done about it. Meant for a private network: nobody signs in here. */
import { describeProblems, type JsonSchema, type OpenApiPaths, problemResponse, readJsonBody } from "@backstep/http-adapter/server";
import type { CancelRefused, Engine, SignalRefused, VerbError } from "@backstep/saga-core";
import type { Context, Hono } from "hono";
import type { ResultAsync } from "neverthrow";
import { match, P } from "ts-pattern";
import { z } from "zod";
import { approval } from "./checkout.ts";

const operator = { by: z.string().min(1).max(200), reason: z.string().min(1).max(2_000) };
const operation = { path: z.string().min(1), slot: z.enum(["action", "compensation"]) };
const retryOrder = z.strictObject({ ...operator, ...operation });
const abandonOrder = z.strictObject(operator);
const settleOrder = z.strictObject({
  ...operator,
  ...operation,
  evidence: z.string().min(1).max(2_000),
  verdict: z.discriminatedUnion("_tag", [
    z.strictObject({ _tag: z.literal("applied"), output: z.unknown().optional() }),
    z.strictObject({ _tag: z.literal("notApplied") }),
  ]),
});

const cancelOrder = z.strictObject(operator);
const approvalOrder = z.strictObject({ by: operator.by, approved: z.boolean() });

const BODY_BYTES_MAX = 64 * 1024;

export function mountOperator(app: Hono, engine: Engine): void {
  app.get("/operator/parked", async () =>
    (await engine.parked()).match(
      (parked) => Response.json({ parked }),
      () => problemResponse("unavailable"),
    ),
  );
  app.post("/operator/sagas/:sagaId/retry", (context) => obey(context, retryOrder, (id, order) => engine.retry(id, order)));
  app.post("/operator/sagas/:sagaId/settle", (context) => obey(context, settleOrder, (id, order) => engine.settle(id, order)));
  app.post("/operator/sagas/:sagaId/abandon", (context) => obey(context, abandonOrder, (id, order) => engine.abandon(id, order)));
  app.post("/operator/sagas/:sagaId/readmit", ({ req }) => answerVerb(engine.readmit(req.param("sagaId"))));
  app.post("/operator/sagas/:sagaId/cancel", (context) =>
    obey(context, cancelOrder, (id, { by, reason }) => engine.cancel(id, reason, { by })),
  );
  // One word per payment: whoever speaks first is heard, and may say it again.
  app.post("/operator/sagas/:sagaId/approval", (context) =>
    obey(context, approvalOrder, (id, word) => engine.signal(id, approval, word, { key: "approval" })),
  );
}

type Refusal = VerbError | CancelRefused | SignalRefused;

async function obey<Schema extends z.ZodType, Refused extends Refusal>(
  { req }: Context,
  schema: Schema,
  verb: (sagaId: string, order: z.output<Schema>) => ResultAsync<void, Refused>,
): Promise<Response> {
  const body = await readJsonBody(req.raw, BODY_BYTES_MAX);
  if (body.isErr()) return body.error;
  const order = schema.safeParse(body.value);
  if (!order.success) return problemResponse("requestInvalid", { detail: z.prettifyError(order.error) });
  return answerVerb(verb(req.param("sagaId") ?? "", order.data));
}

async function answerVerb(obeying: ResultAsync<void, Refusal>): Promise<Response> {
  const obeyed = await obeying;
  return obeyed.match(
    () => new Response(null, { status: 204 }),
    (error) =>
      match(error)
        .with({ _tag: "SagaNotFound" }, () => problemResponse("noSuchSaga"))
        .with({ _tag: P.union("VerbRefused", "CancelRefused", "SignalRefused") }, ({ message }) =>
          problemResponse("verbRefused", { detail: message }),
        )
        .with({ _tag: "SagaUnavailable" }, ({ message }) => problemResponse("unavailable", { detail: message }))
        .exhaustive(),
  );
}

const sagaIdParameter = { name: "sagaId", in: "path", required: true, schema: { type: "string" } };

/** The desk for the OpenAPI page of the service that has it. */
export const operatorPaths: OpenApiPaths = {
  paths: {
    "/operator/parked": {
      get: {
        operationId: "operator.parked",
        summary: "Lists what waits for an operator, oldest first.",
        responses: {
          "200": { description: "Each saga with its stuck operations and their causes", content: { "application/json": {} } },
          ...describeProblems("unexpected", "unavailable"),
        },
      },
    },
    "/operator/sagas/{sagaId}/retry": verbPath("retry", "Attempts a parked operation again, with new budgets.", retryOrder),
    "/operator/sagas/{sagaId}/settle": verbPath("settle", "Says what became of a parked operation, with evidence.", settleOrder),
    "/operator/sagas/{sagaId}/abandon": verbPath("abandon", "Ends a parked saga as it stands.", abandonOrder),
    "/operator/sagas/{sagaId}/readmit": readmitPath(),
    "/operator/sagas/{sagaId}/cancel": verbPath("cancel", "Takes a saga back, while it still may go back.", cancelOrder),
    "/operator/sagas/{sagaId}/approval": verbPath("approval", "Approves a large payment that waits for it, or refuses it.", approvalOrder),
  },
  schemas: {},
};

function readmitPath(): JsonSchema {
  return {
    post: {
      operationId: "operator.readmit",
      summary: "Examines a quarantined saga again, once what kept it from being driven is mended.",
      parameters: [sagaIdParameter],
      responses: { "204": { description: "Done" }, ...describeProblems("noSuchSaga", "verbRefused", "unexpected", "unavailable") },
    },
  };
}

function verbPath(verb: string, summary: string, order: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(order, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return {
    post: {
      operationId: `operator.${verb}`,
      summary,
      parameters: [sagaIdParameter],
      requestBody: { required: true, content: { "application/json": { schema } } },
      responses: {
        "204": { description: "Done" },
        ...describeProblems("requestInvalid", "noSuchSaga", "verbRefused", "bodyTooLarge", "mediaType", "unexpected", "unavailable"),
      },
    },
  };
}
