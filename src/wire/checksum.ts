/**
 * The Internet checksum. Read RFC 1071 first, then RFC 1624 for incremental updates.
 *
 * A *partial sum* is the one's complement sum of big-endian 16-bit words so far. Functions take any partial sum in
 * 0..2³¹-1 (so sums of a few header fields need no folding) and return it folded to 0..0xffff. It is 0 only if every
 * byte was 0, therefore two ways to compute the same sum give the same number.
 *
 * The sum does not depend on the byte order (RFC 1071 section 2 B): words are read little-endian, which needs no swap
 * on the machines we run on, and the result is swapped once. They are added up as 32-bit words in a float, whose 53
 * bits need no carry for 2²¹ words; that is faster than any way to split or carry them in integers.
 */

/** Folds a partial sum to 16 bits with end-around carry. */
export function checksumFold(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/**
 * Swaps the two bytes of a folded partial sum: what a block contributes that starts at an odd offset of its message.
 * RFC 1071 section 2 B.
 */
export function checksumSwap(sum: number): number {
  const folded = checksumFold(sum);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** The checksum field for a partial sum over everything covered, with the field itself counted as zero. */
export function checksumFinish(sum: number): number {
  return ~checksumFold(sum) & 0xffff;
}

/**
 * True if the partial sum over everything covered, checksum field included, proves the data good. RFC 1071 section 1
 * (3).
 */
export function isChecksumSumValid(sum: number): boolean {
  return checksumFold(sum) === 0xffff;
}

/**
 * Adds `length` bytes (up to 8 MiB) from `at` to a partial sum. An odd last byte counts as the high byte of a word. A
 * block that starts at an odd offset of its message must be summed from 0 and added through {@link checksumSwap}.
 */
export function checksumAdd(view: DataView, at: number, length: number, sum: number): number {
  const end = at + length;
  let even = 0;
  let odd = 0;
  let i = at;
  for (const end16 = end - 15; i < end16; i += 16) {
    even += view.getUint32(i, true) + view.getUint32(i + 4, true);
    odd += view.getUint32(i + 8, true) + view.getUint32(i + 12, true);
  }
  let words = even + odd;
  for (const end4 = end - 3; i < end4; i += 4) words += view.getUint32(i, true);
  if (i + 2 <= end) {
    words += view.getUint16(i, true);
    i += 2;
  }
  if (i < end) words += view.getUint8(i);
  const low = words >>> 0;
  const high = Math.floor(words / 0x1_0000_0000);
  return checksumFold(checksumFold(sum) + checksumSwap((low & 0xffff) + (low >>> 16) + high));
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

/**
 * Partial sum of the IPv6 pseudo header whose two addresses (32 bytes, source first) stand at `addressesAt`. RFC 8200
 * section 8.1.
 */
export function pseudoHeaderSumIpv6(view: DataView, addressesAt: number, nextHeader: number, length: number): number {
  return checksumAdd(view, addressesAt, 32, nextHeader + (length & 0xffff) + (length >>> 16));
}

/** The checksum field after a covered 16-bit word changed from `before` to `after`. RFC 1624 section 3, equation 3. */
export function checksumReplace16(checksum: number, before: number, after: number): number {
  return checksumFinish((~checksum & 0xffff) + (~before & 0xffff) + after);
}

/**
 * The checksum field after a covered 32-bit word at an even offset changed from `before` to `after`. RFC 1624 section
 * 3.
 */
export function checksumReplace32(checksum: number, before: number, after: number): number {
  const removed = (~before >>> 16) + (~before & 0xffff);
  return checksumFinish((~checksum & 0xffff) + removed + (after >>> 16) + (after & 0xffff));
}
