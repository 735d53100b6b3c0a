/** What a broken store is: the memory store with one rule broken, and the cases that must notice. */
import { createMemoryStore, type JournalStore, type MemoryDisk, type Workers } from "../../src/journal.ts";

export interface BrokenStore {
  readonly rule: string;
  /** Opens a store on a disk that may be shared; `opened` counts the stores opened on it before. */
  readonly open: (disk: MemoryDisk, opened: number) => JournalStore;
  /** Cases that must fail on it, at least. */
  readonly noticedBy: readonly string[];
  readonly corrupt?: (disk: MemoryDisk, sagaId: string) => void;
}

/** The memory store with some members replaced. */
export function altered(alter: (store: JournalStore, disk: MemoryDisk) => Partial<JournalStore>): BrokenStore["open"] {
  return (disk) => {
    const store = createMemoryStore({ disk });
    return { ...store, ...alter(store, disk) };
  };
}

/** The memory store that workers share, with some members replaced; `workers` may be replaced in part. */
export function alteredShared(
  alter: (
    store: JournalStore,
    workers: Workers,
    disk: MemoryDisk,
  ) => Partial<Omit<JournalStore, "workers"> & { readonly workers: Partial<Workers> }>,
): BrokenStore["open"] {
  return (disk) => {
    const store = createMemoryStore({ disk, shared: true });
    if (store.workers === undefined) throw new TypeError("a shared store has workers");
    const { workers, ...others } = alter(store, store.workers, disk);
    return { ...store, ...others, workers: { ...store.workers, ...workers } };
  };
}
