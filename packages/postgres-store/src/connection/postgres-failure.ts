/** What `pg` threw, read by its SQLSTATE. Codes are Postgres's own, https://www.postgresql.org/docs/current/errcodes-appendix.html; the first two characters are the class. */

const CONNECTION = "08";
const OPERATOR_INTERVENTION = ["57P01", "57P02", "57P03", "57P05"];
const WAITING_HELPS = ["40001", "40P01"];
/** Of a statement, which is rolled back even where the session ends with it: cardinality, data, constraints, the transaction's state, rollbacks, syntax and rights, limits, PL/pgSQL. */
const CLASSES_OF_STATEMENTS = ["21", "22", "23", "25", "40", "42", "54", "P0"];
const COMPLETION_UNKNOWN = "40003";
const CANCELLED = "57014";
/** Data exceptions, violated constraints, limits: one of the values is to blame. */
const CLASSES_OF_VALUES = ["22", "23", "54"];

export function sqlState(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error) || !("severity" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Whether the server said that it rolled the statement back. Anything else, a connection that is lost above all, says nothing about what became of it; nor does a server that goes away, for it may
 * have committed before.
 */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  if (state === undefined || state.startsWith(CONNECTION) || OPERATOR_INTERVENTION.includes(state)) return false;
  if (state === COMPLETION_UNKNOWN) return false;
  // The severity comes in the server's language.
  const isOfStatement = state === CANCELLED || CLASSES_OF_STATEMENTS.includes(state.slice(0, 2));
  return isOfStatement || (error as { readonly severity?: unknown }).severity === "ERROR";
}

/** Two transactions stood in each other's way, and this one was rolled back: run again, it succeeds. */
export function isRepeatable(error: unknown): boolean {
  return WAITING_HELPS.includes(sqlState(error) ?? "");
}

export function isAboutValues(error: unknown): boolean {
  return CLASSES_OF_VALUES.includes(sqlState(error)?.slice(0, 2) ?? "");
}

export function describeFailure(error: unknown): string {
  const state = sqlState(error);
  const message =
    error instanceof AggregateError ? error.errors.map(String).join("; ") : error instanceof Error ? error.message : String(error);
  return state === undefined ? message : `${message} (SQLSTATE ${state})`;
}
