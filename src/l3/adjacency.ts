/**
 * Adjacencies: what a route lookup results in. A row holds all that ip4-rewrite needs to send a packet to one next
 * hop; rows of other kinds say what else is to be done with it.
 *
 *   kind         row of                 the packet goes to
 *   rewrite      one next hop           ip4-rewrite: the link header is known
 *   incomplete   one next hop           ip4-arp: the link address is unknown, or has to be confirmed
 *   glean        one Ethernet subnet    ip4-arp: finds or makes the row of the packet's own destination
 *   local        all                    ip4-local (locally made packets: through the stack's loopback interface)
 *   broadcast    one interface, or all  ip4-multicast
 *   multicast    all                    ip4-multicast
 *   none, unreachable, prohibit, blackhole, reserved     ip4-null: counted, answered with an ICMP error or not
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import type { InterfaceTable } from '../drivers/interface-table.js';
import { InterfaceFlag } from '../drivers/interface-table.js';
import type { Arena } from '../mem/arena.js';
import { IPV4_LIMITED_BROADCAST } from '../wire/address.js';
import { ETHERNET_HEADER_BYTES, MAC_BROADCAST_HI, MAC_BROADCAST_LO } from '../wire/ethernet.js';

/** The kind is the index in ip4-lookup's `nexts`. Those up to `lastTransit` forward a packet to another machine. */
export const AdjacencyKind = {
  rewrite: 0,
  incomplete: 1,
  glean: 2,
  none: 3,
  unreachable: 4,
  prohibit: 5,
  blackhole: 6,
  lastTransit: 6,
  reserved: 7,
  local: 8,
  broadcast: 9,
  multicast: 10,
} as const;

export const ADJACENCY_KIND_NAMES = [
  'rewrite',
  'incomplete',
  'glean',
  'none',
  'unreachable',
  'prohibit',
  'blackhole',
  'reserved',
  'local',
  'broadcast',
  'multicast',
] as const;

/** Rows that exist once for all stacks. Row 0 is what a lookup without result gives. */
export const Adjacency = {
  none: 0,
  unreachable: 1,
  prohibit: 2,
  blackhole: 3,
  /** 240.0.0.0/4. */
  reserved: 4,
  local: 5,
  limitedBroadcast: 6,
  multicast: 7,
} as const;

const SHARED_KINDS = [
  AdjacencyKind.none,
  AdjacencyKind.unreachable,
  AdjacencyKind.prohibit,
  AdjacencyKind.blackhole,
  AdjacencyKind.reserved,
  AdjacencyKind.local,
  AdjacencyKind.broadcast,
  AdjacencyKind.multicast,
];

/** Classes D and E: none of these addresses is in the FIB. RFC 1112 section 4. */
export const FIRST_GROUP_ADDRESS = 0xe0000000;
const FIRST_RESERVED_ADDRESS = 0xf0000000;

/** The row for an address of 224.0.0.0/3. */
export function groupAdjacency(destination: number): number {
  if (destination < FIRST_RESERVED_ADDRESS) return Adjacency.multicast;
  return destination === IPV4_LIMITED_BROADCAST ? Adjacency.limitedBroadcast : Adjacency.reserved;
}

/** A FIB entry has 24 bits for the row. */
const MAX_ADJACENCIES = 1 << 24;

export class AdjacencyTable {
  readonly capacity: number;

  // Columns. Written by: control operations and the neighbor machine. Read by: nodes.
  /** One of {@link AdjacencyKind}. */
  readonly kind: Int32Array;
  /** Egress interface; 0 for the shared rows. */
  readonly interface: Int32Array;
  /** Most bytes of an IP packet on that interface. */
  readonly mtu: Int32Array;
  /** Bytes of the link header: 14, or 0 where packets begin with the IP header. */
  readonly headerBytes: Int32Array;
  /** The first 12 bytes of the Ethernet header as big-endian words: destination and source address. */
  readonly rewrite0: Int32Array;
  readonly rewrite1: Int32Array;
  readonly rewrite2: Int32Array;
  /** Next hop as four words, IPv4 mapped (::ffff:a.b.c.d). */
  readonly address0: Int32Array;
  readonly address1: Int32Array;
  readonly address2: Int32Array;
  readonly address3: Int32Array;
  /** Routes that lead here, and others that must find the row again. */
  readonly references: Int32Array;

