/** The values that a fake answers with where it was given none: made once per schema, however many runs there are. */
import type { Command, Query, Rejection } from "@backstep/contract";
import { DefinitionInvalid } from "@backstep/saga-core";
import type { z } from "zod";
import { type Smallest, smallestOf } from "./smallest-value.ts";

const made = new WeakMap<z.ZodType, Smallest>();

/** @throws {DefinitionInvalid} */
export function smallestOutput(contract: string, name: string, { output }: Command | Query): unknown {
  return valueOf(output, `the output of ${contract}.${name}`, `answers.${name}`);
}

/** @throws {DefinitionInvalid} */
export function smallestRejection(contract: string, name: string, { tag, schema }: Rejection): unknown {
  return valueOf(schema, `the rejection ${tag} of ${contract}.${name}`, `rejects.${name}.${tag}`);
}

function valueOf(schema: z.ZodType, what: string, remedy: string): unknown {
  const smallest = made.get(schema) ?? smallestOf(schema);
  made.set(schema, smallest);
  if (smallest._tag === "Made") return smallest.value;
  const place = smallest.path === "" ? "" : ` at ${smallest.path}`;
  throw new DefinitionInvalid(`no value can be made up for ${what}${place}: ${smallest.why}; give \`${remedy}\``);
}
