/** Ports answer with results; an implementation that throws all the same must not end the relay. */
import { err, type Result } from "neverthrow";

export interface PortThrew {
  readonly _tag: "PortThrew";
  readonly message: string;
}

export async function attempt<Value, Failure>(work: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure | PortThrew>> {
  try {
    return await work();
  } catch (cause) {
    return err({ _tag: "PortThrew", message: cause instanceof Error ? cause.message : "something was thrown that is no error" });
  }
}
