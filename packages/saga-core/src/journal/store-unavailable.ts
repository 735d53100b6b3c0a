/** The store cannot be reached or refuses to write. Nothing of the request was written, now or later; retried by the engine. */
export interface StoreUnavailable {
  readonly _tag: "StoreUnavailable";
  readonly message: string;
}
