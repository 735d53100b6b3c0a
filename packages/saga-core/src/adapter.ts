/** The door for hosts, clients and participants: calls, keys and faults, without the definition of sagas and without the engine. */
export type { Call, CompensationCall, UndoneOperation } from "./definition/call.ts";
export { type Fault, type FaultData, type FaultOptions, type FaultTag, fault, faultData, isFault } from "./errors/fault.ts";
export { decided, isDecided, isTagged, type Tagged } from "./errors/tagged.ts";
export { type AbortSignal, hostTimer, type Random, type Timer } from "./primitives/host.ts";
export {
  IDEMPOTENCY_KEY_LENGTH_MAX,
  type IdempotencyKey,
  type IdempotencyKeyInvalid,
  idempotencyKey,
  type OperationName,
  type Slot,
} from "./primitives/idempotency-key.ts";
export { canonicalJson, freezeJson, type Json, type NotJson, toJson } from "./primitives/json.ts";
