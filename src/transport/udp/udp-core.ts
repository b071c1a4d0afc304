/**
 * What all parts of UDP share: tables, queues, clock. The rules stand in the files by concern, as functions over
 * (core, socket).
 */
import type { Random } from '../../base/random.js';
import type { Clock } from '../../base/time.js';
import type { Arena } from '../../mem/arena.js';
import type { PacketPool } from '../../mem/packet-pool.js';
import type { RegionHeap } from '../../mem/region-heap.js';
import type { AddressWords, UdpEvents } from './udp.js';
import { UdpBindings } from './udp-bindings.js';
import { DEFAULT_UDP_CONFIG, type UdpConfig } from './udp-config.js';
import { UdpEventQueue } from './udp-event-queue.js';
import { UdpMemberships } from './udp-memberships.js';
import { type UdpDeparture, UdpOutput } from './udp-output.js';
import { UdpReceiveQueue } from './udp-receive-queue.js';
import type { UdpRoutes } from './udp-routes.js';
import { UdpTable } from './udp-table.js';

export interface UdpOptions {
  readonly arena: Arena;
  readonly pool: PacketPool;
  /** Memory of the receive queues and of the flow table. */
  readonly heap: RegionHeap;
  readonly clock: Clock;
  /** Ports and the flow table's seed come from it. */
  readonly random: Random;
  readonly routes: UdpRoutes;
  readonly config?: Partial<UdpConfig>;
}

export class UdpCore {
  readonly config: UdpConfig;
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly routes: UdpRoutes;
  readonly table: UdpTable;
  readonly bindings: UdpBindings;
  readonly queue: UdpReceiveQueue;
  readonly output: UdpOutput;
  readonly memberships: UdpMemberships;
  readonly eventQueue: UdpEventQueue;
  readonly departure: UdpDeparture = {
    socket: 0,
    stack: 0,
    source: 0,
    sourcePort: 0,
    destination: 0,
    destinationPort: 0,
    trafficClass: 0,
    timeToLive: 0,
    identification: 0,
  };
  /** Packets that the datagrams in `output` will be on the link, fragments counted. */
  outputPackets = 0;
  /** Sockets to be told when there is room. */
  blocked: number[] = [];
  /** When to look for room again; Infinity while nobody waits. */
  retryNs = Infinity;
  events!: UdpEvents;
  wake: () => void = () => {};

  constructor(options: UdpOptions) {
    const { arena, heap, pool, random } = options;
    this.config = { ...DEFAULT_UDP_CONFIG, ...options.config };
    this.pool = pool;
    this.clock = options.clock;
    this.random = random;
    this.routes = options.routes;
    this.table = new UdpTable(arena, this.config.maxSockets);
    this.bindings = new UdpBindings(arena, heap, this.table, random.uint32());
    this.queue = new UdpReceiveQueue(arena, heap, pool, this.config.maxSockets);
    this.output = new UdpOutput(pool, this.config.outputPackets);
    this.memberships = new UdpMemberships(this.routes);
    this.eventQueue = new UdpEventQueue(this.table);
  }
}

const MAPPED_PREFIX = 0xffff;

/** The IPv4 address in four words: 0 for any address, IPv6's too; undefined for other IPv6 addresses. */
export function ipv4OfWords(words: AddressWords): number | undefined {
  if (words[0] !== 0 || words[1] !== 0) return undefined;
  if (words[2] === MAPPED_PREFIX) return words[3]! >>> 0;
  return words[2] === 0 && words[3] === 0 ? 0 : undefined;
}

/** ::ffff:a.b.c.d, or `::` for 0. */
export function wordsOfIpv4(address: number): Int32Array {
  return address === 0 ? new Int32Array(4) : Int32Array.of(0, 0, MAPPED_PREFIX, address);
}
