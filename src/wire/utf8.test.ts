import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUtf8, utf8Bytes, writeUtf8 } from './utf8.js';

test('writes what the platform writes', () => {
  const text = fc.string({ unit: fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)) });
  fc.assert(
    fc.property(text, (value) => {
      const expected = new TextEncoder().encode(value);
      const view = new DataView(new ArrayBuffer(expected.length));
      assert.equal(utf8Bytes(value), expected.length);
      assert.equal(writeUtf8(view, 0, value), expected.length);
      assert.deepEqual(new Uint8Array(view.buffer), expected);
      assert.equal(readUtf8(view, 0, expected.length), new TextDecoder('utf-8', { ignoreBOM: true }).decode(expected));
    }),
    { seed: 3629, numRuns: 1000 },
  );
});

test('malformed bytes become replacement characters', () => {
  const read = (...bytes: number[]): string => readUtf8(new DataView(Uint8Array.from(bytes).buffer), 0, bytes.length);
  assert.equal(read(0x41, 0xc3), 'A\ufffd', 'cut off');
  assert.equal(read(0xc0, 0x80), '\ufffd\ufffd', 'overlong');
  assert.equal(read(0xed, 0xa0, 0x80), '\ufffd\ufffd\ufffd', 'surrogate');
  assert.equal(read(0xf4, 0x90, 0x80, 0x80), '\ufffd\ufffd\ufffd\ufffd', 'beyond U+10FFFF');
  assert.equal(read(0xff, 0x80), '\ufffd\ufffd', 'no first byte');
});
