/**
 * Bridge domains: learning switches in software. A domain is an index, its ports are interfaces with
 * InterfaceFlag.bridged. Read IEEE 802.1D-2004 sections 7.7 to 7.9 first (forwarding, learning, filtering database).
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import { type Clock, NS_PER_S, type TimerSource } from '../base/time.js';
import { InterfaceFlag, type InterfaceTable, NO_BRIDGE } from '../drivers/interface-table.js';
import type { Mac } from '../wire/ethernet.js';
import { MacColumn, MacTable, NO_ROW, SEEN_ALWAYS } from './mac-table.js';

/** IEEE 802.1D-2004 table 7-5: recommended ageing time. */
export const DEFAULT_AGEING_SECONDS = 300;
/** Of one domain. */
export const DEFAULT_MAC_LIMIT = 65_536;
/** Of all domains together. */
export const DEFAULT_MAX_MACS = 8192;
const MAX_BRIDGES = 32_768;
/** How often entries that have aged out are removed; they count for nothing before. */
const SWEEP_NS = 10 * NS_PER_S;

export interface BridgeOptions {
  readonly name: string;
  /** Seconds after which a station that was not heard of is forgotten. */
  readonly ageingSeconds?: number;
  /** Most addresses that are learned, static ones not counted. */
  readonly macLimit?: number;
}

/** An entry as `show` prints it. */
export interface MacEntry {
  readonly mac: Mac;
  readonly port: number;
  readonly isStatic: boolean;
  /** Seconds since the station was last heard of; 0 for static entries. */
  readonly ageSeconds: number;
}

/** What {@link BridgeTable.learn} did. */
export const Learned = { added: 0, moved: 1, staticElsewhere: 2, limit: 3 } as const;

export class BridgeTable implements TimerSource {
  readonly macs: MacTable;

  // Columns: one entry a domain. Written by: control operations. Read by: l2-input.
  readonly names: (string | undefined)[] = [];
  ageingSeconds: Int32Array = new Int32Array(16);
  macLimit: Int32Array = new Int32Array(16);
  /** Addresses learned. Written by: l2-input. */
  macCount: Int32Array = new Int32Array(16);
  /** Ports of each domain. */
  readonly ports: Int32Array[] = [];

  readonly #interfaces: InterfaceTable;
  readonly #clock: Clock;
  #learnedCount = 0;
  #nextSweepNs = Infinity;

  /** @param maxMacs addresses of all domains that there is room for, learned and static. */
  constructor(interfaces: InterfaceTable, clock: Clock, maxMacs = DEFAULT_MAX_MACS) {
    this.macs = new MacTable(maxMacs);
    this.#interfaces = interfaces;
    this.#clock = clock;
    interfaces.onRemoval((index) => {
      if (interfaces.bridge[index] !== NO_BRIDGE) this.removePort(index);
    });
  }

  /** Adds a domain without ports and returns its index. Throws USERNET_BRIDGE_EXISTS or USERNET_BRIDGE_LIMIT. */
  create(options: BridgeOptions): number {
    if (this.find(options.name) !== NO_BRIDGE) {
      throw new UsernetError('USERNET_BRIDGE_EXISTS', `there is a switch ${options.name} already`);
    }
    const free = this.names.indexOf(undefined);
    const bridge = free < 0 ? this.names.length : free;
    if (bridge === MAX_BRIDGES) {
      throw new UsernetError('USERNET_BRIDGE_LIMIT', `there are ${MAX_BRIDGES} switches already`);
    }
    if (bridge >= this.ageingSeconds.length) this.#grow();
    this.names[bridge] = options.name;
    this.ports[bridge] = new Int32Array(0);
    this.ageingSeconds[bridge] = options.ageingSeconds ?? DEFAULT_AGEING_SECONDS;
    this.macLimit[bridge] = options.macLimit ?? DEFAULT_MAC_LIMIT;
    this.macCount[bridge] = 0;
    return bridge;
  }

  /** Changes ageing time and limit of a domain; what was learned stays. */
  update(bridge: number, options: BridgeOptions): void {
    this.ageingSeconds[bridge] = options.ageingSeconds ?? DEFAULT_AGEING_SECONDS;
    this.macLimit[bridge] = options.macLimit ?? DEFAULT_MAC_LIMIT;
  }

  /** Removes a domain; its ports stay interfaces, which drop what they receive until they are given another use. */
  remove(bridge: number): void {
    for (const port of this.ports[bridge]!) this.removePort(port);
    this.macs.removeWhere((at) => this.macs.rows[at]! >> 16 === bridge);
    this.names[bridge] = undefined;
  }

  /** Index of the domain of that name, or NO_BRIDGE. */
  find(name: string): number {
    return this.names.indexOf(name);
  }

  /** Makes an Ethernet interface a port of a domain. */
  addPort(bridge: number, interfaceIndex: number): void {
    const interfaces = this.#interfaces;
    assert(interfaces.bridge[interfaceIndex] === NO_BRIDGE, 'the interface is a port of a bridge already');
    assert((interfaces.flags[interfaceIndex]! & InterfaceFlag.ethernet) !== 0, 'a port has to be an Ethernet device');
    this.ports[bridge] = Int32Array.from([...this.ports[bridge]!, interfaceIndex]);
    interfaces.bridge[interfaceIndex] = bridge;
    interfaces.setFlags(interfaceIndex, InterfaceFlag.bridged, true);
  }

