/** The program is wrong: a malformed key, an output that is no JSON, a retention shorter than the lease. Trying again will not help. */
export class FenceMisused extends Error {
  readonly _tag = "FenceMisused";

  constructor(message: string) {
    super(message);
    this.name = "FenceMisused";
  }
}
