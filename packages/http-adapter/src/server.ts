/** The server's door. */
export { type ContractServer, createServer, type ServerOptions } from "./server/create-server.ts";
export type { EventHandler, EventHandlers } from "./server/events-route.ts";
export { type ProblemOptions, problemDocument, problemResponse } from "./server/problem-response.ts";
export { mountSaga, type SagaRoutesOptions } from "./server/saga-routes.ts";
export type { OperationStatus, SagaStatusDocument } from "./server/saga-status.ts";
