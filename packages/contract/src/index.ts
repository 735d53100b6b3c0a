/** The door: declarations of contracts, and what a domain implements. */
export { assertContract, ContractInvalid, pathParameters } from "./assert-contract.ts";
export { command, contract, eventType, query, rejection, undo } from "./builders.ts";
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
export type { CommandContext, QueryContext, Service, UndoContext } from "./service.ts";
export { AMOUNT_MINOR_MAX, amountMinor, currency, epochMs, id, type Money, money, quantity } from "./values.ts";
