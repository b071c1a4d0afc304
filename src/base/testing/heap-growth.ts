const ROUNDS = 11;

/**
 * Bytes by which one call of `round` makes the heap grow: the median of several, because the first ones run before the
 * code is optimized and a garbage collection may fall into some. A round should do the same each time and be short enough
 * that few of them see a collection.
 */
export function medianHeapGrowth(round: () => void): number {
  const growths = Array.from({ length: ROUNDS }, () => {
    const before = process.memoryUsage().heapUsed;
    round();
    return process.memoryUsage().heapUsed - before;
  });
  return growths.sort((a, b) => a - b)[ROUNDS >> 1]!;
}
