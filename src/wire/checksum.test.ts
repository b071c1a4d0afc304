import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  checksumAdd,
  checksumFinish,
  checksumReplace16,
  checksumReplace32,
  checksumSwap,
  isChecksumSumValid,
  pseudoHeaderSumIpv4,
  pseudoHeaderSumIpv6,
} from './checksum.js';

function viewOf(bytes: ArrayLike<number>): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

/** The definition, word by word. */
function referenceSum(bytes: ArrayLike<number>, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return (sum & 0xffff) + (sum >>> 16);
}

test('the example of RFC 1071 section 3', () => {
  const view = viewOf([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
  assert.equal(checksumAdd(view, 0, 8, 0), 0xddf2);
  assert.equal(checksumFinish(0xddf2), 0x220d);
});

test('equals the definition at every offset, length and start', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(15), fc.nat(0x7fffffff), (bytes, offset, start) => {
      const view = new DataView(new ArrayBuffer(bytes.length + offset));
      new Uint8Array(view.buffer).set(bytes, offset);
      const folded = (start % 0xffff) + (start > 0 && start % 0xffff === 0 ? 0xffff : 0);
      assert.equal(checksumAdd(view, offset, bytes.length, start), referenceSum(bytes, folded));
    }),
    { seed: 1071, numRuns: 2000 },
  );
});

test('does not overflow on long runs of ones', () => {
  for (const length of [0xffff, 0x10000, 0x10001, 0x40003, 1 << 20]) {
    const bytes = new Uint8Array(length).fill(255);
    assert.equal(checksumAdd(viewOf(bytes), 0, length, 0xffff), referenceSum(bytes, 0xffff), `${length} bytes`);
  }
});

test('a block at an odd offset is added through a swap', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 64 }), fc.nat(63), (bytes, split) => {
      const first = Math.min(split, bytes.length);
      const view = viewOf(bytes);
      const rest = checksumAdd(view, first, bytes.length - first, 0);
      const total = checksumAdd(view, 0, first, 0) + (first & 1 ? checksumSwap(rest) : rest);
      assert.equal(checksumFinish(total), checksumFinish(checksumAdd(view, 0, bytes.length, 0)));
    }),
    { seed: 1071 },
  );
});

test('the incremental update equals computing anew, RFC 1624 section 4 included', () => {
  // RFC 1624 section 4: the update from 0x5555 to 0x3285 in a header whose checksum is 0xdd2f must give 0x0000, not
  // 0xffff.
  assert.equal(checksumReplace16(0xdd2f, 0x5555, 0x3285), 0x0000);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      fc.nat(0xffff),
      fc.nat(0xffffffff),
      (bytes, word16, word32) => {
        const view = viewOf(bytes);
        const before = checksumFinish(checksumAdd(view, 0, 8, 1));
        const old16 = view.getUint16(0);
        const old32 = view.getUint32(4);
        view.setUint16(0, word16);
        view.setUint32(4, word32);
        const updated = checksumReplace32(checksumReplace16(before, old16, word16), old32, word32);
        assert.equal(updated, checksumFinish(checksumAdd(view, 0, 8, 1)));
      },
    ),
    { seed: 1624, numRuns: 2000 },
  );
});

test('pseudo headers are the sums of their fields', () => {
  const v4 = viewOf([192, 0, 2, 1, 198, 51, 100, 7, 0, 17, 0x12, 0x34]);
  assert.equal(pseudoHeaderSumIpv4(0xc0000201, 0xc6336407, 17, 0x1234), checksumAdd(v4, 0, 12, 0));
  const v6 = viewOf([...new Array<number>(32).fill(0xab), 0, 1, 0x23, 0x45, 0, 0, 0, 6]);
  assert.equal(pseudoHeaderSumIpv6(v6, 0, 6, 0x12345), checksumAdd(v6, 0, 40, 0));
});

test('a sum is valid only when all covered bits are right', () => {
  const view = viewOf([0x45, 0x00, 0x00, 0x00]);
  view.setUint16(2, checksumFinish(checksumAdd(view, 0, 2, 0)));
  assert.equal(isChecksumSumValid(checksumAdd(view, 0, 4, 0)), true);
  view.setUint8(1, 1);
  assert.equal(isChecksumSumValid(checksumAdd(view, 0, 4, 0)), false);
});