  /** Takes a port out of its domain; what was learned from it is forgotten. */
  removePort(interfaceIndex: number): void {
    const bridge = this.#interfaces.bridge[interfaceIndex]!;
    assert(bridge !== NO_BRIDGE, 'the interface is no port of a bridge');
    this.ports[bridge] = this.ports[bridge]!.filter((port) => port !== interfaceIndex);
    this.#interfaces.bridge[interfaceIndex] = NO_BRIDGE;
    this.#interfaces.setFlags(interfaceIndex, InterfaceFlag.bridged, false);
    this.#forget((at) => this.macs.rows[at + MacColumn.port] === interfaceIndex, true);
  }

  /** Adds an entry that neither ages nor moves, in place of what was learned. Throws USERNET_BRIDGE_FULL. */
  addStatic(bridge: number, mac: Mac, port: number): void {
    this.removeMac(bridge, mac);
    if (this.macs.isFull) throw new UsernetError('USERNET_BRIDGE_FULL', 'the switches have no room for more addresses');
    this.macs.add((bridge << 16) | mac.hi, mac.lo | 0, port, SEEN_ALWAYS);
  }

  /** Removes an entry of any kind; false when there is none. */
  removeMac(bridge: number, mac: Mac): boolean {
    const at = this.macs.find((bridge << 16) | mac.hi, mac.lo | 0);
    if (at === NO_ROW) return false;
    this.#noteRemoval(at);
    this.macs.remove(at);
    return true;
  }

  /** Forgets all that a domain has learned. */
  flush(bridge: number): void {
    this.#forget((at) => this.macs.rows[at]! >> 16 === bridge, false);
  }

  /** Entries of a domain that have not aged out. */
  entries(bridge: number): MacEntry[] {
    const { rows } = this.macs;
    const nowSeconds = Math.floor(this.#clock.nowNs / NS_PER_S);
    const found: MacEntry[] = [];
    this.macs.forEach((at) => {
      const key = rows[at]!;
      const isStatic = rows[at + MacColumn.seen] === SEEN_ALWAYS;
      const ageSeconds = isStatic ? 0 : nowSeconds - rows[at + MacColumn.seen]!;
      if (key >> 16 !== bridge || ageSeconds >= this.ageingSeconds[bridge]!) return;
      const mac = { hi: key & 0xffff, lo: rows[at + MacColumn.macLo]! >>> 0 };
      found.push({ mac, port: rows[at + MacColumn.port]!, isStatic, ageSeconds });
    });
    return found;
  }

  /**
   * Notes that the station of `key` sends from `port`: l2-input calls this when the table does not say so already.
   * `row` is what the look-up gave. Returns one of {@link Learned}. IEEE 802.1D-2004 section 7.8.
   */
  learn(key: number, macLo: number, port: number, nowSeconds: number, row: number): number {
    const { rows } = this.macs;
    if (row !== NO_ROW) {
      if (rows[row + MacColumn.seen] === SEEN_ALWAYS) return Learned.staticElsewhere;
      rows[row + MacColumn.port] = port;
      rows[row + MacColumn.seen] = nowSeconds;
      return Learned.moved;
    }
    const bridge = key >> 16;
    if (this.macCount[bridge]! >= this.macLimit[bridge]! || this.macs.isFull) return Learned.limit;
    this.macs.add(key, macLo, port, nowSeconds);
    this.macCount[bridge]!++;
    if (this.#learnedCount++ === 0) this.#nextSweepNs = this.#clock.nowNs + SWEEP_NS;
    return Learned.added;
  }

  nextDeadlineNs(): number {
    return this.#nextSweepNs;
  }

  /** Removes entries that have aged out. IEEE 802.1D-2004 section 7.9.2. */
  advance(nowNs: number): void {
    if (nowNs < this.#nextSweepNs) return;
    const nowSeconds = Math.floor(nowNs / NS_PER_S);
    this.#forget((at) => {
      const { rows } = this.macs;
      return nowSeconds - rows[at + MacColumn.seen]! >= this.ageingSeconds[rows[at]! >> 16]!;
    }, false);
    this.#nextSweepNs = this.#learnedCount === 0 ? Infinity : nowNs + SWEEP_NS;
  }

  /** Removes the entries for which `condition` holds; static ones only `withStatic`. */
  #forget(condition: (at: number) => boolean, withStatic: boolean): void {
    this.macs.removeWhere((at) => {
      if (!withStatic && this.macs.rows[at + MacColumn.seen] === SEEN_ALWAYS) return false;
      if (!condition(at)) return false;
      this.#noteRemoval(at);
      return true;
    });
  }

  #noteRemoval(at: number): void {
    const { rows } = this.macs;
    if (rows[at + MacColumn.seen] === SEEN_ALWAYS) return;
    this.macCount[rows[at]! >> 16]!--;
    this.#learnedCount--;
  }

  #grow(): void {
    this.ageingSeconds = doubled(this.ageingSeconds);
    this.macLimit = doubled(this.macLimit);
    this.macCount = doubled(this.macCount);
  }
}

function doubled(column: Int32Array): Int32Array {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}
