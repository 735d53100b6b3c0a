/** The door: the payment service, and the port to an outside gateway. Clients need only `@backstep/payment/contract`. */
export type { Authorisation, AuthorisationNotInState } from "./authorisation.ts";
export {
  type AmountNotDue,
  type AuthoriseCard,
  type CaptureCard,
  type CardPayments,
  type CardRejection,
  createCardPayments,
  type PaymentMissing,
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
export { createMemoryGateway, type HeldAuthorisation, type MemoryGateway, type MemoryGatewayOptions } from "./memory-gateway.ts";
export type { PaymentNotPending } from "./payment.ts";
export { createPaymentService, type PaymentService } from "./service.ts";
