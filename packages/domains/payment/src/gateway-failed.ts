/**
 * The gateway did not say what became of a request, so nobody knows. What it holds is ours alone: which request, which status. Nothing that the gateway wrote is
 * repeated, because it may quote the secret key or somebody's card.
 */
export class GatewayFailed extends Error {
  readonly _tag = "GatewayFailed";

  /**
   * `unanswered`: timeout, reset, no connection. `unauthorised`: the secret key is not accepted. `throttled`: turned away. `malformed`: an answer that makes no sense.
   * `unexpected`: any other status.
   */
  readonly why: "unanswered" | "unauthorised" | "throttled" | "malformed" | "unexpected";
  /** Absent where none came. */
  readonly status: number | undefined;

  /** @param request - Method and route, without ids. */
  constructor(why: GatewayFailed["why"], status: number | undefined, request: string) {
    super(`the payment gateway, ${request}: ${why}${status === undefined ? "" : ` (${status})`}`);
    this.name = "GatewayFailed";
    this.why = why;
    this.status = status;
  }
}
