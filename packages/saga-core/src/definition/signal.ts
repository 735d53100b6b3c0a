/** Signals: what somebody outside tells a running saga, once: a gateway's webhook, a human's approval. Declared once, used by the body that waits and by whoever sends. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";
import type { NonJsonPart, NotJournalable } from "../primitives/json.ts";
import { checkName } from "./step.ts";

/** `Given`: what a sender hands in; `Payload`: what the schema makes of it, and a body is handed. */
export interface Signal<Name extends string, Given, Payload> {
  readonly name: Name;
  readonly payload: StandardSchemaV1<Given, Payload>;
}

type Declared<Name extends string, Schema extends StandardSchemaV1> = [NonJsonPart<StandardSchemaV1.InferOutput<Schema>>] extends [never]
  ? Signal<Name, StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>>
  : NotJournalable<NonJsonPart<StandardSchemaV1.InferOutput<Schema>>>;

/**
 * Declares a signal. Its name is part of the journal: sagas that wait for it are found by it.
 *
 * @throws {DefinitionInvalid} for a malformed name or a payload that is no Standard Schema.
 */
export function signal<const Name extends string, Schema extends StandardSchemaV1>(options: {
  /** Lower-case words with dots and dashes, e.g. `payment.approved`. */
  readonly name: Name;
  readonly payload: Schema;
}): Declared<Name, Schema> {
  const { name, payload } = options;
  checkName("signal", name);
  if (typeof payload?.["~standard"]?.validate !== "function") {
    throw new DefinitionInvalid(`signal ${name}: payload must be a Standard Schema (zod, valibot, arktype, …)`);
  }
  return Object.freeze({ name, payload }) as unknown as Declared<Name, Schema>;
}
