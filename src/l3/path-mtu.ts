/**
 * Path MTUs smaller than the link's, by destination, as routers have told. Read RFC 1191 first.
 * A bounded table; an entry is forgotten after ten minutes, so that a path that has become wider is found again.
 */
import type { Random } from '../base/random.js';
import { type Clock, NS_PER_S } from '../base/time.js';
import { hashWord } from './row-hash.js';

/** RFC 1191 section 6.3. */
const LIFETIME_NS = 600 * NS_PER_S;
/** Smaller claims are raised to this: forged ones could else stall connections. */
export const MIN_PATH_MTU = 552;
/** For routers that tell no MTU: the next of these below the packet's own length. RFC 1191 section 7.1. */
const PLATEAUS = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, MIN_PATH_MTU] as const;
/** Entries that share a bucket; the one that ends first makes room. */
const WAYS = 4;

/** The MTU to use after a claim of `claimed` (0 from old routers) about a packet of `packetBytes`. RFC 1191 sections 3, 5. */
export function plausibleMtu(claimed: number, packetBytes: number): number {
  if (claimed >= MIN_PATH_MTU) return claimed;
  if (claimed > 0) return MIN_PATH_MTU;
  return PLATEAUS.find((plateau) => plateau < packetBytes) ?? MIN_PATH_MTU;
}

export class PathMtuTable {
  readonly #clock: Clock;
  readonly #secret: number;
  readonly #mask: number;
  /** Five words an entry: VRF and the destination as a 128-bit address. */
  readonly #keys: Int32Array;
  readonly #mtu: Int32Array;
  readonly #endNs: Float64Array;

  /** @param entries a power of two. */
  constructor(clock: Clock, random: Random, entries: number) {
    this.#clock = clock;
    this.#secret = random.uint32() | 0;
    this.#mask = entries / WAYS - 1;
    this.#keys = new Int32Array(entries * 5);
    this.#mtu = new Int32Array(entries);
    this.#endNs = new Float64Array(entries);
  }

  /** The path MTU to an IPv4 destination, or `linkMtu` if none that is smaller is known. */
  get(vrf: number, destination: number, linkMtu: number): number {
    const entry = this.#find(vrf, destination);
    return entry < 0 || this.#mtu[entry]! > linkMtu ? linkMtu : this.#mtu[entry]!;
  }

  /** Notes a smaller path MTU; a larger one than known does not count. RFC 1191 section 3. */
  learn(vrf: number, destination: number, mtu: number): void {
    let entry = this.#find(vrf, destination);
    if (entry >= 0 && this.#mtu[entry]! < mtu) return;
    if (entry < 0) entry = this.#victim(vrf, destination);
    const key = entry * 5;
    this.#keys[key] = vrf;
    this.#keys[key + 1] = 0;
    this.#keys[key + 2] = 0;
    this.#keys[key + 3] = 0xffff;
    this.#keys[key + 4] = destination;
    this.#mtu[entry] = mtu;
    this.#endNs[entry] = this.#clock.nowNs + LIFETIME_NS;
  }

  /** Forgets everything about a VRF. */
  clear(vrf: number): void {
    for (let entry = 0; entry < this.#mtu.length; entry++) if (this.#keys[entry * 5] === vrf) this.#endNs[entry] = 0;
  }

  #bucket(vrf: number, destination: number): number {
    return (hashWord(hashWord(this.#secret ^ vrf, 0xffff), destination | 0) & this.#mask) * WAYS;
  }

  #find(vrf: number, destination: number): number {
    const first = this.#bucket(vrf, destination);
    const nowNs = this.#clock.nowNs;
    for (let entry = first; entry < first + WAYS; entry++) {
      const key = entry * 5;
      if (this.#keys[key + 4] !== (destination | 0) || this.#keys[key + 3] !== 0xffff) continue;
      if (this.#keys[key] === vrf && this.#endNs[entry]! > nowNs) return entry;
    }
    return -1;
  }

  #victim(vrf: number, destination: number): number {
    const first = this.#bucket(vrf, destination);
    let victim = first;
    for (let entry = first + 1; entry < first + WAYS; entry++) {
      if (this.#endNs[entry]! < this.#endNs[victim]!) victim = entry;
    }
    return victim;
  }
}
