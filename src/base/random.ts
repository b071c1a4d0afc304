/** Random numbers as everything below engine/ is given them: the system's in production, seeded in tests and labs. */
export interface Random {
  /** An unsigned 32-bit integer. */
  uint32(): number;
}

/** A number in [0, 1). */
export function randomFraction(random: Random): number {
  return random.uint32() / 4_294_967_296;
}

/** An integer in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(randomFraction(random) * bound);
}

/**
 * A seeded generator (xoshiro128**, period 2^128 − 1): the same seed gives the same numbers on every machine.
 * Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let a = splitMix(seed);
  let b = splitMix(seed + 1);
  let c = splitMix(seed + 2);
  let d = splitMix(seed + 3) | 1;
  return {
    uint32() {
      const product = Math.imul(b, 5);
      const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
      const shifted = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
      return result;
    },
  };
}

function splitMix(seed: number): number {
  let z = (seed + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}
