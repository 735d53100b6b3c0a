/**
 * Group commit over a few lanes: writes that are called during one turn of the event loop share one transaction, and those that come while it is on its way gather for the next. Owns the order: writes of
 * one saga take effect and are answered in the order of the calls, for they are never on two lanes at once. And when a verdict is delivered: never before the commit that holds it.
 */
import { describeFailure, isAboutValues, isRepeatable, sqlState } from "../connection/postgres-failure.ts";
import { type Batch, prepareBatch, type ShortWay } from "./batch.ts";
import type { KnownSagas } from "./known-sagas.ts";
import type { Lane } from "./lane.ts";
import type { Write } from "./write.ts";

export interface WriteQueue {
  enqueue(write: Write): void;
  /** Resolves when nothing waits and nothing is under way. What comes later is refused. */
  close(): Promise<void>;
  readonly lanes: readonly Lane[];
  readonly commits: () => number;
}

export interface WriteQueueOptions {
  readonly worker: number;
  readonly known: KnownSagas<Lane>;
  /** Given what to call when a lane can no longer, or can again, be written to. */
  readonly createLanes: (changed: () => void) => readonly Lane[];
}

interface LaneQueue {
  readonly lane: Lane;
  /** Writes of sagas of which others are on this lane. */
  readonly waiting: Write[];
  working: boolean;
}

/** Bounds of one transaction: how long others wait for it, and how much is lost together. */
const BATCH_WRITES_MAX = 1_024;
export const BATCH_CHARACTERS_MAX = 16 * 1024 * 1024;
/** Smaller ones cost the database more than is won. */
const SHARE_MIN = 64;
/** Of transactions that stood in each other's way; each time at least one of them gets through. */
const REPEATS_MAX = 50;

const NOT_SENT = "nothing was sent: the database does not answer";

