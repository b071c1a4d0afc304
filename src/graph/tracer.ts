/**
 * Records the way of single packets through the graph, node by node. Packets are marked at input while marks are left;
 * the dispatcher tests one flag per frame and looks at the marks only while it is set.
 */
import type { PacketPool } from '../mem/packet-pool.js';
import type { Frame } from './frame.js';

/** Bytes of the packet's beginning that are kept at each step. */
const SNAPSHOT_BYTES = 64;
const MAX_STEPS = 64;

export interface TraceStep {
  readonly node: string;
  readonly rxInterface: number;
  readonly txInterface: number;
  readonly totalLength: number;
  /** The packet's first bytes when it entered the node, from its head on. */
  readonly bytes: Uint8Array;
}

export interface TraceRecord {
  readonly id: number;
  readonly steps: TraceStep[];
}

export class Tracer {
  /** True while traced packets may be about. Read by: the dispatcher, once per frame. */
  isActive = false;
  readonly records: TraceRecord[] = [];
  readonly #pool: PacketPool;
  #marksLeft = 0;
  /** Marks are numbered through all traces, so that a packet left from an earlier one is not taken for a new one. */
  #lastMark = 0;
  #marksBefore = 0;

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  /** Traces the next `packets` packets that come in. Earlier records are thrown away. */
  start(packets: number): void {
    this.records.length = 0;
    this.#marksBefore = this.#lastMark;
    this.#marksLeft = packets;
    this.isActive = packets > 0;
  }

  stop(): void {
    this.#marksLeft = 0;
    this.isActive = false;
  }

  /** Called by the dispatcher for each frame while the tracer is active. */
  record(node: string, frame: Frame): void {
    const pool = this.#pool;
    for (let i = 0; i < frame.count; i++) {
      const slot = frame.slots[i]!;
      if (pool.trace[slot] === 0) {
        if (this.#marksLeft === 0) continue;
        this.#marksLeft--;
        this.records.push({ id: this.records.length + 1, steps: [] });
        pool.trace[slot] = ++this.#lastMark;
      }
      const steps = this.records[pool.trace[slot]! - this.#marksBefore - 1]?.steps;
      if (steps === undefined || steps.length === MAX_STEPS) continue;
      const head = pool.head[slot]!;
      steps.push({
        node,
        rxInterface: pool.rxInterface[slot]!,
        txInterface: pool.txInterface[slot]!,
        totalLength: pool.totalLength[slot]!,
        bytes: pool.bytes.slice(head, head + Math.min(SNAPSHOT_BYTES, pool.length[slot]!)),
      });
    }
  }
}
