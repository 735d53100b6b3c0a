/** Asks the store for a lock, in turn with others of this engine, until it is granted, its time is over, or nobody wants it any more. */

import { err, type Result } from "neverthrow";
import type { AcquireLock } from "../engine/command.ts";
import type { Fact } from "../journal/entry.ts";
import type { JournalStore, LockAnswer, LockRequest, StaleEpoch } from "../journal/journal-store.ts";
import type { StoreUnavailable } from "../journal/store-unavailable.ts";
import type { Timer } from "../primitives/host.ts";
import { messageOf } from "../primitives/thrown.ts";
import type { LockPlace, LockQueues } from "./lock-queue.ts";

/** How soon a lock is asked for again that a saga of another engine may hold, in milliseconds: doubled each time. */
const ASK_AGAIN_MS = 20;
const ASK_AGAIN_MS_MAX = 1_000;
/** How long the store is left alone after it failed, in milliseconds. */
const STORE_RETRY_MS = 500;
/** A clock that was set shows within this time, in milliseconds. */
const LOOK_MS_MAX = 10_000;

export interface LockPorts {
  readonly store: JournalStore;
  readonly timer: Timer;
  readonly now: () => number;
  readonly lockQueues: LockQueues;
}

export interface LockSeeker {
  readonly sagaId: string;
  readonly epoch: number;
  /** Epoch milliseconds; `undefined` when it is wanted no longer. What else the saga is granted may end a wait; the queues are told of each change. */
  readonly waitsUntil: () => number | undefined;
}

/** The fact to apply; `StaleEpoch` when another owner drives the saga; `undefined` when the lock is wanted no longer. */
export type Acquired = Fact | StaleEpoch | undefined;

export async function acquireLock(order: AcquireLock, seeker: LockSeeker, ports: LockPorts): Promise<Acquired> {
  const wanted = () => seeker.waitsUntil() !== undefined;
  const place = ports.lockQueues.enter(order.name, { sagaId: seeker.sagaId, wanted });
  try {
    return await waitAt(place, order, seeker, ports);
  } finally {
    place.leave();
  }
}

async function waitAt(place: LockPlace, order: AcquireLock, seeker: LockSeeker, ports: LockPorts): Promise<Acquired> {
  for (let delayMs = ASK_AGAIN_MS; seeker.waitsUntil() !== undefined; ) {
    const asks = place.mayAsk;
    const acquired = asks ? await ask(place, order, seeker, ports, delayMs) : await standBehind(place, order, seeker, ports);
    if (acquired !== "goes on") return acquired;
    if (asks) delayMs = Math.min(delayMs * 2, ASK_AGAIN_MS_MAX);
  }
  return undefined;
}

async function ask(
  place: LockPlace,
  { path, name }: AcquireLock,
  { sagaId, epoch, waitsUntil }: LockSeeker,
  { store, timer, now }: LockPorts,
  delayMs: number,
): Promise<Acquired | "goes on"> {
  const asked = await askSafely(store, { sagaId, epoch, name });
  const until = waitsUntil();
  if (until === undefined) return undefined;
  const at = now();
  if (asked.isErr()) {
    if (asked.error._tag === "StaleEpoch") return asked.error;
    await place.sleep(timer, STORE_RETRY_MS);
    return "goes on";
  }
  const holder = asked.value._tag === "Granted" ? sagaId : asked.value.sagaId;
  const news = place.heldBy(holder);
  if (asked.value._tag === "Granted") return { _tag: "LockGranted", path, at };
  if (at >= until) return { _tag: "LockRefused", path, lockedBy: holder, at };
  if (!news) await place.sleep(timer, Math.min(delayMs, until - at));
  return "goes on";
}

/** The store is not asked: the first one does that. */
async function standBehind(
  place: LockPlace,
  { path }: AcquireLock,
  { waitsUntil }: LockSeeker,
  { timer, now }: LockPorts,
): Promise<Acquired | "goes on"> {
  const at = now();
  const leftMs = (waitsUntil() ?? at) - at;
  if (leftMs > 0) await place.sleep(timer, Math.min(leftMs, LOOK_MS_MAX));
  else if (place.holder === undefined) await place.sleepUntilHolder(timer, LOOK_MS_MAX);
  else return { _tag: "LockRefused", path, lockedBy: place.holder, at };
  return "goes on";
}

/** A store that throws breaks its port; it is asked again as one that cannot be reached. */
async function askSafely(store: JournalStore, request: LockRequest): Promise<Result<LockAnswer, StaleEpoch | StoreUnavailable>> {
  try {
    return await store.lock(request);
  } catch (thrown) {
    return err({ _tag: "StoreUnavailable", message: `the store threw: ${messageOf(thrown)}` });
  }
}
