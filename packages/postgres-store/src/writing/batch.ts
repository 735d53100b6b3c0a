/**
 * A batch of writes as parameters of `write_batch`: records of sagas that this worker knows go as arrays, and so do sagas that are new; everything else goes as items, which are looked into one by one.
 * What the database would have to say of the former is known beforehand: all of it is written, or nothing of the batch is.
 */
import type { AppendRequest } from "@backstep/saga-core/journal";
import { eventValues, isEnded, recordChecksum, statusNumber } from "../row-codec.ts";
import { int4Array, int8Array, textArray } from "./binary-array.ts";
import type { ItemResult } from "./item.ts";
import type { KnownSaga, KnownSagas } from "./known-sagas.ts";
import type { Lane } from "./lane.ts";
import type { Write } from "./write.ts";

export interface BatchOptions {
  readonly worker: number;
  readonly known: KnownSagas<Lane>;
  /** Which kinds of the short way were refused as a whole: these writes go the long way now. */
  readonly avoid: ReadonlySet<ShortWay>;
}

export type ShortWay = "new" | "rec" | "events";

export interface Batch {
  readonly writes: readonly Write[];
  /** How many of them go the short way. */
  readonly shortCount: number;
  /** From `in_lines` on. */
  readonly values: readonly unknown[];
  /** Answers all of them. Without `positions`, which a lost answer takes along, what became of new sagas is looked up at their next write. */
  conclude(answer: BatchAnswer): void;
  /** What was taken for known by this batch is known no more. */
  forget(): void;
}

export interface BatchAnswer {
  readonly positions: readonly number[] | undefined;
  readonly results: readonly ItemResult[];
}

const OK: ItemResult = ["ok"];

/** Arrays as long as their rows are many. */
class NewSagas {
  readonly writes: Write[] = [];
  readonly ids: string[] = [];
  readonly names: string[] = [];
  readonly versions: number[] = [];
  readonly statuses: number[] = [];
  readonly wakes: (number | undefined)[] = [];
  readonly drivers: (number | undefined)[] = [];
  readonly checksums: number[] = [];
  readonly records: string[] = [];

  values(): readonly Buffer[] {
    return [
      textArray(this.ids),
      textArray(this.names),
      int8Array(this.versions),
      int4Array(this.statuses),
      int8Array(this.wakes),
      int8Array(this.drivers),
      int4Array(this.checksums),
      textArray(this.records),
    ];
  }
}

class Records {
  readonly sagas: number[] = [];
  readonly sequences: number[] = [];
  readonly epochs: number[] = [];
  readonly checksums: number[] = [];
  readonly records: string[] = [];

  values(): readonly Buffer[] {
    return [int8Array(this.sagas), int4Array(this.sequences), int4Array(this.epochs), int4Array(this.checksums), textArray(this.records)];
  }
}

class Moves {
  /** The last one of a saga counts. */
  readonly bySaga = new Map<number, { readonly request: AppendRequest; readonly driver: number | undefined }>();

  values(): readonly Buffer[] {
    // In the order in which all lock the rows of sagas.
    const bySaga = [...this.bySaga].sort(([left], [right]) => left - right);
    const moves = bySaga.map(([, move]) => move);
    return [
      int8Array(bySaga.map(([saga]) => saga)),
      int4Array(moves.map(({ request }) => request.sequence + 1)),
      int4Array(moves.map(({ request }) => statusNumber(request.status))),
      int8Array(moves.map(({ request }) => request.wakeAt)),
      int8Array(moves.map(({ driver }) => driver)),
    ];
  }
}

