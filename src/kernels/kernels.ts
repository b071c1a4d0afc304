/**
 * The byte work that WebAssembly does faster than TypeScript, over the packet arena. Sources: src/kernels/assembly.
 *
 * The module imports the arena's memory and holds no state, so any number of instances may share one arena.
 */

import { decodeBase64 } from './base64.js';
import { KERNELS_WASM_BASE64 } from './wasm-bytes.generated.js';

/**
 * What {@link makeKernels} and its twin {@link makeKernelsTypescript} both give. All offsets are absolute, in bytes,
 * and must lie inside the memory: WebAssembly throws a RuntimeError otherwise, the twin a RangeError. Partial sums are
 * those of wire/checksum.ts: any in 0..2³¹-1 goes in, a folded one comes out.
 */
export interface Kernels {
  /** Copies within the arena; the ranges may overlap. */
  copy(to: number, from: number, bytes: number): void;
  /** Sets bytes to the low 8 bits of `value`. */
  fill(to: number, value: number, bytes: number): void;
  /** Adds a block to a partial sum. Equals `checksumAdd(view, at, bytes, sum)`. RFC 1071. */
  checksum(at: number, bytes: number, sum: number): number;
  /** Copies a block and adds it to a partial sum, in one pass. The ranges must not overlap. */
  copyAndChecksum(to: number, from: number, bytes: number, sum: number): number;
}

/** Compiles and instantiates the module on a shared memory of any size. Takes about a millisecond. */
export function makeKernels(memory: WebAssembly.Memory): Kernels {
  const module = new WebAssembly.Module(decodeBase64(KERNELS_WASM_BASE64));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Kernels;
}
