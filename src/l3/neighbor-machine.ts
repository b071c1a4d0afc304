/**
 * The state machine of neighbors on Ethernet, driven by packets, ARP messages and time. Read RFC 826 first, then
 * RFC 1122 section 2.3.2 (queue, flood prevention) and RFC 4861 section 7.3 (states; ARP uses the same here).
 *
 *          packet                    reply                    30 s                  packet
 *   idle ─────────► incomplete ───────────────► reachable ───────────► stale ───────────────► delay
 *                        │ 3 requests              ▲  ▲                                         │ 5 s
 *                        ▼                         │  └───────────── confirmed ─────────────────┤
 *                     failed ◄──── 3 requests ── probe ◄────────────────────────────────────────┘
 *
 * While the address is known the row's kind is `rewrite` and packets never come here; in `stale` it is `incomplete`,
 * so that the next packet is seen and starts the confirmation.
 */
import type { Random } from '../base/random.js';
import { randomFraction } from '../base/random.js';
import { type Clock, NS_PER_MS, type TimerSource } from '../base/time.js';
import { TimingWheel } from '../base/timing-wheel.js';
import type { InterfaceTable } from '../drivers/interface-table.js';
import type { Arena } from '../mem/arena.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { ARP_BYTES, ArpOperation, writeArp } from '../wire/arp.js';
import {
  ETHERNET_HEADER_BYTES,
  EtherType,
  MAC_BROADCAST_HI,
  MAC_BROADCAST_LO,
  writeEthernet,
} from '../wire/ethernet.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';
import type { AddressTable } from './address-table.js';
import { AdjacencyKind, type AdjacencyTable } from './adjacency.js';
import type { IcmpErrorColumn } from './icmp-error-column.js';
import { L3Target, type Send } from './l3-target.js';
import { NeighborState, NeighborTable, NO_NEIGHBOR } from './neighbor-table.js';
import { PacketQueues } from './packet-queues.js';
import type { StackTable } from './stack-table.js';
import { TokenBuckets } from './token-bucket.js';

/** RFC 4861 section 10: RETRANS_TIMER, MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT, REACHABLE_TIME, DELAY_FIRST_PROBE_TIME. */
const RETRANSMIT_MS = 1000;
const MAX_REQUESTS = 3;
const REACHABLE_MS = 30_000;
const DELAY_MS = 5000;
/** Rows that nothing leads to go when they have not been used for so long. RFC 1122 section 2.3.2.1. */
const STALE_MS = 600_000;
const FAILED_MS = 30_000;
/** ARP requests that packets can cause in a stack. */
const REQUESTS_PER_SECOND = 1000;
const REQUEST_BURST = 256;

export interface NeighborLimits {
  /** Neighbors of one interface. */
  readonly neighbors: number;
  /** Packets that wait for one neighbor. */
  readonly queuePackets: number;
  /** Packets that wait for all neighbors. */
  readonly totalQueuePackets: number;
}

/** What the machine works on. */
export interface NeighborParts {
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly interfaces: InterfaceTable;
  readonly adjacencies: AdjacencyTable;
  readonly addresses: AddressTable;
  readonly stacks: StackTable;
  readonly icmpErrors: IcmpErrorColumn;
}

export class NeighborMachine implements TimerSource {
  readonly table: NeighborTable;
  readonly queues: PacketQueues;
  /** ARP requests sent since the start. */
  requestsSent = 0;
  readonly #parts: NeighborParts;
  readonly #wheel: TimingWheel;
  readonly #requests: TokenBuckets;
  /** Where packets go that a timer sends. */
  readonly #send: Send;

  constructor(parts: NeighborParts, limits: NeighborLimits, send: Send) {
    const { arena, pool, adjacencies, interfaces, random, clock } = parts;
    this.#parts = parts;
    this.#send = send;
    this.table = new NeighborTable(arena, adjacencies, interfaces.maxInterfaces, limits.neighbors, random);
    this.queues = new PacketQueues(arena, pool, adjacencies.capacity, limits.queuePackets, limits.totalQueuePackets);
    this.#wheel = new TimingWheel(adjacencies.capacity, clock.nowNs / NS_PER_MS);
    this.#requests = new TokenBuckets(parts.stacks.maxStacks, REQUESTS_PER_SECOND, REQUEST_BURST);
  }

  nextDeadlineNs(): number {
    return this.#wheel.nextDeadlineMs() * NS_PER_MS;
  }

  advance(nowNs: number): void {
    this.#wheel.advance(nowNs / NS_PER_MS, this.#expire);
  }

  /** The neighbor's row, made if it is not there; NO_NEIGHBOR when the table is full of rows that have to stay. */
  obtain(interfaceIndex: number, address: number): number {
    const { table } = this;
    const found = table.find(interfaceIndex, address);
    if (found !== NO_NEIGHBOR) return found;
    if (!table.hasRoom(interfaceIndex)) {
      const victim = table.victim(interfaceIndex);
      if (victim === NO_NEIGHBOR) return NO_NEIGHBOR;
      table.evictions++;
      this.remove(victim);
      // The victim's row is free again only after this pass: packets on their way may still carry its number.
      if (!table.hasRoom(interfaceIndex)) return NO_NEIGHBOR;
    }
    return table.add(interfaceIndex, address);
  }

