/**
 * The kernels that run as WebAssembly on the packet arena (AssemblyScript).
 *
 * The module imports the arena as its only memory and works on absolute byte offsets. It owns none of it: no static data,
 * no stack, no heap; scratch space is an argument. src/kernels/kernels.ts describes each function; kernels-typescript.ts
 * holds the twin in TypeScript.
 */

/** Longest run of bytes whose lower 16-bit halves still fit the 32-bit lanes: 65,536 vectors of 16 bytes. */
const RUN_BYTES: u32 = 0x100000;

export function copy(to: u32, from: u32, bytes: u32): void {
  memory.copy(to, from, bytes);
}

export function fill(to: u32, value: u32, bytes: u32): void {
  memory.fill(to, <u8>value, bytes);
}

export function checksum(at: u32, bytes: u32, sum: u32): u32 {
  let total = fold(sum);
  while (bytes > RUN_BYTES) {
    total = fold(total + sumRun(at, RUN_BYTES));
    at += RUN_BYTES;
    bytes -= RUN_BYTES;
  }
  return fold(total + sumRun(at, bytes));
}

export function copyAndChecksum(to: u32, from: u32, bytes: u32, sum: u32): u32 {
  let total = fold(sum);
  while (bytes > RUN_BYTES) {
    total = fold(total + copyRun(to, from, RUN_BYTES));
    to += RUN_BYTES;
    from += RUN_BYTES;
    bytes -= RUN_BYTES;
  }
  return fold(total + copyRun(to, from, bytes));
}

// @ts-ignore: decorator
@inline
function fold(sum: u32): u32 {
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}

// @ts-ignore: decorator
@inline
function swap(sum: u32): u32 {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/**
 * Adds up one run of at most RUN_BYTES as little-endian words and swaps at the end (RFC 1071 section 2 B). `words` wraps
 * modulo 2³² in each lane while `high` counts the upper halves exactly; what remains of `words` is the sum of the lower ones.
 */
function sumRun(at: u32, bytes: u32): u32 {
  let words = i32x4.splat(0);
  let high = i32x4.splat(0);
  const end = at + bytes;
  while (at + 64 <= end) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    words = i32x4.add(words, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
    const ab = i32x4.add(i32x4.shr_u(a, 16), i32x4.shr_u(b, 16));
    const cd = i32x4.add(i32x4.shr_u(c, 16), i32x4.shr_u(d, 16));
    high = i32x4.add(high, i32x4.add(ab, cd));
    at += 64;
  }
  while (at + 16 <= end) {
    const a = v128.load(at);
    words = i32x4.add(words, a);
    high = i32x4.add(high, i32x4.shr_u(a, 16));
    at += 16;
  }
  return swap(fold(foldLanes(words, high) + sumTail(at, end)));
}

/** The same over what it copies. */
function copyRun(to: u32, from: u32, bytes: u32): u32 {
  let words = i32x4.splat(0);
  let high = i32x4.splat(0);
  const end = from + bytes;
  while (from + 64 <= end) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    words = i32x4.add(words, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
    const ab = i32x4.add(i32x4.shr_u(a, 16), i32x4.shr_u(b, 16));
    const cd = i32x4.add(i32x4.shr_u(c, 16), i32x4.shr_u(d, 16));
    high = i32x4.add(high, i32x4.add(ab, cd));
    from += 64;
    to += 64;
  }
  while (from + 16 <= end) {
    const a = v128.load(from);
    v128.store(to, a);
    words = i32x4.add(words, a);
    high = i32x4.add(high, i32x4.shr_u(a, 16));
    from += 16;
    to += 16;
  }
  const sum = foldLanes(words, high) + sumTail(from, end);
  copyTail(to, from, end);
  return swap(fold(sum));
}

/** Sum of the halves of four lanes, at most 18 bits. */
// @ts-ignore: decorator
@inline
function foldLanes(words: v128, high: v128): u32 {
  const low = i32x4.sub(words, i32x4.shl(high, 16));
  const mask = i32x4.splat(0xffff);
  const sums = i32x4.add(
    i32x4.add(v128.and(low, mask), i32x4.shr_u(low, 16)),
    i32x4.add(v128.and(high, mask), i32x4.shr_u(high, 16)),
  );
  return (
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3)
  );
}

/** Sum of the halves of a word, at most 17 bits. */
// @ts-ignore: decorator
@inline
function halves(word: u32): u32 {
  return (word & 0xffff) + (word >>> 16);
}

/** The last 0..15 bytes, at most 20 bits. */
// @ts-ignore: decorator
@inline
function sumTail(at: u32, end: u32): u32 {
  const bytes = end - at;
  let sum: u32 = 0;
  if (bytes & 8) {
    sum = halves(load<u32>(at)) + halves(load<u32>(at, 4));
    at += 8;
  }
  if (bytes & 4) {
    sum += halves(load<u32>(at));
    at += 4;
  }
  if (bytes & 2) {
    sum += load<u16>(at);
    at += 2;
  }
  return bytes & 1 ? sum + load<u8>(at) : sum;
}

/** Copies the last 0..15 bytes. */
// @ts-ignore: decorator
@inline
function copyTail(to: u32, from: u32, end: u32): void {
  const bytes = end - from;
  if (bytes & 8) {
    store<u64>(to, load<u64>(from));
    to += 8;
    from += 8;
  }
  if (bytes & 4) {
    store<u32>(to, load<u32>(from));
    to += 4;
    from += 4;
  }
  if (bytes & 2) {
    store<u16>(to, load<u16>(from));
    to += 2;
    from += 2;
  }
  if (bytes & 1) store<u8>(to, load<u8>(from));
}
