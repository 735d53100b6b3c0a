/** The server's door. */

export { ContractBroken } from "./server/contract-broken.ts";
export { type ContractServer, createServer, type ServerOptions } from "./server/create-server.ts";
export type { EventHandler, EventHandlers } from "./server/events-route.ts";
export type { OpenApiPaths } from "./server/open-api.ts";
export { describeProblems } from "./server/open-api-problems.ts";
export { operatorPaths, type SignalPathOptions, signalPath } from "./server/operator-paths.ts";
export { mountOperator, mountSignal, type OperatorRoutesOptions, type SignalRouteOptions } from "./server/operator-routes.ts";
export { type ProblemOptions, problemDocument, problemResponse } from "./server/problem-response.ts";
export { readJsonBody } from "./server/read-input.ts";
export { type SagaPathsOptions, sagaPaths } from "./server/saga-paths.ts";
export { mountSaga, type SagaRoutesOptions } from "./server/saga-routes.ts";
export type { OperationStatus, SagaStatusDocument } from "./server/saga-status.ts";
export type { JsonSchema } from "./server/schema-shelf.ts";
export { ServiceInvalid } from "./server/service-invalid.ts";