  /**
   * A packet goes to the neighbor `row`. True if it can be sent now; else the packet is the queue's, and a request goes
   * out by `send` if it is time for one.
   */
  admit(row: number, slot: number, send: Send): boolean {
    const state = this.table.state[row]!;
    if (state === NeighborState.stale) {
      this.#enter(row, NeighborState.delay, DELAY_MS);
      this.#parts.adjacencies.kind[row] = AdjacencyKind.rewrite;
      this.table.touch(row);
      return true;
    }
    if (this.#parts.adjacencies.kind[row] === AdjacencyKind.rewrite) return true;
    this.queues.push(row, slot);
    if (state !== NeighborState.incomplete) this.#resolve(row, send);
    return false;
  }

  /** The neighbor's address was confirmed: the reply to a request of ours. RFC 4861 section 7.2.5. */
  confirm(row: number, macHi: number, macLo: number, send: Send): void {
    if (this.table.state[row] === NeighborState.permanent) return;
    this.#parts.adjacencies.setLinkAddress(row, macHi, macLo);
    this.#becomeReachable(row);
    this.#flush(row, send);
  }

  /** The neighbor said its address unasked. It is used, but reachability is not confirmed. RFC 4861 section 7.2.3. */
  learn(row: number, macHi: number, macLo: number, send: Send): void {
    const { adjacencies } = this.#parts;
    const state = this.table.state[row]!;
    if (state === NeighborState.permanent) return;
    const isUnknown = state <= NeighborState.incomplete || state === NeighborState.failed;
    if (!isUnknown && adjacencies.macHi(row) === macHi && adjacencies.macLo(row) === macLo) return;
    adjacencies.setLinkAddress(row, macHi, macLo);
    adjacencies.kind[row] = AdjacencyKind.incomplete;
    this.#enter(row, NeighborState.stale, STALE_MS);
    if (this.queues.count(row) === 0) return;
    // The packets that waited are the first use: confirmation begins.
    adjacencies.kind[row] = AdjacencyKind.rewrite;
    this.#enter(row, NeighborState.delay, DELAY_MS);
    this.#flush(row, send);
  }

  /** A transport has seen progress with the neighbor. RFC 4861 section 7.3.1. */
  confirmReachable(row: number): void {
    const state = this.table.state[row]!;
    if (state === NeighborState.reachable) this.table.confirmedNs[row] = this.#parts.clock.nowNs;
    else if (state >= NeighborState.stale && state <= NeighborState.probe) this.#becomeReachable(row);
  }

  /** Sets an address by hand; it stays until it is removed. */
  setPermanent(row: number, macHi: number, macLo: number): void {
    this.#parts.adjacencies.setLinkAddress(row, macHi, macLo);
    this.#parts.adjacencies.kind[row] = AdjacencyKind.rewrite;
    this.#wheel.stop(row);
    this.table.state[row] = NeighborState.permanent;
    this.#flush(row, this.#send);
  }

  /** Sets the link address of a multicast group. */
  setGroup(row: number, macHi: number, macLo: number): void {
    if (this.table.state[row] !== NeighborState.group) this.setPermanent(row, macHi, macLo);
    this.table.state[row] = NeighborState.group;
  }

  /** Forgets what is known; the row itself stays only while routes lead to it. Packets that waited are dropped. */
  remove(row: number): void {
    const { adjacencies, stacks, interfaces } = this.#parts;
    this.#wheel.stop(row);
    this.queues.clear(row);
    stacks.rib(interfaces.vrf[adjacencies.interface[row]!]!).removeHost(adjacencies.nextHop(row), row);
    adjacencies.kind[row] = AdjacencyKind.incomplete;
    this.table.state[row] = NeighborState.idle;
    if (adjacencies.references[row] === 0) this.table.remove(row);
  }

  /** A route leads to the row from now on. */
  retain(row: number): void {
    this.#parts.adjacencies.references[row]!++;
  }

  /** A route no longer leads to the row. */
  release(row: number): void {
    const left = --this.#parts.adjacencies.references[row]!;
    const state = this.table.state[row]!;
    if (left === 0 && (state === NeighborState.idle || state === NeighborState.failed)) this.remove(row);
  }

  /** Sends an announcement of an own address. RFC 5227 section 2.3. */
  announce(interfaceIndex: number, address: number, send: Send): void {
    this.#sendRequest(interfaceIndex, address, address, MAC_BROADCAST_HI, MAC_BROADCAST_LO, send);
  }

  #becomeReachable(row: number): void {
    this.#parts.adjacencies.kind[row] = AdjacencyKind.rewrite;
    this.table.confirmedNs[row] = this.#parts.clock.nowNs;
    // RFC 4861 section 6.3.2: uniformly between 0.5 and 1.5 times the base.
    this.#enter(row, NeighborState.reachable, REACHABLE_MS * (0.5 + randomFraction(this.#parts.random)));
  }

