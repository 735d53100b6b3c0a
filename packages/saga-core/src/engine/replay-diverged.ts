/** Thrown inside the engine when a definition and a journal disagree; caught where journals are replayed, and turned into a quarantine. */
import type { Divergence } from "../errors/parked.ts";

export class ReplayDiverged extends Error {
  readonly _tag = "ReplayDiverged";
  readonly divergence: Divergence;

  constructor(divergence: Divergence) {
    super(`entry ${divergence.entry} of the journal: it has ${divergence.recorded}, where this definition has ${divergence.decided}`);
    this.name = "ReplayDiverged";
    this.divergence = divergence;
  }
}
