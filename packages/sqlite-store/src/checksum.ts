/**
 * The checksum of a record: over its text and its place, so that a row that moved to another place is noticed as well as one that changed. The first record vouches for the saga's name and version too.
 * It finds accidents; whoever can write the file can also write checksums.
 */
import { crc32 } from "node:zlib";

export interface RecordPlace {
  readonly sagaId: string;
  readonly saga: { readonly name: string; readonly version: number };
  readonly sequence: number;
  readonly epoch: number;
}

/** Odd, so that no two sequences or epochs of 32 bits give the same product. */
const SEQUENCE_FACTOR = 0x9e3779b1;
const EPOCH_FACTOR = 0x85ebca6b;

/** The part that all records of a saga share; worth keeping, for a saga that writes again. */
export function checksumOfId(sagaId: string): number {
  return crc32(sagaId);
}

/**
 * CRC-32 of the text, begun from what stands for the place: another beginning gives another sum for the same text. Negative, which tells it from the sums of before version 5 of the file.
 *
 * @param ofId - `checksumOfId` of the saga.
 */
export function recordChecksum({ sagaId, saga, sequence, epoch }: RecordPlace, record: string, ofId = checksumOfId(sagaId)): number {
  const name = sequence === 0 ? crc32(JSON.stringify([saga.name, saga.version])) : 0;
  const place = ofId ^ name ^ Math.imul(sequence + 1, SEQUENCE_FACTOR) ^ Math.imul(epoch, EPOCH_FACTOR);
  return -1 - crc32(record, place >>> 0);
}

/** As files up to version 4 have it, and records in them that were written then. */
export function recordChecksumOfVersion4({ sagaId, saga, sequence, epoch }: RecordPlace, record: string): number {
  const place = sequence === 0 ? [sagaId, sequence, epoch, saga.name, saga.version] : [sagaId, sequence, epoch];
  return crc32(record, crc32(JSON.stringify(place)));
}

/** Whether this is what was written there. */
export function matchesChecksum(checksum: number, place: RecordPlace, record: string): boolean {
  return checksum === (checksum < 0 ? recordChecksum(place, record) : recordChecksumOfVersion4(place, record));
}
