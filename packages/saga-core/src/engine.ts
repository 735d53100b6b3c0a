/** The door for hosts and test kits: the pure engine itself, the entries it takes and gives, and what can be read from them without running it. */

export { createMachine, type SagaMachine, type Step } from "./engine/machine.ts";
export { ReplayDiverged } from "./engine/replay-diverged.ts";
export type { StandingEffect } from "./errors/saga-error.ts";
export type { Decision, Entry, Fact, OperationIntended, SettledOutcome } from "./journal/entry.ts";
export { decodeRecord, encodeRecord } from "./journal/entry-codec.ts";
export { statusOf, viewOf } from "./journal/saga-view.ts";
