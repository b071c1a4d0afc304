/**
 * Identifications of datagrams that may be fragmented. Read RFC 6864 section 4 first, and RFC 7739 for why they must
 * not tell outsiders how much a host sends: source, destination and protocol have a counter that starts anywhere.
 */
import type { Random } from '../base/random.js';
import { hashWord } from './row-hash.js';

const COUNTERS = 2048;

export class Identifications {
  readonly #counters: Uint16Array;
  readonly #secret: number;

  constructor(random: Random) {
    this.#secret = random.uint32() | 0;
    this.#counters = Uint16Array.from({ length: COUNTERS }, () => random.uint32() & 0xffff);
  }

  /** The next identification, 0..65535, for a datagram of an IP protocol. */
  next(source: number, destination: number, protocol: number): number {
    const hash = hashWord(hashWord(hashWord(this.#secret, source | 0), destination | 0), protocol);
    const counter = hash & (COUNTERS - 1);
    this.#counters[counter] = this.#counters[counter]! + 1;
    return this.#counters[counter]!;
  }
}
