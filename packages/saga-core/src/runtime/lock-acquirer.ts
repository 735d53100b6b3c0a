/** Asks the store for a lock until it is granted, its time is over, or nobody wants it any more. */
import { err, type Result } from "neverthrow";
import type { AcquireLock } from "../engine/command.ts";
import { messageOf } from "../engine/interpreter.ts";
import type { Fact } from "../journal/entry.ts";
import type { JournalStore, LockAnswer, LockRequest, StaleEpoch } from "../journal/journal-store.ts";
import type { StoreUnavailable } from "../journal/store-unavailable.ts";
import type { Timer } from "../primitives/host.ts";

/** How soon a lock that another saga holds is asked for again, in milliseconds: doubled each time. */
const ASK_AGAIN_MS = 20;
const ASK_AGAIN_MS_MAX = 1_000;
/** How long the store is left alone after it failed, in milliseconds. */
const STORE_RETRY_MS = 500;

export interface LockPorts {
  readonly store: JournalStore;
  readonly timer: Timer;
  readonly now: () => number;
}

export interface LockSeeker {
  readonly sagaId: string;
  readonly epoch: number;
  /** Epoch milliseconds; `undefined` when it is wanted no longer. Looked at before each asking, and before the answer is used: what else the saga is granted may end a wait. */
  readonly waitsUntil: () => number | undefined;
}

/** The fact to apply; `StaleEpoch` when another owner drives the saga; `undefined` when the lock is wanted no longer. */
export async function acquireLock(
  { path, name }: AcquireLock,
  { sagaId, epoch, waitsUntil }: LockSeeker,
  { store, timer, now }: LockPorts,
): Promise<Fact | StaleEpoch | undefined> {
  for (let delayMs = ASK_AGAIN_MS; waitsUntil() !== undefined; delayMs = Math.min(delayMs * 2, ASK_AGAIN_MS_MAX)) {
    const asked = await askSafely(store, { sagaId, epoch, name });
    const until = waitsUntil();
    if (until === undefined) return undefined;
    const at = now();
    if (asked.isErr()) {
      if (asked.error._tag === "StaleEpoch") return asked.error;
      await timer.sleep(STORE_RETRY_MS);
      continue;
    }
    if (asked.value._tag === "Granted") return { _tag: "LockGranted", path, at };
    if (at >= until) return { _tag: "LockRefused", path, lockedBy: asked.value.sagaId, at };
    await timer.sleep(Math.min(delayMs, until - at));
  }
  return undefined;
}

/** A store that throws breaks its port; it is asked again as one that cannot be reached. */
async function askSafely(store: JournalStore, request: LockRequest): Promise<Result<LockAnswer, StaleEpoch | StoreUnavailable>> {
  try {
    return await store.lock(request);
  } catch (thrown) {
    return err({ _tag: "StoreUnavailable", message: `the store threw: ${messageOf(thrown)}` });
  }
}
