/**
 * What all parts of TCP share: tables, queues, timers, clock. No rule of the protocol stands here; the files by concern
 * are functions over (tcp, connection).
 */
import type { Random } from '../../base/random.js';
import { type Clock, NS_PER_MS, NS_PER_US } from '../../base/time.js';
import { TimingWheel } from '../../base/timing-wheel.js';
import { FLOW_KEY_WORDS, FlowTable, setFlowKey } from '../../flow/flow-table.js';
import type { Arena } from '../../mem/arena.js';
import { FifoTable } from '../../mem/fifo.js';
import type { PacketPool } from '../../mem/packet-pool.js';
import type { RegionHeap } from '../../mem/region-heap.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { TCP_MAX_SACK_BLOCKS } from '../../wire/tcp-options.js';
import type { TransportEvents } from '../events.js';
import type { TransportRoutes } from '../routes.js';
import { makeSipHash, type SipHash } from '../siphash.js';
import { EventQueue } from './event-queue.js';
import { ListenerTable } from './listener-table.js';
import type { SendPlan } from './next-segment.js';
import { OutputQueue } from './output-queue.js';
import { makeSegment, type Segment } from './segment.js';
import { SeqRanges } from './seq-ranges.js';
import { DEFAULT_TCP_CONFIG, type TcpConfig } from './tcp-config.js';
import { TCP_COUNTERS, TCP_OUTPUT_COUNTERS } from './tcp-counters.js';
import { TCP_TIMER_BITS } from './tcp-state.js';
import { TcpTable } from './tcp-table.js';

/** RFC 6056 section 3.3.4: the more, the less two destinations share. */
export const PORT_COUNTERS = 1_024;
const MAX_STACKS = 65_536;
const MAX_INTERFACES = 65_536;

export interface TcpOptions {
  readonly arena: Arena;
  readonly pool: PacketPool;
  /** Memory of the FIFOs and of the flow table. */
  readonly heap: RegionHeap;
  readonly clock: Clock;
  /** Keys, sequence numbers and ports come from it. */
  readonly random: Random;
  readonly routes: TransportRoutes;
  readonly config?: Partial<TcpConfig>;
}

export class TcpCore {
  readonly config: TcpConfig;
  readonly pool: PacketPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly routes: TransportRoutes;
  readonly table: TcpTable;
  readonly listeners: ListenerTable;
  /** FIFOs of connection c: receive 2c, send 2c + 1. */
  readonly fifos: FifoTable;
  /** Connections by the whole flow, listeners by local address and port: see {@link listenerValue}. */
  readonly flows: FlowTable;
  /** What has arrived out of order. */
  readonly reassembly: SeqRanges;
  /** What the peer has acknowledged selectively. */
  readonly scoreboard: SeqRanges;
  readonly wheel: TimingWheel;
  readonly output: OutputQueue;
  readonly eventQueue: EventQueue;
  readonly sip: SipHash;
  /** Session namespace of each stack. */
  readonly namespaceOfStack: Int32Array;
  readonly key = new Int32Array(FLOW_KEY_WORDS);
  readonly segment: Segment = makeSegment();
  readonly plan: SendPlan = { seq: 0, length: 0, isRescue: false };
  /** What is being hashed. */
  readonly hashWords = new Int32Array(16);
  readonly sackEdges = new Int32Array(2 * TCP_MAX_SACK_BLOCKS);
  /** Connections in TIME-WAIT, oldest first: links are `next` and `previous` of the table. */
  timeWaitHead = -1;
  timeWaitTail = -1;
  events!: TransportEvents;
  /** Highest sequence number of a connection in TIME-WAIT that makes room for the next one; taken by whoever makes that. */
  issFloor = 0;
  hasIssFloor = false;
  /** Connection of the last segment; it may have ended since. */
  lastConnection = 0;
  /** When a SYN cookie was sent last. */
  lastCookieMs = -Infinity;
  /** Counters of the node tcp4-input. Written by: functions that it calls. */
  counters: Uint32Array = new Uint32Array(TCP_COUNTERS.length);
  /** Counters of the node tcp4-output. Written by: functions that it calls. */
  outputCounters: Uint32Array = new Uint32Array(TCP_OUTPUT_COUNTERS.length);
  /** Counters of RFC 6056 section 3.3.4. */
  readonly portCounters = new Int32Array(PORT_COUNTERS);
  /** Number of the pass, and what each interface still takes in it. */
  #pass = 0;
  readonly #spacePass = new Int32Array(MAX_INTERFACES);
  readonly #space = new Int32Array(MAX_INTERFACES);

