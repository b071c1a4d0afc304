/**
 * The Toeplitz hash that receive-side scaling steers flows by. Read Microsoft's "RSS hashing types" and "Verifying the
 * RSS hash calculation" first.
 *
 * The hash is the exclusive or of one 32-bit window of the key for every bit that is set in the input: bit `i` of the
 * input selects the key's bits `i` to `i + 31`. It is linear, so the windows of all eight bits of a byte can be
 * combined beforehand: a table of 256 results for each byte of the input, and twelve look-ups for an IPv4 flow.
 */

/** Bytes of input that the table covers: two IPv4 addresses and two ports. */
const INPUT_BYTES = 12;
const WINDOW_BITS = 32;

/** The key that drivers and tests of RSS share; its 40 bytes serve IPv6 flows as well. */
// biome-ignore format: the rows as the specification prints them
export const TOEPLITZ_KEY_MICROSOFT: readonly number[] = [
  0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
  0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
  0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
];

/**
 * A key of period 16, under which both directions of a flow have the same hash: exchanging source and destination moves
 * bits by multiples of 16. Woo and Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling", 2012.
 */
export const TOEPLITZ_KEY_SYMMETRIC: readonly number[] = Array.from({ length: 40 }, (_, i) => (i & 1 ? 0x5a : 0x6d));

/** Makes the table for a key of at least 16 bytes: 12 KiB, for {@link toeplitz2} and {@link toeplitz4}. */
export function makeToeplitzTable(key: readonly number[]): Int32Array {
  const table = new Int32Array(INPUT_BYTES * 256);
  for (let position = 0; position < INPUT_BYTES; position++) {
    for (let byte = 0; byte < 256; byte++) {
      let hash = 0;
      for (let bit = 0; bit < 8; bit++) {
        if (byte & (0x80 >>> bit)) hash ^= keyWindow(key, position * 8 + bit);
      }
      table[position * 256 + byte] = hash;
    }
  }
  return table;
}

/** The 32 bits of the key that start at a bit. */
function keyWindow(key: readonly number[], startBit: number): number {
  let window = 0;
  for (let bit = startBit; bit < startBit + WINDOW_BITS; bit++) {
    window = (window << 1) | (((key[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1);
  }
  return window;
}

/** Hash of two IPv4 addresses, signed: for what has no ports, and for fragments. */
export function toeplitz2(table: Int32Array, source: number, destination: number): number {
  return (
    table[source >>> 24]! ^
    table[256 + ((source >>> 16) & 255)]! ^
    table[512 + ((source >>> 8) & 255)]! ^
    table[768 + (source & 255)]! ^
    table[1024 + (destination >>> 24)]! ^
    table[1280 + ((destination >>> 16) & 255)]! ^
    table[1536 + ((destination >>> 8) & 255)]! ^
    table[1792 + (destination & 255)]!
  );
}

/**
 * Hash of an IPv4 flow, signed. `ports` is `sourcePort << 16 | destinationPort`, the first word of a TCP or UDP header.
 */
export function toeplitz4(table: Int32Array, source: number, destination: number, ports: number): number {
  return (
    toeplitz2(table, source, destination) ^
    table[2048 + (ports >>> 24)]! ^
    table[2304 + ((ports >>> 16) & 255)]! ^
    table[2560 + ((ports >>> 8) & 255)]! ^
    table[2816 + (ports & 255)]!
  );
}
