/** What somebody's Standard Schema finds wrong with what came, worded as the engine words it. */
import type { Saga } from "@backstep/saga-core";
import { cutDetail } from "./problem-response.ts";

type AnySchema = Saga<string, never, unknown, unknown>["~saga"]["input"];

const FLAWS_MAX = 5;

/** @param place - What the value is called, e.g. `input`. `undefined` when it fits. */
export async function schemaFlaws(schema: AnySchema, place: string, value: unknown): Promise<string | undefined> {
  try {
    const { issues } = await schema["~standard"].validate(value);
    return issues === undefined ? undefined : flawsText(issues.map(({ message, path = [] }) => ({ path: pathOf(place, path), message })));
  } catch {
    return `the schema cannot judge this ${place}`;
  }
}

export function flawsText(flaws: readonly { readonly path: string; readonly message: string }[]): string {
  return cutDetail(
    flaws
      .slice(0, FLAWS_MAX)
      .map(({ path, message }) => `${path}: ${message}`)
      .join("; "),
  );
}

function pathOf(place: string, path: readonly (PropertyKey | { readonly key: PropertyKey })[]): string {
  return [place, ...path.map((part) => String(typeof part === "object" ? part.key : part))].join("/");
}
