/** What stands between the engine and the participants: every call of a step's functions goes through it. The engine makes none beside it. */
import type { Answer } from "../definition/answer.ts";
import type { UndoneOperation } from "../definition/call.ts";
import type { StepKind } from "../definition/step-definition.ts";
import type { Tagged } from "../errors/tagged.ts";
import type { Slot } from "../primitives/idempotency-key.ts";
import type { Json } from "../primitives/json.ts";
import type { CallWithoutSignal } from "./attempt.ts";

/** One call that is about to be made. */
export interface Sending {
  readonly step: string;
  readonly kind: StepKind;
  readonly path: string;
  readonly slot: Slot;
  /** A deciding query about the operation, and not the operation itself. */
  readonly asks: boolean;
  readonly input: Json | undefined;
  readonly call: CallWithoutSignal;
  /** Present for a compensation. */
  readonly undoes?: UndoneOperation | undefined;
}

/**
 * Makes a call by calling `send`, or lets it go lost, late or twice; what it answers is the attempt's answer. For instruments that must wrap the call itself, as a span
 * does, and for tests that disturb it. The attempt's deadline is counted outside of it, so one that never answers is in doubt when its time is over.
 */
export type Transport = (sending: Sending, send: () => Answer<Tagged>) => Answer<Tagged>;

export const direct: Transport = (_sending, send) => send();
