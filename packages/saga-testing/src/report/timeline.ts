import type { Violation } from "../oracles/law.ts";
import type { LogLine } from "./log.ts";
export function timelineOf(log: readonly LogLine[], violations: readonly Violation[]): string {
  return [...log.map((l) => JSON.stringify(l)), ...violations.map((v) => JSON.stringify(v))].join("\n");
}