export function createWriteQueue({ worker, known, createLanes }: WriteQueueOptions): WriteQueue {
  let scheduled = false;
  let closed = false;
  let commits = 0;
  const queue: Write[] = [];
  const laneQueues: readonly LaneQueue[] = createLanes(wake).map((lane) => ({ lane, waiting: [], working: false }));
  const idleListeners: (() => void)[] = [];

  function wake(): void {
    if (scheduled) return;
    scheduled = true;
    // After the I/O callbacks of this turn: all answers that arrived together are written together.
    setImmediate(() => {
      scheduled = false;
      const free = laneQueues.filter(({ working, lane }) => !working && !lane.inDoubt());
      for (const [index, laneQueue] of free.entries()) begin(laneQueue, shareOf(queue.length, free.length - index));
      refuseIfNobodyCan();
      if (isIdle()) for (const listener of idleListeners.splice(0)) listener();
    });
  }

  const isIdle = (): boolean => queue.length === 0 && laneQueues.every(({ working, waiting }) => !working && waiting.length === 0);

  function begin(laneQueue: LaneQueue, share: number): void {
    const batch = takeBatch(laneQueue, share);
    if (batch.length === 0) return;
    laneQueue.working = true;
    void workOff(laneQueue.lane, batch).finally(() => {
      laneQueue.working = false;
      // Given up. What waits behind it was never sent.
      if (laneQueue.lane.inDoubt()) refuseWaiting(laneQueue);
      wake();
    });
  }

  function refuseWaiting({ waiting }: LaneQueue): void {
    for (const write of waiting.splice(0)) {
      if (write.track !== undefined) write.track.onLane -= 1;
      write.refuse(NOT_SENT);
      rest(write);
    }
  }

  /** What is in doubt may take until the database is back. What was never sent is not held up by it. */
  function refuseIfNobodyCan(): void {
    if (queue.length === 0 || !laneQueues.every(({ lane }) => lane.inDoubt())) return;
    for (const write of queue.splice(0)) {
      if (write.track !== undefined) write.track.waiting -= 1;
      write.refuse(NOT_SENT);
      rest(write);
    }
  }

  function takeBatch({ lane, waiting }: LaneQueue, share: number): readonly Write[] {
    const bounds = { characters: 0, count: 0 };
    const batch = takeWithin(waiting, bounds);
    let looked = 0;
    for (; looked < Math.min(queue.length, share); looked++) {
      const write = queue[looked];
      if (write === undefined) break;
      const { track } = write;
      const elsewhere = track !== undefined && track.onLane > 0 && track.lane !== lane ? track.lane : undefined;
      if (elsewhere === undefined && !fits(write, bounds)) break;
      if (track !== undefined) {
        track.waiting -= 1;
        track.onLane += 1;
      }
      if (elsewhere !== undefined) laneQueues.find((each) => each.lane === elsewhere)?.waiting.push(write);
      else {
        if (track !== undefined) track.lane = lane;
        batch.push(write);
      }
    }
    queue.splice(0, looked);
    return batch;
  }

  async function workOff(lane: Lane, writes: readonly Write[]): Promise<void> {
    const avoid = new Set<ShortWay>();
    for (let repeats = 0; ; repeats++) {
      const problem = await lane.open();
      if (problem !== undefined) {
        refuseAll(writes, problem);
        break;
      }
      const batch = prepareBatch(writes, { worker, known, avoid });
      const answer = await lane.send(batch.values);
      if (answer._tag === "Written") {
        commits += 1;
        batch.conclude(answer);
        break;
      }
      batch.forget();
      if (answer._tag === "GivenUp") break;
      if (answer._tag === "NotWritten") {
        refuseAll(writes, answer.message);
        break;
      }
      if (answer._tag === "Taken") known.doubtAll();
      else if (isAboutValues(answer.error) && batch.shortCount > 0) avoidCause(batch, answer.error, avoid);
      else if (!isRepeatable(answer.error)) {
        refuseAll(writes, `nothing was written: ${describeFailure(answer.error)}`);
        break;
      }
      if (repeats === REPEATS_MAX) {
        refuseAll(writes, "nothing was written: other transactions stood in the way again and again");
        break;
      }
    }
    for (const write of writes) {
      if (write.track !== undefined) write.track.onLane -= 1;
      rest(write);
    }
  }

  function rest({ track }: Write): void {
    if (track !== undefined) known.rest(track);
  }

  return {
    enqueue(write) {
      const { track } = write;
      if (closed) {
        write.refuse("this store is closed");
        return rest(write);
      }
      const laneQueue =
        track !== undefined && track.onLane > 0 && track.waiting === 0 ? laneQueues.find(({ lane }) => lane === track.lane) : undefined;
      if (laneQueue !== undefined && track !== undefined) {
        track.onLane += 1;
        laneQueue.waiting.push(write);
      } else {
        if (track !== undefined) track.waiting += 1;
        queue.push(write);
      }
      wake();
    },
    close: () =>
      new Promise((resolve) => {
        idleListeners.push(() => {
          closed = true;
          resolve();
        });
        wake();
      }),
    lanes: laneQueues.map(({ lane }) => lane),
    commits: () => commits,
  };
}

/** One value is to blame, and the database says of which kind: these are looked into one by one from now on. */
function avoidCause({ shortCount }: Batch, error: unknown, avoid: Set<ShortWay>): void {
  const table = sqlState(error) === "23505" && typeof error === "object" && error !== null && "table" in error ? error.table : undefined;
  const before = avoid.size;
  if (table === "sagas") avoid.add("new");
  if (table === "records") avoid.add("rec");
  if (table === "outbox") avoid.add("events");
  if (avoid.size === before && shortCount > 0) for (const way of ["new", "rec", "events"] as const) avoid.add(way);
}

/** Of many, each free lane takes its share, so that answers of the one are worked on here while the database works on the other. */
function shareOf(waiting: number, lanes: number): number {
  return waiting < lanes * SHARE_MIN ? waiting : Math.ceil(waiting / lanes);
}

function refuseAll(writes: readonly Write[], message: string): void {
  for (const write of writes) write.refuse(message);
}

function fits({ characters }: Write, bounds: { characters: number; count: number }): boolean {
  if (bounds.count === BATCH_WRITES_MAX || (bounds.count > 0 && bounds.characters + characters > BATCH_CHARACTERS_MAX)) {
    // Nothing that comes later fits either, however small: it could be of the same saga.
    bounds.count = BATCH_WRITES_MAX;
    return false;
  }
  bounds.characters += characters;
  bounds.count += 1;
  return true;
}

function takeWithin(waiting: Write[], bounds: { characters: number; count: number }): Write[] {
  let count = 0;
  for (const write of waiting) {
    if (!fits(write, bounds)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
