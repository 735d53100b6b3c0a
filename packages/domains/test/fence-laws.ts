/**
 * What must be true of every command with an undo, whatever the domain: it applies once however often it is sent, its undo puts back what
 * an observer sees, it never applies after its undo, and nothing is put back that was never taken, was refused, or is known to be lost.
 */
import { expect } from "vitest";
import type { Told } from "./rig.ts";

/** `act`, `undo` and `look` come already bound to one command, one input and one rig. */
export interface UndoableCommand {
  act(key: string): Promise<{ readonly _tag: string }>;
  /** The same command with an input that is refused; absent where nothing is. */
  readonly refused?: ((key: string) => Promise<{ readonly _tag: string }>) | undefined;
  undo(undoes: string, told?: Told): Promise<{ readonly _tag: string }>;
  /** All that the command may change. */
  look(): Promise<unknown>;
  /** What `look` shows after the undo, where that is not what it showed before: an order's failed payment, for one. */
  readonly afterUndo?: ((before: unknown) => unknown) | undefined;
}

export async function expectFenceLaws({ act, refused, undo, look, afterUndo = (before) => before }: UndoableCommand): Promise<void> {
  const untouched = await look();

  const lost = await undo("saga-lost/1", { known: "succeeded" });
  expect(lost, "an undo of what is known to have happened, and is not on record").toEqual({ _tag: "EvidenceLost" });
  if (refused !== undefined) {
    expect(await refused("saga-no/1")).toMatchObject({ _tag: "Rejected", replayed: false });
    const nothing = { decision: { _tag: "NothingToUndo" } };
    expect(await undo("saga-no/1"), "an undo of a refused action").toMatchObject({ _tag: "Executed", ...nothing });
    expect(await undo("saga-no/1"), "and again").toMatchObject({ _tag: "Replayed", ...nothing });
    expect(await refused("saga-no/1"), "a late duplicate of a refused action").toMatchObject({ _tag: "Rejected", replayed: true });
  }
  expect(await look()).toEqual(untouched);

  expect(await undo("saga-late/1"), "an undo without an action").toMatchObject({ _tag: "Executed", decision: { _tag: "NothingToUndo" } });
  expect(await act("saga-late/1"), "an action after its undo").toMatchObject({ _tag: "Sealed" });
  expect(await look()).toEqual(untouched);

  expect(await act("saga-1/1")).toMatchObject({ _tag: "Succeeded", replayed: false });
  const applied = await look();
  expect(applied).not.toEqual(untouched);
  expect(await act("saga-1/1"), "a duplicate").toMatchObject({ _tag: "Succeeded", replayed: true });
  expect(await look()).toEqual(applied);

  expect(await undo("saga-1/1")).toMatchObject({ _tag: "Executed", decision: { _tag: "Undone" } });
  const undone = await look();
  expect(undone).toEqual(afterUndo(untouched));
  expect(await undo("saga-1/1"), "a second undo").toMatchObject({ _tag: "Replayed", decision: { _tag: "Undone" } });
  expect(await act("saga-1/1"), "a late duplicate").toMatchObject({ _tag: "Sealed" });
  expect(await look()).toEqual(undone);
}
