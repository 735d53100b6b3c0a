/** The door: declarations of contracts, and what a domain implements. */
export { assertContract, ContractInvalid, pathParameters } from "./assert-contract.ts";
export { command, contract, eventType, query, rejection, undo } from "./builders.ts";
export type { CommandContext, QueryContext, UndoContext } from "./context.ts";
export type {
  Command,
  Contract,
  EventType,
  InputOf,
  Method,
  Operation,
  OutputOf,
  Query,
  Rejection,
  RejectionOf,
  Undo,
} from "./contract.ts";
export {
  type Foreign,
  type ForeignAction,
  type ForeignConclusion,
  type ForeignContext,
  type ForeignUndo,
  type ForeignVerdict,
  foreign,
} from "./foreign.ts";
export type { AnyService, Service } from "./service.ts";
export { AMOUNT_MINOR_MAX, amountMinor, currency, epochMs, id, type Money, money, quantity } from "./values.ts";
