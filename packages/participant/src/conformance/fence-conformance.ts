/** The suite of the fence, over any database. */
import type { Fence, FenceOptions } from "../fence/fence.ts";
import { type CaseContext, type ConformanceCase, casesOf, type DatabaseHarness } from "./conformance-case.ts";
import { fenceActionCases } from "./fence-action-cases.ts";
import { fenceIntentCases } from "./fence-intent-cases.ts";
import { fenceResolveCases } from "./fence-resolve-cases.ts";
import { fenceTakeoverCases } from "./fence-takeover-cases.ts";
import { fenceUndoCases } from "./fence-undo-cases.ts";
import { FenceWorld } from "./fence-world.ts";

export interface FenceHarness extends DatabaseHarness {
  /** Default: the fence of this package. Another one, to see whether it keeps the rules. */
  readonly createFence?: ((options: FenceOptions) => Fence) | undefined;
}

/**
 * What a fence must do on a database, as cases for any test runner: `for (const { name, run } of fenceConformance(harness)) test(name, run)`.
 * A database author runs it besides `databaseConformance`.
 */
export function fenceConformance(harness: FenceHarness): readonly ConformanceCase[] {
  const groups = [fenceActionCases, fenceUndoCases, fenceResolveCases, fenceIntentCases, fenceTakeoverCases];
  const worldOf = async (context: CaseContext) => new FenceWorld(context, await context.open(), harness.createFence);
  return casesOf(harness, groups, worldOf);
}