export function prepareBatch(writes: readonly Write[], { worker, known, avoid }: BatchOptions): Batch {
  const generation = known.generation();
  const [created, records, moves] = [new NewSagas(), new Records(), new Moves()];
  const events: (readonly (string | null)[])[] = [];
  const long: Write[] = [];
  const short: Write[] = [];
  const longTracks = new Set<unknown>();
  let touchesLines = false;

  const driverOf = ({ leaves = false, status }: AppendRequest): number | undefined => (leaves || isEnded(status) ? undefined : worker);

  /** Whether it went the short way. */
  function takeShort(write: Write): boolean {
    const { append: request, track } = write;
    if (request === undefined || track === undefined || listsLocks(request) || longTracks.has(track)) return false;
    if (request.outbox.length > 0 && avoid.has("events")) return false;
    const saga = known.known(track);
    const { sequence, epoch, record, status, wakeAt } = request;
    if (saga === undefined) {
      if (sequence !== 0 || epoch !== 1 || track.known !== undefined || avoid.has("new")) return false;
      created.writes.push(write);
      created.ids.push(request.sagaId);
      created.names.push(request.saga.name);
      created.versions.push(request.saga.version);
      created.statuses.push(statusNumber(status));
      created.wakes.push(wakeAt);
      created.drivers.push(driverOf(request));
      created.checksums.push(recordChecksum({ seed: track.seed, saga: request.saga, sequence, epoch, record }));
      created.records.push(record);
      // Its place in the order of starts is not known yet: what follows in this batch is looked into.
      longTracks.add(track);
    } else {
      if (sequence !== saga.next || epoch !== saga.epoch || avoid.has("rec")) return false;
      records.sagas.push(saga.position);
      records.sequences.push(sequence);
      records.epochs.push(epoch);
      records.checksums.push(recordChecksum({ seed: track.seed, saga: request.saga, sequence, epoch, record }));
      records.records.push(record);
      advance(saga, request);
      if (driverOf(request) === undefined) track.known = undefined;
    }
    for (const event of request.outbox) events.push(eventValues(event));
    return true;
  }

  function advance(saga: KnownSaga, request: AppendRequest): void {
    saga.next += 1;
    const driver = driverOf(request);
    if (request.status === saga.status && request.wakeAt === saga.wakeAt && driver !== undefined) return;
    saga.status = request.status;
    saga.wakeAt = request.wakeAt;
    moves.bySaga.delete(saga.position);
    moves.bySaga.set(saga.position, { request, driver });
  }

  for (const write of writes) {
    if (takeShort(write)) {
      short.push(write);
      continue;
    }
    long.push(write);
    if (write.track !== undefined) {
      longTracks.add(write.track);
      write.track.known = undefined;
    }
    touchesLines ||= write.append !== undefined && (write.append.locks !== undefined || isEnded(write.append.status));
  }

  return {
    writes,
    shortCount: short.length,
    values: [
      touchesLines,
      ...created.values(),
      ...records.values(),
      ...moves.values(),
      events.length === 0 ? null : JSON.stringify(events),
      long.length === 0 ? null : JSON.stringify(long.map(({ item }) => item())),
    ],
    conclude({ positions, results }) {
      const late = new Set(long.map(({ track }) => track));
      for (const [index, { append, track }] of created.writes.entries()) {
        const position = positions?.[index];
        if (append === undefined || track === undefined || position === undefined || driverOf(append) === undefined) continue;
        // Something of it that came later went the long way, and says itself what is known.
        if (late.has(track)) continue;
        track.known = { position, epoch: 1, next: 1, status: append.status, wakeAt: append.wakeAt, generation };
      }
      for (const write of short) write.conclude(OK, generation);
      for (const [index, write] of long.entries())
        write.conclude(results[index] ?? ["refused", "the database said nothing of it"], generation);
    },
    forget() {
      for (const { track } of short) if (track !== undefined) track.known = undefined;
    },
  };
}

/** A saga that is known, or new, stands in no line: naming no lock changes nothing of that. */
function listsLocks({ locks, status }: AppendRequest): boolean {
  return locks !== undefined && !isEnded(status) && locks.held.length + locks.wanted.length > 0;
}
