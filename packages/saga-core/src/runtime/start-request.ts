/** What a caller hands in to start a saga, checked before anything is journaled. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import type { SagaRequestInvalid } from "../errors/saga-error.ts";
import { type Json, toJson } from "../primitives/json.ts";
import { VALUE_CHARACTERS_MAX } from "./attempt.ts";

export const SAGA_ID_LENGTH_MAX = 128;

/** What keys and headers carry unescaped, without the "/" that separates a saga's id from a path. */
const SAGA_ID_PATTERN = /^[A-Za-z0-9._:@~-]+$/;

export function checkSagaId(sagaId: string): Result<void, SagaRequestInvalid> {
  if (typeof sagaId === "string" && sagaId.length <= SAGA_ID_LENGTH_MAX && SAGA_ID_PATTERN.test(sagaId)) return ok(undefined);
  return err(invalid(String(sagaId), "id", `a saga's id has 1 to ${SAGA_ID_LENGTH_MAX} characters of A-Z a-z 0-9 . _ : @ ~ -`));
}

/** The input as the journal keeps it: validated by the saga's schema, plain JSON, within bounds. */
export async function readInput(
  definition: SagaDefinition,
  sagaId: string,
  raw: unknown,
): Promise<Result<Json | undefined, SagaRequestInvalid>> {
  const validated = await validate(definition, raw);
  if (validated.issues !== undefined) {
    const issues = validated.issues.map(({ message, path = [] }) => ({ path: `input${path.map(pathPart).join("")}`, message }));
    return err({ _tag: "SagaRequestInvalid", sagaId, issues });
  }
  if (validated.value === undefined) return ok(undefined);
  return toJson(validated.value)
    .mapErr(({ path, found }) => invalid(sagaId, `input${path}`, `must be JSON; found ${found}`))
    .andThen((json): Result<Json, SagaRequestInvalid> => {
      const { length } = JSON.stringify(json);
      if (length <= VALUE_CHARACTERS_MAX) return ok(json);
      return err(invalid(sagaId, "input", `has ${length} characters of JSON; ${VALUE_CHARACTERS_MAX} are the most`));
    });
}

/** A schema that throws is told apart from one that refuses by its message alone: either way there is no input to start with. */
async function validate({ input }: SagaDefinition, raw: unknown): Promise<StandardSchemaV1.Result<unknown>> {
  try {
    return await input["~standard"].validate(raw);
  } catch (thrown) {
    return { issues: [{ message: `the schema threw: ${thrown instanceof Error ? thrown.message : String(thrown)}` }] };
  }
}

function pathPart(part: PropertyKey | { readonly key: PropertyKey }): string {
  return `/${String(typeof part === "object" ? part.key : part)}`;
}

function invalid(sagaId: string, path: string, message: string): SagaRequestInvalid {
  return { _tag: "SagaRequestInvalid", sagaId, issues: [{ path, message }] };
}
