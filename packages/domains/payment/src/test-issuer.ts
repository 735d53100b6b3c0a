/** Declines as an issuer's test environment does: told by the amount, so that nobody has to set anything up. */
import type { AuthoriseRequest } from "./gateway.ts";

/** By the last two digits of the amount in minor units: the response codes of ISO 8583. */
const DECLINED_ENDINGS: Readonly<Record<number, string>> = { 41: "lost-card", 51: "insufficient-funds", 54: "expired-card" };

/** @param declined - Reasons by the merchant's reference, looked up at each request; they come before the amount. */
export function createTestIssuer(declined: ReadonlyMap<string, string> = new Map()): (request: AuthoriseRequest) => string | undefined {
  return ({ amount, reference }) => declined.get(reference) ?? DECLINED_ENDINGS[amount.amountMinor % 100];
}
