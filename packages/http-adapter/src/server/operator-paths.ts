/** The operator's routes, and those of signals, as an OpenAPI document has them, for the page of the service that hosts them. */
import { z } from "zod";
import type { ProblemKind } from "../wire.ts";
import { keyParameter, type OpenApiPaths } from "./open-api.ts";
import { describeProblems } from "./open-api-problems.ts";
import { OPERATOR_PATH, ORDERS } from "./operator-routes.ts";
import type { JsonSchema } from "./schema-shelf.ts";

export interface SignalPathOptions {
  readonly signal: { readonly name: string };
  /** As it is mounted, prefixes included. */
  readonly path: `/${string}{sagaId}${string}`;
  readonly payload: z.ZodType;
  readonly summary: string;
  /** Whether its key comes with the request; not so where `mountSignal` has a `keyOf`. Default: true. */
  readonly keyed?: boolean | undefined;
}

const VERB_PROBLEMS: readonly ProblemKind[] = ["noSuchSaga", "verbRefused", "unexpected", "unavailable"];
const ORDER_PROBLEMS: readonly ProblemKind[] = ["requestInvalid", "bodyTooLarge", "mediaType", ...VERB_PROBLEMS];
const KEY = "A quoted string of 1 to 255 characters that names this signal: the same again is the same signal.";

/** Describes what `mountOperator` serves. Hand it to `createServer` as one of `otherPaths`. */
export function operatorPaths(path: `/${string}` = OPERATOR_PATH): OpenApiPaths {
  const verb = (name: keyof typeof ORDERS, summary: string) => ({
    [`${path}/sagas/{sagaId}/${name}`]: {
      post: {
        operationId: `operator.${name}`,
        summary,
        parameters: [sagaIdParameter],
        ...bodyOf(ORDERS[name]),
        responses: done(ORDER_PROBLEMS),
      },
    },
  });
  return {
    paths: {
      [`${path}/parked`]: { get: parked },
      ...verb("retry", "Attempts a parked operation again, with new budgets."),
      ...verb("settle", "Says what became of a parked operation, with evidence."),
      ...verb("abandon", "Ends a parked saga as it stands."),
      ...verb("cancel", "Takes a saga back, while it still may go back."),
      [`${path}/sagas/{sagaId}/readmit`]: { post: readmit },
    },
    schemas: {},
  };
}

/** Describes what `mountSignal` serves. */
export function signalPath({ signal, path, payload, summary, keyed = true }: SignalPathOptions): OpenApiPaths {
  const parameters = keyed ? [sagaIdParameter, keyParameter(KEY)] : [sagaIdParameter];
  const problems: readonly ProblemKind[] = keyed ? ["keyMissing", "keyInvalid", ...ORDER_PROBLEMS] : ["keyInvalid", ...ORDER_PROBLEMS];
  const post = { operationId: `signal.${signal.name}`, summary, parameters, ...bodyOf(payload), responses: done(problems) };
  return { paths: { [path]: { post } }, schemas: {} };
}

const sagaIdParameter = { name: "sagaId", in: "path", required: true, schema: { type: "string" } };

const parked = {
  operationId: "operator.parked",
  summary: "Lists what waits for an operator, oldest first.",
  responses: {
    "200": { description: "Each saga with its stuck operations and their causes", content: { "application/json": {} } },
    ...describeProblems("unexpected", "unavailable"),
  },
};

const readmit = {
  operationId: "operator.readmit",
  summary: "Examines a quarantined saga again, once what kept it from being driven is mended.",
  parameters: [sagaIdParameter],
  responses: done(VERB_PROBLEMS),
};

function done(problems: readonly ProblemKind[]): JsonSchema {
  return { "204": { description: "Done" }, ...describeProblems(...problems) };
}

function bodyOf(order: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(order, { io: "input", unrepresentable: "any" }) as JsonSchema;
  return { requestBody: { required: true, content: { "application/json": { schema } } } };
}
