import { performance } from 'node:perf_hooks';

/** The machine's monotonic clock, in nanoseconds since the process began. */
export function monotonicNs(): number {
  return performance.now() * 1e6;
}
