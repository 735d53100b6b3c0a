/** The operator's desk: what is parked, and what may be done about it. Meant for a private network: nobody signs in here. */
import { describeProblems, type JsonSchema, type OpenApiPaths, problemResponse, readJsonBody } from "@backstep/http-adapter/server";
import type { Engine, VerbError } from "@backstep/saga-core";
import type { Context, Hono } from "hono";
import type { Result } from "neverthrow";
import { match } from "ts-pattern";
import { z } from "zod";

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
}

async function obey<Schema extends z.ZodType>(
  { req }: Context,
  schema: Schema,
  verb: (sagaId: string, order: z.output<Schema>) => PromiseLike<Result<void, VerbError>>,
): Promise<Response> {
  const body = await readJsonBody(req.raw, BODY_BYTES_MAX);
  if (body.isErr()) return body.error;
  const order = schema.safeParse(body.value);
  if (!order.success) return problemResponse("requestInvalid", { detail: z.prettifyError(order.error) });
  const obeyed = await verb(req.param("sagaId") ?? "", order.data);
  return obeyed.match(
    () => new Response(null, { status: 204 }),
    (error) =>
      match(error)
        .with({ _tag: "SagaNotFound" }, () => problemResponse("noSuchSaga"))
        .with({ _tag: "VerbRefused" }, ({ message }) => problemResponse("verbRefused", { detail: message }))
        .with({ _tag: "SagaUnavailable" }, ({ message }) => problemResponse("unavailable", { detail: message }))
        .exhaustive(),
  );
}

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
  },
  schemas: {},
};

function verbPath(verb: string, summary: string, order: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(order, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return {
    post: {
      operationId: `operator.${verb}`,
      summary,
      parameters: [{ name: "sagaId", in: "path", required: true, schema: { type: "string" } }],
      requestBody: { required: true, content: { "application/json": { schema } } },
      responses: {
        "204": { description: "Done" },
        ...describeProblems("requestInvalid", "noSuchSaga", "verbRefused", "bodyTooLarge", "mediaType", "unexpected", "unavailable"),
      },
    },
  };
}
