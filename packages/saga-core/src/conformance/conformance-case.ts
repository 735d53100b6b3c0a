/** What a suite is made of. It imports no test runner: a case is a name and a function, and every runner can take those. */
import type { JournalStore } from "../journal/journal-store.ts";

export interface ConformanceCase {
  /** A sentence: the behaviour that the case proves. */
  readonly name: string;
  /** Resolves when the store behaves, rejects with a `ConformanceFailure` that shows both values when it does not. */
  readonly run: () => Promise<void>;
}

/** One place where journals lie: a file, a schema, a map. */
export interface JournalStorage {
  /** Opens a store on it. Called again after `close` (a restart), and while another store is open (a second worker). */
  open(): Promise<JournalStore>;
  /** Called after each case, when all stores of the case are closed. */
  dispose?(): Promise<void>;
}

export interface JournalStoreHarness<Storage extends JournalStorage = JournalStorage> {
  /** Makes a storage that is empty and shared with nobody. Called once per case, so cases may run in any order and side by side. */
  createStorage(): Promise<Storage>;
  /** Damages one of the records that are kept of a saga, as a bad disk would. Without it, the cases on damage are left out. */
  corrupt?(storage: Storage, sagaId: string): Promise<void>;
  /** Whether its stores have `workers`. Without it, the cases on them are left out. Default `false`. */
  readonly workers?: boolean | undefined;
}

/** What a case is handed: a storage, and stores that are closed for it. */
export interface CaseContext {
  /** Opens a store on the case's storage. */
  open(): Promise<JournalStore>;
  corrupt(sagaId: string): Promise<void>;
}

export type CaseBody = (context: CaseContext) => Promise<void>;

/** Cases of one behaviour, by name. */
export type CaseGroup = Readonly<Record<string, CaseBody>>;
