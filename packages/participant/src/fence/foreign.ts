/**
 * Intent mode: effects outside of the database, such as a payment gateway's. What business code hands over, and what a question to the
 * foreign system may be answered with. The order is kept by `intend.ts` and `undo-intended.ts`.
 */
import type { Result } from "neverthrow";
import type { ActionContext, ForeignContext, ForeignUndoContext } from "./operation.ts";

/** What the foreign system says of a key. */
export type ForeignVerdict<Output, Rejection> =
  | { readonly _tag: "Succeeded"; readonly output: Output }
  | { readonly _tag: "Rejected"; readonly rejection: Rejection }
  /** Not applied, and no request that is under way can be any more; it may be sent anew under the same key. */
  | { readonly _tag: "Absent" }
  /** Not applied, and the foreign system refuses the key from now on. */
  | { readonly _tag: "Sealed" }
  /** It cannot say yet. Asked again after the lease. */
  | { readonly _tag: "Undecided" };

/** How an intended action ended, told inside the transaction that records it. */
export type Conclusion<Output, Rejection> = Extract<
  ForeignVerdict<Output, Rejection>,
  { readonly _tag: "Succeeded" | "Rejected" | "Sealed" }
>;

export interface ForeignAction<Output, Rejection> {
  /**
   * Runs inside the transaction that records the intent: business guards and local writes. An `err` is a decision: its writes are undone,
   * the rejection is recorded, and neither the foreign system nor `conclude` is called. Not repeated when the operation is taken over.
   */
  readonly prepare?: ((context: ActionContext) => Promise<Result<void, Rejection>>) | undefined;
  /**
   * The foreign effect. Without `query` it must be safe to repeat under the same key. A throw leaves the operation open: in doubt.
   */
  readonly effect: (context: ForeignContext) => Promise<Result<Output, Rejection>>;
  /** Asks the foreign system what became of the key, after a lease ran out without an answer. Without it, the effect is repeated. */
  readonly query?: ((context: ForeignContext) => Promise<ForeignVerdict<Output, Rejection>>) | undefined;
  /** Runs inside the transaction that records the answer: local writes that follow from it. A throw leaves the operation open. */
  readonly conclude?: ((context: ActionContext, conclusion: Conclusion<Output, Rejection>) => Promise<void>) | undefined;
}

export interface ForeignUndo<Output, Rejection> {
  /** The action as it was intended, so that an open one can be settled before it is undone. */
  readonly action: ForeignAction<Output, Rejection>;
  /** Takes the foreign effect back; safe to repeat under the same key. A throw leaves the undo open. */
  readonly effect: (context: ForeignUndoContext) => Promise<void>;
  /** Runs inside the transaction that records the undo. */
  readonly conclude?: ((context: ActionContext) => Promise<void>) | undefined;
}
