/** What a law is: something that every history of a saga keeps, and a judge that tells what in one breaks it. */
import type { SagaDefinition } from "@backstep/saga-core";
import type { History } from "./history.ts";

export interface Law {
  readonly name: string;
  readonly says: string;
  /** What breaks the law, in words; empty when it is kept. */
  readonly violations: (history: History, definition: SagaDefinition) => readonly string[];
}

/** A law that was broken, and by what. */
export interface Violation {
  readonly law: string;
  readonly says: string;
  readonly message: string;
  /** The saga, where one saga alone broke it. */
  readonly sagaId?: string | undefined;
  /** The two values that should agree, where there are two. */
  readonly values?: { readonly expected: string; readonly found: string } | undefined;
}
