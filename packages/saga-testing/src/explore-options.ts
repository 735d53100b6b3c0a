/** What a search is told. */
import type { createEngine } from "@backstep/saga-core";
import type { OutboxEvent } from "@backstep/saga-core/journal";
import type { ParticipantsMaker } from "./cast.ts";
import type { ParticipantLaw } from "./oracles/conserve.ts";
import type { Outside } from "./simulation/simulation.ts";

export interface ExploreOptions<Input, Participants> {
  /** Starts one saga. */
  readonly input?: Input | undefined;
  /** Starts several at once, on the same participants. */
  readonly inputs?: readonly Input[] | undefined;
  /** Made anew for every schedule; keeps all its state in what it hands back. */
  readonly participants?: ParticipantsMaker<Participants> | undefined;
  readonly laws?: readonly ParticipantLaw<Participants>[] | undefined;
  /** How many faults a schedule of the exhaustive search has at most. Default 2. */
  readonly faults?: number | undefined;
  /** How many decisions of generated participants differ from yes, at most. Default 1. */
  readonly decisions?: number | undefined;
  /** Random schedules after the exhaustive ones. Default: none. */
  readonly random?: RandomOptions | undefined;
  /** What somebody outside does meanwhile: signals, cancellations. */
  readonly outside?: ((outside: Outside) => Promise<void>) | undefined;
  /**
   * A consumer of the events: handed each that was committed, at the end of a run, and twice, as a relay may. Default: nobody listens.
   */
  readonly onEvent?: ((event: OutboxEvent, participants: Participants) => void | PromiseLike<void>) | undefined;
  /**
   * All that tells one state of the participants from another, as JSON. Given, a schedule that leads to a state from which everything was tried before is not continued.
   * What it leaves out must not matter to anything that follows; times are never told apart, so participants whose answers depend on the clock should be proved without. Not
   * together with `outside`. Default: every schedule is continued.
   */
  readonly state?: ((participants: Participants) => unknown) | undefined;
  /** Runs this schedule alone: the text that a report prints. */
  readonly replay?: string | undefined;
  /** At most so many schedules in all. Default 1,000,000. */
  readonly schedulesMax?: number | undefined;
  /** At most so long, in milliseconds of the host's clock. Default: no bound. */
  readonly tookMsMax?: number | undefined;
  readonly evictAfterMs?: number | undefined;
  /** Another build of the engine, which is then held against all laws but that of replay. Default: the one of this version. */
  readonly createEngine?: typeof createEngine | undefined;
  /** Told now and then. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface RandomOptions {
  readonly schedules: number;
  /** So many faults and decisions are planned for each. Default 3. */
  readonly faults?: number | undefined;
  /** Default: from the clock. Printed with the summary. */
  readonly seed?: number | undefined;
}

export interface Progress {
  readonly schedules: number;
  readonly tookMs: number;
}
