/** The door: the payment service, and the port to an outside gateway. Clients need only `@backstep/payment/contract`. */
export type { Authorisation, AuthorisationNotInState } from "./authorisation.ts";
export {
  type AuthoriseCard,
  type AuthoriseCardRejection,
  type CaptureCard,
  type CaptureCardRejection,
  type CardPayments,
  createCardPayments,
} from "./card-payment.ts";
export { type Payment, paymentContract } from "./contract.ts";
export type {
  AuthorisationClosed,
  AuthorisationDeclined,
  AuthorisationNotFound,
  Authorised,
  AuthoriseRejection,
  AuthoriseRequest,
  Captured,
  CaptureRejection,
  CaptureRequest,
  CaptureTooLarge,
  GatewayAnswer,
  GatewayCall,
  GatewayKeyRefused,
  PaymentGateway,
  Settled,
  Voided,
  VoidRejection,
  VoidRequest,
} from "./gateway.ts";
export { GatewayFailed } from "./gateway-failed.ts";
export { createGatewayServer, type GatewayServer, type GatewayServerOptions } from "./gateway-server.ts";
export { createHttpGateway, type HttpGateway, type HttpGatewayOptions } from "./http-gateway.ts";
export { createMemoryGateway, type HeldAuthorisation, type MemoryGateway, type MemoryGatewayOptions } from "./memory-gateway.ts";
export type { PaymentNotPending } from "./payment.ts";
export { createPaymentService, type PaymentService, type PaymentServiceOptions } from "./service.ts";
export { createTestIssuer } from "./test-issuer.ts";
