/**
 * The Internet checksum. Read RFC 1071 first, then RFC 1624 for incremental updates.
 *
 * A *partial sum* is the one's complement sum of big-endian 16-bit words so far. Functions take any partial sum in 0..2³¹-1 (so sums of a
 * few header fields need no folding) and return it folded to 0..0xffff. It is 0 only if every byte was 0, therefore two ways to
 * compute the same sum give the same number.
 *
 * The sum does not depend on the byte order (RFC 1071 section 2 B): words are read little-endian, which needs no swap on the
 * machines we run on, and the result is swapped once.
 */

/** Longest run whose sum of 16-bit halves still fits 31 bits. */
const RUN_BYTES = 0x10000;

/** Folds a partial sum to 16 bits with end-around carry. */
export function checksumFold(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/** Swaps the two bytes of a folded partial sum: what a block contributes that starts at an odd offset of its message. RFC 1071 section 2 B. */
export function checksumSwap(sum: number): number {
  const folded = checksumFold(sum);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** The checksum field for a partial sum over everything covered, with the field itself counted as zero. */
export function checksumFinish(sum: number): number {
  return ~checksumFold(sum) & 0xffff;
}

/** True if the partial sum over everything covered, checksum field included, proves the data good. RFC 1071 section 1 (3). */
export function isChecksumSumValid(sum: number): boolean {
  return checksumFold(sum) === 0xffff;
}

/**
 * Adds `length` bytes from `at` to a partial sum. An odd last byte counts as the high byte of a word. A block that starts at an odd
 * offset of its message must be summed from 0 and added through {@link checksumSwap}.
 */
export function checksumAdd(view: DataView, at: number, length: number, sum: number): number {
  let total = checksumFold(sum);
  let from = at;
  let left = length;
  while (left > RUN_BYTES) {
    total = checksumFold(total + sumRun(view, from, RUN_BYTES));
    from += RUN_BYTES;
    left -= RUN_BYTES;
  }
  return checksumFold(total + sumRun(view, from, left));
}

/**
 * One run of at most RUN_BYTES. `words` wraps modulo 2³² while `high` counts the upper halves exactly, so that the sum of the lower
 * halves is what remains of `words`: one addition less per word than to split every word.
 */
function sumRun(view: DataView, at: number, length: number): number {
  let words = 0;
  let high = 0;
  let i = at;
  const end = at + length;
  for (const end16 = end - 15; i < end16; i += 16) {
    const a = view.getUint32(i, true);
    const b = view.getUint32(i + 4, true);
    const c = view.getUint32(i + 8, true);
    const d = view.getUint32(i + 12, true);
    words = (words + a + b + c + d) | 0;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
  }
  for (const end4 = end - 3; i < end4; i += 4) {
    const word = view.getUint32(i, true);
    words = (words + word) | 0;
    high = (high + (word >>> 16)) | 0;
  }
  let low = (words - (high << 16)) >>> 0;
  if (i + 2 <= end) {
    low += view.getUint16(i, true);
    i += 2;
  }
  if (i < end) low += view.getUint8(i);
  return checksumSwap(checksumFold(low) + checksumFold(high));
}

/** Partial sum of the IPv4 pseudo header. RFC 768, RFC 9293 section 3.1. */
export function pseudoHeaderSumIpv4(source: number, destination: number, protocol: number, length: number): number {
  return checksumFold(
    (source >>> 16) +
      (source & 0xffff) +
      (destination >>> 16) +
      (destination & 0xffff) +
      protocol +
      (length & 0xffff) +
      (length >>> 16),
  );
}

/** Partial sum of the IPv6 pseudo header whose two addresses (32 bytes, source first) stand at `addressesAt`. RFC 8200 section 8.1. */
export function pseudoHeaderSumIpv6(view: DataView, addressesAt: number, nextHeader: number, length: number): number {
  return checksumAdd(view, addressesAt, 32, nextHeader + (length & 0xffff) + (length >>> 16));
}

/** The checksum field after a covered 16-bit word changed from `before` to `after`. RFC 1624 section 3, equation 3. */
export function checksumReplace16(checksum: number, before: number, after: number): number {
  return checksumFinish((~checksum & 0xffff) + (~before & 0xffff) + after);
}

/** The checksum field after a covered 32-bit word at an even offset changed from `before` to `after`. RFC 1624 section 3. */
export function checksumReplace32(checksum: number, before: number, after: number): number {
  const removed = (~before >>> 16) + (~before & 0xffff);
  return checksumFinish((~checksum & 0xffff) + removed + (after >>> 16) + (after & 0xffff));
}
