/**
 * Notices of other workers, by LISTEN on a connection of its own, which is opened when somebody listens first and opened again when it is lost. Nothing depends on them: whoever listens looks from time to time, too, and
 * is told for nothing whenever something may have been missed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";

export interface Notices {
  listen(listener: () => void): () => void;
  close(): Promise<void>;
}

export interface NoticesPorts {
  readonly channel: string;
  connect(): Promise<Client>;
}

const RECONNECT_MS = 1_000;

export function createNotices({ channel, connect }: NoticesPorts): Notices {
  const listeners = new Set<() => void>();
  const closing = new AbortController();
  let following: Promise<void> | undefined;
  let current: Client | undefined;

  function tell(): void {
    for (const listener of listeners) listener();
  }

  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await hear();
      } catch {
        // Not reached, or lost: the next one is tried after a while.
      }
      await sleep(RECONNECT_MS, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  }

  /** Until the connection is lost. */
  async function hear(): Promise<void> {
    const client = await connect();
    try {
      current = client;
      const lost = new Promise<void>((resolve) => client.once("end", () => resolve()));
      client.on("notification", tell);
      if (closing.signal.aborted) return;
      // Refused by a standby, for one, which takes connections.
      await client.query(`LISTEN "${channel}"`);
      tell();
      await lost;
    } finally {
      void client.end().catch(() => undefined);
    }
  }

  return {
    listen(listener) {
      const own = (): void => listener();
      listeners.add(own);
      following ??= follow();
      return () => listeners.delete(own);
    },
    async close() {
      listeners.clear();
      closing.abort();
      await current?.end().catch(() => undefined);
      await following;
    },
  };
}
