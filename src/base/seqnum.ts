/**
 * Sequence number arithmetic modulo 2^32. RFC 9293 section 3.4, RFC 1982.
 * Sequence numbers are kept as int32; only differences have a meaning.
 */

export function seqAdd(a: number, n: number): number {
  return (a + n) | 0;
}

/** a − b as a signed distance: positive when a comes after b. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}

export function seqLt(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function seqLeq(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

export function seqGt(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

export function seqGeq(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

/** The later of two. */
export function seqMax(a: number, b: number): number {
  return seqGt(a, b) ? a : b;
}
