/** A service does not fit the server that is to host it. Thrown when the server is created: a program with such a service does not start. */
export class ServiceInvalid extends Error {
  readonly _tag = "ServiceInvalid";

  constructor(message: string) {
    super(message);
    this.name = "ServiceInvalid";
  }
}
