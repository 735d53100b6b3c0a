/** The front door: steps from contracts, the client, the server, and the words of the wire. */
export {
  type Client,
  type ClientCommand,
  type ClientOptions,
  type ClientQuery,
  type ClientUndo,
  createClient,
} from "./client/create-client.ts";
export type { CommandCall, QueryCall, UndoCall } from "./client/request.ts";
export { type ContractServer, createServer, type ServerOptions } from "./server/create-server.ts";
export type { EventHandler, EventHandlers } from "./server/events-route.ts";
export { mountOperator, mountSignal, type OperatorRoutesOptions, type SignalRouteOptions } from "./server/operator-routes.ts";
export { mountSaga, type SagaRoutesOptions } from "./server/saga-routes.ts";
export type { OperationStatus, SagaStatusDocument } from "./server/saga-status.ts";
export { type StepOfOptions, stepOf } from "./step-of.ts";
export { HEADER, operationName, PROBLEM, PROBLEM_MEDIA_TYPE, type Problem, type ProblemKind } from "./wire.ts";
