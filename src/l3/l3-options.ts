import type { Random } from '../base/random.js';
import type { Clock } from '../base/time.js';
import type { InterfaceTable } from '../drivers/interface-table.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Arena } from '../mem/arena.js';
import type { PacketPool } from '../mem/packet-pool.js';

/** What L3 is given. */
export interface L3Parts {
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly interfaces: InterfaceTable;
  readonly kernels: Kernels;
  /** Called when there is something to send while the graph may be idle. */
  readonly wake?: () => void;
}

export interface L3Limits {
  readonly stacks: number;
  readonly vrfs: number;
  /** Next hops of all stacks: neighbors, and two for each interface. */
  readonly adjacencies: number;
  /** Neighbors of one interface. */
  readonly neighbors: number;
  /** Packets that wait for the link address of one neighbor. */
  readonly neighborQueuePackets: number;
  /** Entries of the path MTU table; a power of two. */
  readonly pathMtus: number;
  /** Datagrams that are put together at a time. */
  readonly reassemblies: number;
  /** Slots they may hold; by default an eighth of the pool. */
  readonly reassemblySlots?: number;
  /** ICMP errors that a stack sends a second, and at once. RFC 1812 section 4.3.2.8. */
  readonly icmpErrorsPerSecond: number;
  readonly icmpErrorBurst: number;
}

export const DEFAULT_L3_LIMITS: L3Limits = {
  stacks: 1024,
  vrfs: 2048,
  adjacencies: 65_536,
  neighbors: 1024,
  neighborQueuePackets: 64,
  pathMtus: 1024,
  reassemblies: 256,
  icmpErrorsPerSecond: 1000,
  icmpErrorBurst: 100,
};
