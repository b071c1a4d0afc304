import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SipHash } from './siphash.js';

const KEY = Int32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);
const MASK = (1n << 64n) - 1n;

/** The definition of the paper's section 2.3, on 64-bit numbers. */
function reference(key: Int32Array, words: readonly number[]): bigint {
  const u64 = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const k0 = u64(key[0]!, key[1]!);
  const k1 = u64(key[2]!, key[3]!);
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const rotl = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & MASK;
  const round = (): void => {
    v0 = (v0 + v1) & MASK;
    v1 = rotl(v1, 13n) ^ v0;
    v0 = rotl(v0, 32n);
    v2 = (v2 + v3) & MASK;
    v3 = rotl(v3, 16n) ^ v2;
    v0 = (v0 + v3) & MASK;
    v3 = rotl(v3, 21n) ^ v0;
    v2 = (v2 + v1) & MASK;
    v1 = rotl(v1, 17n) ^ v2;
    v2 = rotl(v2, 32n);
  };
  const blocks: bigint[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) blocks.push(u64(words[i]!, words[i + 1]!));
  const rest = words.length % 2 === 1 ? words[words.length - 1]! : 0;
  blocks.push(u64(rest, (words.length * 4) << 24));
  for (const block of blocks) {
    v3 ^= block;
    round();
    round();
    v0 ^= block;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

function hashOf(sip: SipHash, words: readonly number[]): bigint {
  sip.hash(Int32Array.from(words), words.length);
  return (BigInt(sip.digest[1]! >>> 0) << 32n) | BigInt(sip.digest[0]! >>> 0);
}

test('the vectors of the reference implementation', () => {
  const sip = new SipHash(KEY);
  assert.equal(hashOf(sip, []), 0x726fdb47dd0e0e31n);
  assert.equal(hashOf(sip, [0x03020100]), 0xcf2794e0277187b7n);
  assert.equal(hashOf(sip, [0x03020100, 0x07060504]), 0x93f5f5799a932462n);
});

test('equals the definition for all keys and messages', () => {
  const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.array(word, { maxLength: 12 }), (key, words) => {
      const keyWords = Int32Array.from(key);
      assert.equal(hashOf(new SipHash(keyWords), words), reference(keyWords, words));
    }),
    { seed: 24 },
  );
});
