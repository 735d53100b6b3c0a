/**
 * The payment gateway that stands in for a real one: it reserves, takes and lets go amounts, and moves no money. It forgets everything when it ends, which a real one
 * would not; so its ids name the life in which they were given, and cards are declined by their amount, as in an issuer's test environment.
 */
import { createGatewayServer, createMemoryGateway, createTestIssuer } from "@backstep/payment";
import type { HostedService, HostingOptions } from "./participant-hosting.ts";

export function hostGateway({ apiKey }: Pick<HostingOptions, "apiKey">): HostedService {
  if (apiKey === undefined) throw new TypeError("the gateway needs the secret key that it is to accept");
  const gateway = createMemoryGateway({ decline: createTestIssuer(), idPrefix: `${Date.now().toString(36)}-` });
  const server = createGatewayServer({ gateway, apiKey });
  return { fetch: (request) => server.fetch(request), close: async () => undefined };
}
