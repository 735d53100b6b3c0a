/**
 * A scope: one live generator, its place in the saga, and what it did that may have to be taken back. Owns paths (so that no two operations share one) and
 * halting (so that nothing starts in a group that failed).
 */
import type { Instruction } from "../definition/effect.ts";
import type { Cause } from "../definition/outcome.ts";
import type { Body } from "../definition/saga-definition.ts";
import type { EventEmitted } from "../journal/entry.ts";
import type { Operation } from "./operation.ts";

/** How a scope or an effect ended. */
export type Settled = { readonly _tag: "Returned"; readonly value: unknown } | { readonly _tag: "Failed"; readonly cause: Cause };
export type Done = (settled: Settled) => void;

/** What to take back, in order of completion; a group's members have no order among each other. */
export type UndoNode = { readonly _tag: "UndoOperation"; readonly operation: Operation } | UndoGroup | UndoScope;

export interface UndoGroup {
  readonly _tag: "UndoGroup";
  readonly members: readonly (readonly UndoNode[])[];
}

export interface UndoScope {
  readonly _tag: "UndoScope";
  readonly nodes: readonly UndoNode[];
}

/** An `all` under way. */
export interface Group {
  readonly path: string;
  /** The first failure in journal order. */
  failed: Cause | undefined;
}

export type HeldEvent = Omit<EventEmitted, "at">;

export interface Scope {
  readonly path: string;
  readonly parent: Scope | undefined;
  /** The group this scope is a member of. */
  readonly group: Group | undefined;
  readonly forwardOnly: boolean;
  readonly undo: UndoNode[];
  /** Events of `run`, held until the saga can no longer go back. */
  readonly events: HeldEvent[];
  readonly occurrences: Map<string, number>;
}

/** A scope with a body of its own. */
export interface BodyScope extends Scope {
  readonly body: Body<unknown, unknown>;
  readonly done: Done;
  /** Calls this scope's body made and has not yielded. */
  readonly calls: Set<Instruction>;
}

type ScopeOptions = Pick<Scope, "path" | "parent"> & { readonly group?: Group | undefined; readonly forwardOnly?: boolean | undefined };

export function createScope({ path, parent, group, forwardOnly = parent?.forwardOnly ?? false }: ScopeOptions): Scope {
  return { path, parent, group, forwardOnly, undo: [], events: [], occurrences: new Map() };
}

/** The path of the next occurrence of `name` in this scope. Occurrences count per scope, so the order of answers cannot change them. */
export function nextPath(scope: Scope, name: string): string {
  const occurrence = (scope.occurrences.get(name) ?? 0) + 1;
  scope.occurrences.set(name, occurrence);
  return occurrence === 1 ? `${scope.path}/${name}` : `${scope.path}/${name}~${occurrence}`;
}

/** Why this scope may start nothing more, if so. */
export function haltCause(scope: Scope): Cause | undefined {
  for (let current: Scope | undefined = scope; current !== undefined; current = current.parent) {
    if (current.group?.failed !== undefined) return current.group.failed;
  }
  return undefined;
}
