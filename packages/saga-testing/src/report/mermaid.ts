import type { Violation } from "../oracles/law.ts";
import type { LogLine } from "../simulation/simulation.ts";
export function mermaidOf(_log: readonly LogLine[], _violations: readonly Violation[]): string {
  return "";
}
