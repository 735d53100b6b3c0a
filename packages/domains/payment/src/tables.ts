/** Where payments are stored: as the contract shows them. And what the outside gateway holds for them. */
import type { Table } from "@backstep/participant";
import { type Authorisation, authorisation } from "./authorisation.ts";
import { type Payment, payment } from "./contract.ts";

export const paymentTable: Table<Payment> = {
  name: "payments",
  key: ({ paymentId }) => paymentId,
  decode: (document) => payment.parse(document),
  indexes: ["orderId"],
};

/** At most one per payment. */
export const authorisationTable: Table<Authorisation> = {
  name: "payment_authorisations",
  key: ({ paymentId }) => paymentId,
  decode: (document) => authorisation.parse(document),
};