  readonly #interfaces: InterfaceTable;
  readonly #free: number[] = [];
  /** Freed since the last reclaim: packets on their way through the graph may still carry these numbers. */
  readonly #retired: number[] = [];
  #end = SHARED_KINDS.length;

  constructor(arena: Arena, interfaces: InterfaceTable, capacity: number) {
    assert(capacity > SHARED_KINDS.length && capacity <= MAX_ADJACENCIES, `${capacity} adjacencies`);
    this.capacity = capacity;
    this.#interfaces = interfaces;
    this.kind = arena.int32(capacity);
    this.interface = arena.int32(capacity);
    this.mtu = arena.int32(capacity);
    this.headerBytes = arena.int32(capacity);
    this.rewrite0 = arena.int32(capacity);
    this.rewrite1 = arena.int32(capacity);
    this.rewrite2 = arena.int32(capacity);
    this.address0 = arena.int32(capacity);
    this.address1 = arena.int32(capacity);
    this.address2 = arena.int32(capacity);
    this.address3 = arena.int32(capacity);
    this.references = arena.int32(capacity);
    SHARED_KINDS.forEach((kind, row) => {
      this.kind[row] = kind;
    });
  }

  /** Rows in use, the shared ones included. */
  get count(): number {
    return this.#end - this.#free.length - this.#retired.length;
  }

  /** One more than the highest row that was ever in use. */
  get end(): number {
    return this.#end;
  }

  get isFull(): boolean {
    return this.#end === this.capacity && this.#free.length === 0;
  }

  /** Adds a row for an interface. Throws USERNET_ADJACENCY_LIMIT. */
  add(kind: number, interfaceIndex: number, nextHop: number): number {
    const row = this.#free.pop() ?? this.#end;
    if (row === this.capacity) {
      throw new UsernetError('USERNET_ADJACENCY_LIMIT', `there are ${this.capacity} adjacencies already`);
    }
    if (row === this.#end) this.#end++;
    this.interface[row] = interfaceIndex;
    this.address0[row] = 0;
    this.address1[row] = 0;
    this.address2[row] = 0xffff;
    this.address3[row] = nextHop;
    this.references[row] = 0;
    this.kind[row] = kind;
    this.refresh(row);
    this.setLinkAddress(row, MAC_BROADCAST_HI, MAC_BROADCAST_LO);
    return row;
  }

  /** Frees a row. Its columns stay as they are for packets that carry its number now, until the next reclaim. */
  remove(row: number): void {
    this.kind[row] = AdjacencyKind.reserved;
    this.#retired.push(row);
  }

  /** Makes removed rows available again: to be called when no packet is on its way. */
  reclaim(): void {
    while (this.#retired.length > 0) this.#free.push(this.#retired.pop()!);
  }

  /** Next hop as an unsigned IPv4 address. */
  nextHop(row: number): number {
    return this.address3[row]! >>> 0;
  }

  /** Takes over the interface's MTU and link type. */
  refresh(row: number): void {
    const index = this.interface[row]!;
    this.mtu[row] = this.#interfaces.mtu[index]!;
    const isEthernet = (this.#interfaces.flags[index]! & InterfaceFlag.ethernet) !== 0;
    this.headerBytes[row] = isEthernet ? ETHERNET_HEADER_BYTES : 0;
  }

  /** Builds the link header: from the interface's address to (hi, lo). */
  setLinkAddress(row: number, hi: number, lo: number): void {
    const index = this.interface[row]!;
    this.rewrite0[row] = (hi << 16) | (lo >>> 16);
    this.rewrite1[row] = (lo << 16) | this.#interfaces.macHi[index]!;
    this.rewrite2[row] = this.#interfaces.macLo[index]!;
  }

  /** First 16 bits of the next hop's link address. */
  macHi(row: number): number {
    return this.rewrite0[row]! >>> 16;
  }

  /** Last 32 bits of the next hop's link address, unsigned. */
  macLo(row: number): number {
    return ((this.rewrite0[row]! << 16) | (this.rewrite1[row]! >>> 16)) >>> 0;
  }
}
