/** Going back: reverse order of completion, members of one `all` side by side (I3). Stopped by nothing; a park simply never continues here. */
import { match } from "ts-pattern";
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
  match(node)
    .with({ _tag: "UndoOperation" }, ({ operation }) => {
      if (needsCompensation(operation)) compensate(operation, cause, done);
      else done();
    })
    .with({ _tag: "UndoScope" }, ({ nodes }) => undoAll(nodes, cause, compensate, done))
    .with({ _tag: "UndoGroup" }, (group) => undoGroup(group, cause, compensate, done))
    .exhaustive();
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
