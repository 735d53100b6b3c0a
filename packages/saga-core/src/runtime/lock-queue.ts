/**
 * Who of this engine waits for which lock, in the order of asking. Owns whose turn it is to ask the store, and whom to wake when that changes; who holds a lock is the store's to
 * say. Waiters of other engines are not seen here.
 *
 * The first in a queue asks, for all of it. One behind it that may not wait, or no longer, is refused by what the first one was told last; while that is not known, it waits for
 * the answer that is under way, and never asks for itself: to ask is to be granted what is free, ahead of those who wait.
 */
import { createAbortController, type Timer } from "../primitives/host.ts";

export interface LockWaiter {
  readonly sagaId: string;
  /** Looked at when the saga has changed. */
  readonly wanted: () => boolean;
}

interface Queue {
  readonly name: string;
  /** Oldest first. */
  readonly places: Set<LockPlace>;
  /** As the store said last; `undefined` when it has not said, or that saga may have ended since. */
  holder: string | undefined;
}

export class LockQueues {
  readonly #queues = new Map<string, Queue>();
  readonly #placesOf = new Map<string, Set<LockPlace>>();
  readonly #heldBy = new Map<string, Set<Queue>>();

  /** How much is remembered; 0 when nobody waits. */
  get size(): number {
    return this.#queues.size + this.#placesOf.size + this.#heldBy.size;
  }

  enter(name: string, waiter: LockWaiter): LockPlace {
    const queue: Queue = this.#queues.get(name) ?? { name, places: new Set(), holder: undefined };
    this.#queues.set(name, queue);
    const place = new LockPlace(waiter, queue, {
      leave: () => this.#leave(place, queue),
      hold: (sagaId) => this.#hold(queue, sagaId),
    });
    queue.places.add(place);
    addTo(this.#placesOf, waiter.sagaId, place);
    return place;
  }

  /** What a saga waits for, and for how long, may be otherwise now. */
  changed(sagaId: string): void {
    for (const place of this.#placesOf.get(sagaId) ?? []) {
      // Not left to the waiter, which may be waiting for an answer of the store.
      if (!place.waiter.wanted()) place.leave();
      place.wake();
    }
  }

  /** A saga has left memory. Its locks may be free now; where they are not, having asked once more does no harm. */
  gone(sagaId: string): void {
    this.changed(sagaId);
    for (const queue of this.#heldBy.get(sagaId) ?? []) {
      this.#setHolder(queue, undefined);
      firstOf(queue)?.wake();
    }
  }

  #leave(place: LockPlace, queue: Queue): void {
    const wasFirst = firstOf(queue) === place;
    if (!queue.places.delete(place)) return;
    deleteFrom(this.#placesOf, place.waiter.sagaId, place);
    if (wasFirst) firstOf(queue)?.wake();
    if (queue.places.size > 0) return;
    this.#setHolder(queue, undefined);
    this.#queues.delete(queue.name);
  }

  #hold(queue: Queue, sagaId: string): boolean {
    if (queue.holder === sagaId) return false;
    this.#setHolder(queue, sagaId);
    for (const place of queue.places) if (place.wantsHolder || place.waiter.sagaId === sagaId) place.wake();
    return true;
  }

  #setHolder(queue: Queue, sagaId: string | undefined): void {
    if (queue.holder !== undefined) deleteFrom(this.#heldBy, queue.holder, queue);
    queue.holder = sagaId;
    if (sagaId !== undefined) addTo(this.#heldBy, sagaId, queue);
  }
}

/** One asking of one saga. To be left, whatever becomes of it. */
export class LockPlace {
  readonly waiter: LockWaiter;
  readonly leave: () => void;
  /** The store said who holds the lock. Whether that is news; then, the holder may have ended before anyone listened for its end. */
  readonly heldBy: (sagaId: string) => boolean;
  readonly #queue: Readonly<Queue>;
  #woken = false;
  #wantsHolder = false;
  #rouse: () => void = () => undefined;

  constructor(
    waiter: LockWaiter,
    queue: Queue,
    { leave, hold }: { readonly leave: () => void; readonly hold: (sagaId: string) => boolean },
  ) {
    this.waiter = waiter;
    this.leave = leave;
    this.heldBy = hold;
    this.#queue = queue;
  }

  /** Whether the store may be asked from here: the first one's part, and the holder's own, which must not wait for those who wait for its end. */
  get mayAsk(): boolean {
    return firstOf(this.#queue) === this || this.#queue.holder === this.waiter.sagaId;
  }

  get holder(): string | undefined {
    return this.#queue.holder;
  }

  get wantsHolder(): boolean {
    return this.#wantsHolder;
  }

  wake(): void {
    this.#woken = true;
    this.#rouse();
  }

  /** Until then, or until it is woken; not at all when it was woken since it last slept. */
  async sleep(timer: Timer, delayMs: number): Promise<void> {
    if (!this.#woken) {
      const controller = createAbortController();
      this.#rouse = () => controller.abort();
      await timer.sleep(delayMs, controller.signal);
    }
    this.#woken = false;
  }

  /** As `sleep`, and until it is known who holds the lock. */
  async sleepUntilHolder(timer: Timer, delayMs: number): Promise<void> {
    this.#wantsHolder = true;
    await this.sleep(timer, delayMs);
    this.#wantsHolder = false;
  }
}

function firstOf({ places }: Readonly<Queue>): LockPlace | undefined {
  const [oldest] = places;
  return oldest;
}

function addTo<Item>(sets: Map<string, Set<Item>>, key: string, item: Item): void {
  sets.set(key, (sets.get(key) ?? new Set<Item>()).add(item));
}

function deleteFrom<Item>(sets: Map<string, Set<Item>>, key: string, item: Item): void {
  const set = sets.get(key);
  set?.delete(item);
  if (set?.size === 0) sets.delete(key);
}
