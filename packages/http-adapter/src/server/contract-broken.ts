/** A service, or what it once recorded, says something that its contract does not know. The host is told; the caller gets a plain 500. */
export class ContractBroken extends Error {
  readonly _tag = "ContractBroken";

  /** @param cause - What did not fit; it names places, and may quote what it found there. */
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ContractBroken";
  }
}
