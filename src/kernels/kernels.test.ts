import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64 } from './base64.js';
import { type Kernels, makeKernels } from './kernels.js';
import { makeKernelsTypescript } from './kernels-typescript.js';

const MEMORY_BYTES = 0x40000;

/** The same random bytes twice, one copy for each twin. */
function makeTwins(): { kernels: Kernels; bytes: Uint8Array }[] {
  return [makeKernels, makeKernelsTypescript].map((make) => {
    const memory = new WebAssembly.Memory({ initial: MEMORY_BYTES >>> 16, maximum: MEMORY_BYTES >>> 16, shared: true });
    const bytes = new Uint8Array(memory.buffer);
    let state = 1;
    for (let i = 0; i < bytes.length; i++) {
      state = (Math.imul(state, 1103515245) + 12345) | 0;
      bytes[i] = state >>> 16;
    }
    return { kernels: make(memory), bytes };
  });
}

const at = fc.oneof(fc.nat(100), fc.nat(MEMORY_BYTES / 2 - 2000));
const length = fc.oneof(fc.nat(100), fc.nat(2000), fc.integer({ min: 65530, max: 65540 }));
const sum = fc.oneof(fc.nat(0xffff), fc.nat(0x7fffffff));

test('each kernel and its twin do and return the same', () => {
  const [wasm, twin] = makeTwins();
  assert.ok(wasm && twin);
  const call = fc.oneof(
    fc.record({ kernel: fc.constant('copy' as const), to: at, from: at, length, value: sum }),
    fc.record({ kernel: fc.constant('fill' as const), to: at, from: at, length: fc.nat(100), value: sum }),
    fc.record({ kernel: fc.constant('checksum' as const), to: at, from: at, length, value: sum }),
    fc.record({ kernel: fc.constant('copyAndChecksum' as const), to: at, from: at, length, value: sum }),
  );
  fc.assert(
    fc.property(call, ({ kernel, to, from, length, value }) => {
      const results = [wasm, twin].map(({ kernels }) => {
        if (kernel === 'copy') return kernels.copy(to, from, length);
        if (kernel === 'fill') return kernels.fill(to, value, length);
        if (kernel === 'checksum') return kernels.checksum(from, length, value);
        // Its ranges do not overlap: the destination is in the upper half.
        return kernels.copyAndChecksum(MEMORY_BYTES - length - (to & 63), from, length, value);
      });
      assert.equal(results[0], results[1]);
    }),
    { seed: 7, numRuns: 3000 },
  );
  assert.deepEqual(wasm.bytes, twin.bytes);
});

test('a checksum over more than the lanes hold in one run does not overflow', () => {
  const memory = new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true });
  new Uint8Array(memory.buffer).fill(255);
  const bytes = memory.buffer.byteLength - 3;
  assert.equal(makeKernels(memory).checksum(3, bytes, 1), makeKernelsTypescript(memory).checksum(3, bytes, 1));
});

test('an instance accepts memories of every size and writes nothing into them', () => {
  for (const pages of [1, 64, 32768]) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    makeKernels(memory);
    assert.ok(
      new Uint8Array(memory.buffer, 0, 65536).every((byte) => byte === 0),
      `${pages} pages`,
    );
  }
});

test('offsets at the end of the largest memory work, and those outside are refused', () => {
  const memory = new WebAssembly.Memory({ initial: 32768, maximum: 32768, shared: true });
  const end = memory.buffer.byteLength;
  for (const kernels of [makeKernels(memory), makeKernelsTypescript(memory)]) {
    kernels.fill(end - 100, 1, 100);
    assert.equal(kernels.checksum(end - 100, 100, 0), 50 * 0x0101);
    kernels.copy(end - 50, end - 100, 50);
    assert.throws(() => kernels.checksum(end - 10, 11, 0));
    assert.throws(() => kernels.copy(end - 10, 0, 11));
    assert.throws(() => kernels.copy(0, end - 10, 11));
    assert.throws(() => kernels.fill(end - 10, 0, 11));
    assert.throws(() => kernels.copyAndChecksum(end - 10, 0, 11, 0));
  }
});

test('base64 decodes to every length of tail', () => {
  for (let bytes = 0; bytes < 8; bytes++) {
    const source = Uint8Array.from({ length: bytes }, (_, i) => 255 - i * 31);
    assert.deepEqual(decodeBase64(Buffer.from(source).toString('base64')), source);
  }
});
