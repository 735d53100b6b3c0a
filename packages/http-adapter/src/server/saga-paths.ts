/** The two routes of a saga as an OpenAPI document has them, for the page of the service that hosts it. */
import type { Rejection } from "@backstep/contract";
import { z } from "zod";
import type { ProblemKind } from "../wire.ts";
import { keyParameter, type OpenApiPaths } from "./open-api.ts";
import { headerObject, type Problems, problemResponses } from "./open-api-problems.ts";
import type { SagaStatusDocument } from "./saga-status.ts";
import { createSchemaShelf, type JsonSchema } from "./schema-shelf.ts";

export interface SagaPathsOptions {
  readonly saga: { readonly name: string };
  /** As it is mounted, prefixes included. */
  readonly path: `/${string}`;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
  /** What the saga can be rejected with, as it is mounted. */
  readonly rejections?: readonly Rejection[] | undefined;
}

const START_PROBLEMS: readonly ProblemKind[] = [
  "requestInvalid",
  "keyMissing",
  "keyInvalid",
  "sagaAbandoned",
  "sagaCancelled",
  "sagaDeadlineExceeded",
  "bodyTooLarge",
  "mediaType",
  "keyReused",
  "unexpected",
  "unavailable",
  "sagaFaulted",
];
const KEY =
  "A quoted string of 1 to 64 characters of A-Z a-z 0-9 . _ : @ ~ -; with the client, it names the saga. Fewer where the client's name is long.";
const LOOK_PROBLEMS: readonly ProblemKind[] = ["noSuchSaga", "unexpected", "unavailable"];

const accepted = z.strictObject({ sagaId: z.string(), status: z.enum(["running", "parked"]), location: z.string() });

const status = z.strictObject({
  sagaId: z.string(),
  saga: z.string(),
  version: z.int().min(0),
  status: z.enum(["running", "parked", "waiting", "completed", "compensated", "abandoned"]),
  startedAt: z.int().describe("Epoch milliseconds."),
  updatedAt: z.int().describe("Epoch milliseconds."),
  cause: z.string().optional().describe("The tag of the first error, once the saga went back."),
  quarantine: z.string().optional().describe("Why no worker can drive it."),
  operations: z
    .array(
      z.strictObject({
        path: z.string(),
        step: z.string(),
        slot: z.enum(["action", "compensation"]),
        outcome: z.enum(["open", "parked", "succeeded", "rejected", "faulted", "inDoubt"]),
        attempts: z.int().min(0),
        tookMs: z.number().optional().describe("Milliseconds from intent to outcome."),
        reason: z.string().optional(),
      }),
    )
    .readonly(),
}) satisfies z.ZodType<SagaStatusDocument>;

/** Describes what `mountSaga` serves. Hand it to `createServer` as one of `otherPaths`. */
export function sagaPaths({ saga: { name }, path, input, output, rejections = [] }: SagaPathsOptions): OpenApiPaths {
  const shelf = createSchemaShelf();
  const problems: Problems = { kinds: START_PROBLEMS, rejections, of: name, shelf };
  const start = {
    operationId: `${name}.start`,
    summary: `Starts the saga ${name}, or finds the one that this key started, and answers with its end when that comes in time.`,
    parameters: [keyParameter(KEY)],
    requestBody: { required: true, content: { "application/json": { schema: shelf.place(input, "input", `${name}.input`) } } },
    responses: {
      "200": answer("Completed, now or earlier", shelf.place(output, "output", `${name}.output`)),
      "202": {
        ...answer("Not ended yet, or waiting for an operator", shelf.place(accepted, "output", "saga.accepted")),
        headers: { location: headerObject("Where it can be looked at."), "retry-after": headerObject("Seconds to wait before looking.") },
      },
      ...problemResponses(problems),
    },
  };
  const look = {
    operationId: `${name}.look`,
    summary: `Tells how a saga ${name} stands, step by step, without anybody's data.`,
    parameters: [{ name: "sagaId", in: "path", required: true, schema: { type: "string" } }],
    responses: {
      "200": answer("How it stands", shelf.place(status, "output", "saga.status")),
      ...problemResponses({ ...problems, kinds: LOOK_PROBLEMS, rejections: [] }),
    },
  };
  return { paths: { [path]: { post: start }, [`${path}/{sagaId}`]: { get: look } }, schemas: shelf.schemas };
}

function answer(description: string, schema: JsonSchema): JsonSchema {
  return { description, content: { "application/json": { schema } } };
}
