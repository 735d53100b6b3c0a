/** Thrown inside the engine when a definition and a journal disagree; caught where journals are replayed, and turned into a quarantine. */
export class ReplayDiverged extends Error {
  readonly _tag = "ReplayDiverged";

  constructor(message: string) {
    super(message);
    this.name = "ReplayDiverged";
  }
}
