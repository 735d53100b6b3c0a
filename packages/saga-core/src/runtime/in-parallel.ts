export interface ParallelOptions {
  readonly concurrency: number;
  /** Nothing further is begun once this says so. */
  readonly stopped: () => boolean;
}

/** Works through a list in its order, a bounded number at a time. Resolves when what was begun has ended. */
export async function inParallel<Item>(
  items: readonly Item[],
  { concurrency, stopped }: ParallelOptions,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (stopped()) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
}
