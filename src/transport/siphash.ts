/**
 * SipHash-2-4, the keyed hash behind initial sequence numbers, ports, timestamp offsets and SYN cookies: who does not
 * know the key cannot foretell them. Read Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), section 2 first.
 *
 * The state is four 64-bit words v0 … v3, each as two int32: low half at index 2i, high half at 2i + 1.
 */
import type { Random } from '../base/random.js';

const V0 = 0;
const V1 = 2;
const V2 = 4;
const V3 = 6;

export class SipHash {
  /** Result of the last `hash`: low and high half. */
  readonly digest = new Int32Array(2);
  readonly #key: Int32Array;
  readonly #state = new Int32Array(8);

  /** @param key 128 bits as four int32, the first byte of the key lowest. */
  constructor(key: Int32Array) {
    this.#key = key.slice(0, 4);
  }

  /** Hashes the first `count` of `words` (each four bytes, lowest first); returns the low half of the digest. */
  hash(words: Int32Array, count: number): number {
    const v = this.#state;
    this.#begin();
    for (let i = 0; i + 1 < count; i += 2) this.#absorb(words[i]!, words[i + 1]!);
    // The last block: what is left, and the length in bytes modulo 256 in the highest byte.
    this.#absorb(count & 1 ? words[count - 1]! : 0, (count * 4) << 24);
    v[V2]! ^= 0xff;
    for (let round = 0; round < 4; round++) sipRound(v);
    this.digest[0] = v[V0]! ^ v[V1]! ^ v[V2]! ^ v[V3]!;
    this.digest[1] = v[V0 + 1]! ^ v[V1 + 1]! ^ v[V2 + 1]! ^ v[V3 + 1]!;
    return this.digest[0]!;
  }

  #begin(): void {
    const v = this.#state;
    const key = this.#key;
    v[0] = key[0]! ^ 0x70736575;
    v[1] = key[1]! ^ 0x736f6d65;
    v[2] = key[2]! ^ 0x6e646f6d;
    v[3] = key[3]! ^ 0x646f7261;
    v[4] = key[0]! ^ 0x6e657261;
    v[5] = key[1]! ^ 0x6c796765;
    v[6] = key[2]! ^ 0x79746573;
    v[7] = key[3]! ^ 0x74656462;
  }

  #absorb(low: number, high: number): void {
    const v = this.#state;
    v[V3]! ^= low;
    v[V3 + 1]! ^= high;
    sipRound(v);
    sipRound(v);
    v[V0]! ^= low;
    v[V0 + 1]! ^= high;
  }
}

/** A key from the source of random numbers. */
export function makeSipHash(random: Random): SipHash {
  return new SipHash(Int32Array.of(random.uint32(), random.uint32(), random.uint32(), random.uint32()));
}

function sipRound(v: Int32Array): void {
  halfRound(v, V0, V1, 13);
  halfRound(v, V2, V3, 16);
  swapHalves(v, V0);
  halfRound(v, V0, V3, 21);
  halfRound(v, V2, V1, 17);
  swapHalves(v, V2);
}

/** a += b; b = rotl(b, bits) ^ a. */
function halfRound(v: Int32Array, a: number, b: number, bits: number): void {
  const bLow = v[b]!;
  const bHigh = v[b + 1]!;
  const low = (v[a]! + bLow) | 0;
  const high = (v[a + 1]! + bHigh + (low >>> 0 < bLow >>> 0 ? 1 : 0)) | 0;
  v[a] = low;
  v[a + 1] = high;
  v[b] = ((bLow << bits) | (bHigh >>> (32 - bits))) ^ low;
  v[b + 1] = ((bHigh << bits) | (bLow >>> (32 - bits))) ^ high;
}

function swapHalves(v: Int32Array, a: number): void {
  const low = v[a]!;
  v[a] = v[a + 1]!;
  v[a + 1] = low;
}
