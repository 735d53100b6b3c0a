/** What tests get for `@backstep/saga-core` in a mode: the same door, but for the engine, which is one in that mode. */
import { createEngine as createOrdinaryEngine, type Engine, type EngineOptions } from "@backstep/saga-core";
import { createCrashingEngine } from "./crashing-engine.ts";
import { disturbedTransport } from "./disturbed-transport.ts";
import { type Mode, readMode } from "./mode.ts";

export * from "@backstep/saga-core";

const mode = readMode(process.env);

export function createEngine(options: EngineOptions): Engine {
  return mode === undefined ? createOrdinaryEngine(options) : createEngineInMode(mode, options);
}

/** A transport of the options' own stands between the mode's and the participant. */
export function createEngineInMode(wanted: Mode, options: EngineOptions): Engine {
  if (wanted === "crash-after-append") return createCrashingEngine(options);
  const disturbed = disturbedTransport(wanted);
  const { transport = (_sending, send) => send() } = options;
  return createOrdinaryEngine({ ...options, transport: (sending, send) => disturbed(sending, () => transport(sending, send)) });
}
