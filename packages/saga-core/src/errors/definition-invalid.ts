/** Thrown while a saga or step is declared, never while one runs: the program is wrong and should not start. */
export class DefinitionInvalid extends Error {
  readonly _tag = "DefinitionInvalid";

  constructor(message: string) {
    super(message);
    this.name = "DefinitionInvalid";
  }
}
