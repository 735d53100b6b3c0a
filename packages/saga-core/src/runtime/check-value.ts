/** Values that come from outside, against the schema declared for them: a caller's input, an operator's output. Says what does not fit, and where. */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { err, ok, type Result } from "neverthrow";
import { messageOf } from "../primitives/thrown.ts";

export interface ValueIssue {
  /** From `name` on, e.g. `input/lines/0/quantity`. */
  readonly path: string;
  readonly message: string;
}

/** The value that the schema hands on. A schema that throws is told apart from one that refuses by its message alone: either way nothing fits. */
export async function checkValue(schema: StandardSchemaV1, value: unknown, name: string): Promise<Result<unknown, readonly ValueIssue[]>> {
  const validated = await validate(schema, value);
  if (validated.issues === undefined) return ok(validated.value);
  return err(validated.issues.map(({ message, path = [] }) => ({ path: `${name}${path.map(pathPart).join("")}`, message })));
}

async function validate(schema: StandardSchemaV1, value: unknown): Promise<StandardSchemaV1.Result<unknown>> {
  try {
    return await schema["~standard"].validate(value);
  } catch (thrown) {
    return { issues: [{ message: `the schema threw: ${messageOf(thrown)}` }] };
  }
}

function pathPart(part: PropertyKey | { readonly key: PropertyKey }): string {
  return `/${String(typeof part === "object" ? part.key : part)}`;
}
