/** The operator's desk: what is parked, and what may be done about it. Meant for a private network: nobody signs in here. */
import { problemResponse } from "@backstep/http-adapter/server";
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
    z.strictObject({ _tag: z.literal("applied"), output: z.json().optional() }),
    z.strictObject({ _tag: z.literal("notApplied") }),
  ]),
});

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
  const order = schema.safeParse(await req.json().catch(() => undefined));
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
