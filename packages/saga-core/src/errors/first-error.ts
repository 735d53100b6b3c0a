/** Why a saga went back: what is kept beside every later error. Plain data. */
import type { FaultData } from "./fault.ts";
import type { Tagged } from "./tagged.ts";

/** Why a saga went back: a domain error, a fault, a cancellation or a deadline. */
export type FirstError = Tagged | FaultData | SagaCancelled | SagaDeadlineExceeded;

/** It was cancelled before its point of no return, and everything is taken back. */
export interface SagaCancelled {
  readonly _tag: "SagaCancelled";
  readonly sagaId: string;
  readonly by?: string | undefined;
  readonly reason: string;
}

/** Its deadline passed before its point of no return, and everything is taken back. */
export interface SagaDeadlineExceeded {
  readonly _tag: "SagaDeadlineExceeded";
  readonly sagaId: string;
  /** Epoch milliseconds of the store's clock. */
  readonly deadlineAt: number;
}
