/**
 * Arrays in Postgres's binary format: one pass over the values here, none of quoting and parsing on either side. `pg` sends a `Buffer` as a binary parameter.
 * The format is that of `array_send`: dimensions, whether there are nulls, the type of the elements, per dimension its length and first index, then each element behind its length.
 */
const INT4 = { oid: 23, bytes: 4 } as const;
const INT8 = { oid: 20, bytes: 8 } as const;
const TEXT_OID = 25;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const TWO_TO_32 = 2 ** 32;

export function int4Array(values: readonly number[]): Buffer {
  const buffer = begin(INT4.oid, values.length, values.length * (LENGTH_BYTES + INT4.bytes));
  let offset = HEADER_BYTES;
  for (const value of values) {
    offset = buffer.writeInt32BE(INT4.bytes, offset);
    offset = buffer.writeInt32BE(value, offset);
  }
  return buffer;
}

/** Of safe integers. `undefined` becomes the least bigint, which the functions take for null. */
export function int8Array(values: readonly (number | undefined)[]): Buffer {
  const buffer = begin(INT8.oid, values.length, values.length * (LENGTH_BYTES + INT8.bytes));
  let offset = HEADER_BYTES;
  for (const value of values) {
    offset = buffer.writeInt32BE(INT8.bytes, offset);
    offset = buffer.writeInt32BE(value === undefined ? -(2 ** 31) : Math.floor(value / TWO_TO_32), offset);
    offset = buffer.writeUInt32BE(value === undefined ? 0 : value >>> 0, offset);
  }
  return buffer;
}

export function textArray(values: readonly string[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += LENGTH_BYTES + Buffer.byteLength(value);
  const buffer = begin(TEXT_OID, values.length, bytes);
  let offset = HEADER_BYTES;
  for (const value of values) {
    const written = buffer.write(value, offset + LENGTH_BYTES);
    buffer.writeInt32BE(written, offset);
    offset += LENGTH_BYTES + written;
  }
  return buffer;
}

function begin(oid: number, count: number, bytes: number): Buffer {
  // An empty array has no dimension.
  const buffer = Buffer.allocUnsafe(count === 0 ? HEADER_BYTES - 8 : HEADER_BYTES + bytes);
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(oid, 8);
  if (count === 0) return buffer;
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}