  constructor(options: TcpOptions) {
    const { arena, heap, random } = options;
    this.config = { ...DEFAULT_TCP_CONFIG, ...options.config };
    const connections = this.config.maxConnections;
    this.pool = options.pool;
    this.clock = options.clock;
    this.random = random;
    this.routes = options.routes;
    this.table = new TcpTable(arena, connections);
    this.listeners = new ListenerTable(arena, this.config.maxListeners);
    this.fifos = new FifoTable(arena, heap, connections * 2);
    this.flows = new FlowTable(arena, heap, random.uint32());
    this.reassembly = new SeqRanges(arena, heap, connections);
    this.scoreboard = new SeqRanges(arena, heap, connections);
    this.wheel = new TimingWheel(connections << TCP_TIMER_BITS, this.nowMs());
    this.output = new OutputQueue(this.table);
    this.eventQueue = new EventQueue(arena, this.table);
    this.sip = makeSipHash(random);
    this.namespaceOfStack = arena.int32(MAX_STACKS);
    for (let stack = 0; stack < MAX_STACKS; stack++) this.namespaceOfStack[stack] = stack;
  }

  /** Whole milliseconds; not wrapped. */
  nowMs(): number {
    return Math.floor(this.clock.nowNs / NS_PER_MS);
  }

  /** Milliseconds modulo 2^32, signed: only differences mean something. */
  clockMs(): number {
    return Math.floor(this.clock.nowNs / NS_PER_MS) | 0;
  }

  /** Microseconds modulo 2^32: only differences mean something. */
  nowUs(): number {
    return Math.floor(this.clock.nowNs / NS_PER_US) | 0;
  }

  /** Sets a flag and puts the connection into the output queue. */
  requestOutput(connection: number, flag: number): void {
    this.table.flags[connection]! |= flag;
    this.output.push(connection);
  }

  startTimer(connection: number, kind: number, delayMs: number): void {
    this.wheel.start((connection << TCP_TIMER_BITS) | kind, delayMs, this.clock.nowNs / NS_PER_MS);
  }

  stopTimer(connection: number, kind: number): void {
    this.wheel.stop((connection << TCP_TIMER_BITS) | kind);
  }

  /** When the timer expires, in milliseconds; Infinity when it is not running. */
  deadlineMs(connection: number, kind: number): number {
    return this.wheel.deadlineMs((connection << TCP_TIMER_BITS) | kind);
  }

  isTimerRunning(connection: number, kind: number): boolean {
    return this.wheel.isRunning((connection << TCP_TIMER_BITS) | kind);
  }

  /** A pass of the output node begins: parked connections may try again. */
  beginPass(): void {
    this.#pass++;
    this.output.unpark();
  }

  /**
   * Counts one packet against what the interface takes in this pass; false when it takes no more. Packets without a route (interface
   * 0) may always go: the network layer says what is wrong with them.
   */
  claimSpace(interfaceIndex: number): boolean {
    if (interfaceIndex === 0) return true;
    if (this.#spacePass[interfaceIndex] !== this.#pass) {
      this.#spacePass[interfaceIndex] = this.#pass;
      this.#space[interfaceIndex] = Math.min(this.routes.txSpace(interfaceIndex), 0x7fff_ffff);
    }
    if (this.#space[interfaceIndex]! <= 0) return false;
    this.#space[interfaceIndex]!--;
    return true;
  }

  /** Writes the flow of a connection into `key`. */
  setKeyOf(connection: number): void {
    const table = this.table;
    setFlowKey(
      this.key,
      table.namespace[connection]!,
      IpProtocol.tcp,
      table.local0[connection]!,
      table.local1[connection]!,
      table.local2[connection]!,
      table.local3[connection]!,
      table.remote0[connection]!,
      table.remote1[connection]!,
      table.remote2[connection]!,
      table.remote3[connection]!,
      table.ports[connection]!,
    );
  }
}

/** Listeners stand in the flow table as numbers below −1: −1 is NO_FLOW. The same function leads back. */
export function listenerValue(listener: number): number {
  return -2 - listener;
}
