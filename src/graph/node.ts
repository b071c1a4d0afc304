/** What a node of the packet graph declares, and what it is given. */
import type { Clock } from '../base/time.js';
import type { Arena } from '../mem/arena.js';
import type { PacketPool } from '../mem/packet-pool.js';
import type { Frame } from './frame.js';

/** Written into `next` for a packet that the node keeps: it has become the owner of the slot. */
export const CONSUMED = 255;

/**
 * Handles a frame: for each i < frame.count it writes into `next[i]` the index (in its `nexts`) of the node that gets
 * `frame.slots[i]`, or CONSUMED. It may exchange slots in place.
 * An input node is called once a pass with an empty frame and fills it: slots, count and next.
 */
export type NodeRun = (frame: Frame, next: Uint8Array) => void;

/** What every node is given when it is made. Tables of a layer are added by that layer's own context type. */
export interface NodeContext {
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly clock: Clock;
  /**
   * Counts since the last commit, in the order of the declaration's `counters`. Written by: the node.
   * The dispatcher adds them up and clears them at least once a second.
   */
  readonly counters: Uint32Array;
  /** Sends a packet that was not in the frame (a fragment, a copy, a reply) to the next of that index. */
  readonly emit: (slot: number, next: number) => void;
  /**
   * For the start node and the features of an arc, by interface: the index in `nexts` of what follows on that
   * interface. Empty for other nodes.
   */
  readonly featureNext: Uint8Array;
}

export interface NodeSpec<Context extends NodeContext = NodeContext> {
  /** The same string as the file's name, the counters' prefix and the name in traces. */
  readonly name: string;
  readonly kind?: 'input' | 'internal';
  /** Names of the nodes that packets may go to. Those of the node's arc are added behind them. */
  readonly nexts: readonly string[];
  readonly counters: readonly string[];
  /** The arc that begins at this node. */
  readonly arcStart?: string;
  /** The arc that this node is a feature of, and its place there. */
  readonly arcFeature?: {
    readonly arc: string;
    readonly after?: readonly string[];
    readonly before?: readonly string[];
  };
  readonly make: (context: Context) => NodeRun;
}
