/**
 * A 128-bit non-cryptographic hash in plain synchronous JavaScript, for replay checks and derived ids. It detects accidents,
 * not attackers: a participant's fingerprint, which faces the network, is SHA-256 and lives with the fence.
 */

/** MurmurHash3's 32-bit finaliser (Appleby, public domain): spreads every input bit over the word. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashes a text to 32 lower-case hexadecimal digits. */
export function hash128(text: string): string {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  let c = 0x13198a2e;
  let d = 0x03707344;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit ^ (a >>> 15), 0x5bd1e995);
    c = Math.imul(c + unit, 0x9e3779b1) ^ (b >>> 13);
    d = Math.imul(d ^ (unit + (c >>> 11)), 0xc2b2ae3d);
  }
  const words = [mix(a ^ text.length), mix(b ^ a), mix(c ^ b), mix(d ^ c)];
  return words.map((word) => word.toString(16).padStart(8, "0")).join("");
}

/** A UUID (RFC 9562, version 8: custom) made of a text; equal texts give equal ids. */
export function uuidOf(text: string): string {
  const hex = hash128(text);
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