  #enter(row: number, state: number, timeoutMs: number): void {
    this.table.state[row] = state;
    this.table.retries[row] = 0;
    this.#wheel.start(row, timeoutMs, this.#parts.clock.nowNs / NS_PER_MS);
  }

  /** Begins to ask for the address. */
  #resolve(row: number, send: Send): void {
    this.#enter(row, NeighborState.incomplete, RETRANSMIT_MS);
    this.table.touch(row);
    const stack = this.#parts.interfaces.stack[this.#parts.adjacencies.interface[row]!]!;
    if (this.#requests.take(stack, this.#parts.clock.nowNs)) this.#request(row, send);
  }

  readonly #expire = (row: number): void => {
    switch (this.table.state[row]) {
      case NeighborState.incomplete:
      case NeighborState.probe:
        this.#retry(row);
        break;
      case NeighborState.reachable:
        this.#endReachable(row);
        break;
      case NeighborState.delay:
        this.#enter(row, NeighborState.probe, RETRANSMIT_MS);
        this.#request(row, this.#send);
        break;
      default:
        if (this.#parts.adjacencies.references[row] === 0) this.remove(row);
    }
  };

  #retry(row: number): void {
    if (this.table.retries[row]! >= MAX_REQUESTS) {
      this.#fail(row);
      return;
    }
    this.#wheel.start(row, RETRANSMIT_MS, this.#parts.clock.nowNs / NS_PER_MS);
    this.#request(row, this.#send);
  }

  #endReachable(row: number): void {
    const { clock, adjacencies } = this.#parts;
    const leftMs = REACHABLE_MS - (clock.nowNs - this.table.confirmedNs[row]!) / NS_PER_MS;
    if (leftMs >= RETRANSMIT_MS) {
      this.#wheel.start(row, leftMs, clock.nowNs / NS_PER_MS);
      return;
    }
    adjacencies.kind[row] = AdjacencyKind.incomplete;
    this.#enter(row, NeighborState.stale, STALE_MS);
  }

  /** Nobody answered: what waited is answered with "host unreachable". RFC 1812 section 4.3.3.1. */
  #fail(row: number): void {
    const { adjacencies, icmpErrors } = this.#parts;
    adjacencies.kind[row] = AdjacencyKind.incomplete;
    this.#enter(row, NeighborState.failed, FAILED_MS);
    for (let slot = this.queues.shift(row); slot !== NO_SLOT; slot = this.queues.shift(row)) {
      icmpErrors.set(slot, Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.host);
      this.#send(slot, L3Target.icmpError);
    }
  }

  /** Sends what waited. */
  #flush(row: number, send: Send): void {
    for (let slot = this.queues.shift(row); slot !== NO_SLOT; slot = this.queues.shift(row)) {
      this.#parts.pool.adjacency[slot] = row;
      send(slot, L3Target.rewrite);
    }
  }

  /** A request to everybody, or to the address known so far while it is probed. RFC 1122 section 2.3.2.1 (2). */
  #request(row: number, send: Send): void {
    const { adjacencies, addresses } = this.#parts;
    this.table.retries[row]!++;
    const interfaceIndex = adjacencies.interface[row]!;
    const target = adjacencies.nextHop(row);
    const isProbe = this.table.state[row] === NeighborState.probe;
    const macHi = isProbe ? adjacencies.macHi(row) : MAC_BROADCAST_HI;
    const macLo = isProbe ? adjacencies.macLo(row) : MAC_BROADCAST_LO;
    this.#sendRequest(interfaceIndex, addresses.sourceFor(interfaceIndex, target), target, macHi, macLo, send);
  }

  #sendRequest(interfaceIndex: number, source: number, target: number, macHi: number, macLo: number, send: Send): void {
    const { pool, interfaces } = this.#parts;
    const slot = pool.take();
    if (slot === NO_SLOT) return;
    const at = pool.head[slot]!;
    const ownHi = interfaces.macHi[interfaceIndex]!;
    const ownLo = interfaces.macLo[interfaceIndex]!;
    writeEthernet(pool.view, at, macHi, macLo, ownHi, ownLo, EtherType.arp);
    writeArp(pool.view, at + ETHERNET_HEADER_BYTES, ArpOperation.request, ownHi, ownLo, source, 0, 0, target);
    pool.length[slot] = ETHERNET_HEADER_BYTES + ARP_BYTES;
    pool.totalLength[slot] = ETHERNET_HEADER_BYTES + ARP_BYTES;
    pool.network[slot] = at + ETHERNET_HEADER_BYTES;
    pool.txInterface[slot] = interfaceIndex;
    pool.stack[slot] = interfaces.stack[interfaceIndex]!;
    pool.vrf[slot] = interfaces.vrf[interfaceIndex]!;
    pool.flags[slot] = PacketFlag.control;
    this.requestsSent++;
    send(slot, L3Target.interfaceOutput);
  }
}
