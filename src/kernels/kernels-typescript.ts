/** The twin of kernels.ts in TypeScript: for machines without WebAssembly SIMD, and to test the module against. */

import { checksumAdd } from '../wire/checksum.js';
import type { Kernels } from './kernels.js';

export function makeKernelsTypescript(memory: WebAssembly.Memory): Kernels {
  const bytesOf = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);

  function copy(to: number, from: number, bytes: number): void {
    // copyWithin clamps what lies outside; the kernels refuse it.
    if (to + bytes > bytesOf.length || from + bytes > bytesOf.length)
      throw new RangeError('copy outside of the memory');
    bytesOf.copyWithin(to, from, from + bytes);
  }

  return {
    copy,
    fill: (to, value, bytes) => {
      if (to + bytes > bytesOf.length) throw new RangeError('fill outside of the memory');
      bytesOf.fill(value, to, to + bytes);
    },
    checksum: (at, bytes, sum) => checksumAdd(view, at, bytes, sum),
    copyAndChecksum: (to, from, bytes, sum) => {
      copy(to, from, bytes);
      return checksumAdd(view, to, bytes, sum);
    },
  };
}
