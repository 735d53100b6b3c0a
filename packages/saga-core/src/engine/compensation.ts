/** Going back: reverse order of completion, members of one `all` side by side (I3). Stopped by nothing; a park simply never continues here. */
import type { Cause } from "../definition/outcome.ts";
import { needsCompensation, type Operation } from "./operation.ts";
import type { UndoGroup, UndoNode } from "./scope.ts";

/** Starts the compensation of an operation; `done` is called when it has settled. */
export type Compensate = (operation: Operation, cause: Cause, done: () => void) => void;

/** Takes back `nodes`, last first, each settled before the one before it starts; then calls `done`. */
export function undoAll(nodes: readonly UndoNode[], cause: Cause, compensate: Compensate, done: () => void): void {
  let index = nodes.length;
  let driving = false;
  let again = false;
  // A loop, not recursion: a saga of ten thousand steps that need no undo must not grow the stack.
  const drive = (): void => {
    again = true;
    if (driving) return;
    driving = true;
    while (again) {
      again = false;
      index -= 1;
      const node = nodes[index];
      if (node === undefined) {
        done();
        return;
      }
      undoNode(node, cause, compensate, drive);
    }
    driving = false;
  };
  drive();
}

function undoNode(node: UndoNode, cause: Cause, compensate: Compensate, done: () => void): void {
  switch (node._tag) {
    case "UndoOperation":
      return needsCompensation(node.operation) ? compensate(node.operation, cause, done) : done();
    case "UndoScope":
      return undoAll(node.nodes, cause, compensate, done);
    case "UndoGroup":
      return undoGroup(node, cause, compensate, done);
    default:
      node satisfies never;
  }
}

function undoGroup({ members }: UndoGroup, cause: Cause, compensate: Compensate, done: () => void): void {
  let left = members.length;
  if (left === 0) {
    done();
    return;
  }
  for (const member of members) {
    undoAll(member, cause, compensate, () => {
      left -= 1;
      if (left === 0) done();
    });
  }
}
