/** A store that takes no shortcut, so that all its calls go through its thread. */
import { openDatabase } from "../src/open-database.ts";
import { newWriter, type SqliteStore, storeOfThread } from "../src/store-on.ts";
import { createThreadStore } from "../src/thread-store.ts";

export function openThroughTheThread({ path, shared = false }: { readonly path: string; readonly shared?: boolean }): SqliteStore {
  const options = { path, synchronous: "NORMAL", busyTimeoutMs: 5_000 } as const;
  const writer = newWriter();
  const near = storeOfThread(openDatabase(options), { busyTimeoutMs: options.busyTimeoutMs, shared, writer, now: Date.now });
  return createThreadStore({ ...options, shared, writer }, near, { busy: false, opens: () => false, take: () => undefined });
}
