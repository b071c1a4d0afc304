/**
 * TCP of one worker: the operations that the session layer and the engine use. All of them are synchronous and never throw for a peer's
 * doings. tcp-transport.ts implements them.
 */
import type { FifoTable } from '../../mem/fifo.js';
import type { ErrnoName, TransportEvents } from '../events.js';

/** A 128-bit address as four int32 words; IPv4 as ::ffff:a.b.c.d, the wildcard as four zeros. */
export type AddressWords = readonly [number, number, number, number] | Int32Array;

export interface ListenOptions {
  /** Bound of the SYN queue and of the accept queue, each. */
  readonly backlog: number;
  /** A number of the session layer's own, kept in `listeners.context`. */
  readonly context?: number;
}

export interface ConnectOptions {
  /** Row of the session namespace. */
  readonly namespace: number;
  /** Row of the stack whose routes and addresses are used. */
  readonly stack: number;
  readonly remote: AddressWords;
  readonly remotePort: number;
  /** Default: chosen by route. */
  readonly local?: AddressWords;
  /** Default (or 0): an ephemeral port. */
  readonly localPort?: number;
  readonly context?: number;
}

/** Options of a connection that can be set at any time. */
export const TcpSetting = {
  /** 0 or 1: send small segments at once (Nagle's algorithm off). */
  noDelay: 0,
  /** Idle time in milliseconds before keepalive probes are sent; 0 turns them off. */
  keepAliveMs: 1,
  /** Milliseconds between two probes. */
  keepAliveIntervalMs: 2,
  /** Probes without an answer after which the connection fails with ETIMEDOUT. */
  keepAliveProbes: 3,
  /** Most bytes in the send FIFO; turns automatic growth off. */
  sendBufferBytes: 4,
  /** Most bytes in the receive FIFO; turns automatic growth off. */
  receiveBufferBytes: 5,
  /** Milliseconds for which data may stay unacknowledged before the connection fails with ETIMEDOUT; 0: the default. RFC 5482. */
  userTimeoutMs: 6,
  /** DSCP and ECN byte of the packets sent. */
  trafficClass: 7,
  /** Time to live of the packets sent. */
  timeToLive: 8,
} as const;

export interface TcpInfo {
  readonly state: string;
  readonly localAddress: readonly [number, number, number, number];
  readonly localPort: number;
  readonly remoteAddress: readonly [number, number, number, number];
  readonly remotePort: number;
  readonly namespace: number;
  readonly stack: number;
  readonly bytesReceivedUnread: number;
  readonly bytesUnacknowledged: number;
  readonly bytesUnsent: number;
  readonly mss: number;
  readonly congestionWindowBytes: number;
  readonly slowStartThresholdBytes: number;
  readonly sendWindowBytes: number;
  readonly receiveWindowBytes: number;
  readonly smoothedRttMs: number;
  readonly retransmissionTimeoutMs: number;
  readonly retransmits: number;
}

export interface Tcp {
  /** Set by the session layer before the first packet. */
  events: TransportEvents;
  /** FIFOs of connection c: receive 2c, send 2c + 1. */
  readonly fifos: FifoTable;

  /** Returns a listener's index ≥ 0, or 'EADDRINUSE'. Zero address: any; port 0: an ephemeral one, or with `anyPort` every port. */
  listen(
    namespace: number,
    local: AddressWords,
    port: number,
    options: ListenOptions & { readonly anyPort?: boolean },
  ): number | ErrnoName;
  /** Half-open connections and those that wait to be accepted are reset. */
  unlisten(listener: number): void;
  listenerPort(listener: number): number;
  listenerContext(listener: number): number;

  /** Returns a connection's index ≥ 0, or why none was made: ENETUNREACH, EADDRNOTAVAIL, EADDRINUSE, ENOBUFS. */
  connect(options: ConnectOptions): number | ErrnoName;
  /** Decides a SYN that was deferred. */
  resumeSyn(connection: number, verdict: number): void;
  /** The application has taken the connection: its place in the accept queue is free. */
  accepted(connection: number): void;

  /** Bytes were added to the send FIFO. */
  send(connection: number): void;
  /** A write was short: `onWritable` comes when there is room. */
  wantWritable(connection: number): void;
  /** Bytes were taken from the receive FIFO: the window may open. */
  consumed(connection: number): void;
  /** FIN follows the data in the send FIFO; nothing more may be written. Reading goes on. */
  shutdown(connection: number): void;
  /** RST to the peer; what is in the FIFOs is thrown away. The index is let go. */
  abort(connection: number): void;
  /**
   * The application lets go of the connection. What is in the send FIFO is still delivered, followed by FIN; if there is
   * unread data the peer gets a RST instead (RFC 2525 section 2.17).
   */
  close(connection: number): void;

  /** @param setting one of {@link TcpSetting}. */
  set(connection: number, setting: number, value: number): void;
  info(connection: number): TcpInfo;
  /** Opaque number given by `connect`, or set by the session layer. */
  context(connection: number): number;
  setContext(connection: number, context: number): void;
  /** Listener that the connection came from, or −1. */
  listenerOf(connection: number): number;
  localPort(connection: number): number;
  remotePort(connection: number): number;
  /** Writes the four words of the address into `into`, from index `at` on. */
  localAddress(connection: number, into: Int32Array, at: number): void;
  remoteAddress(connection: number, into: Int32Array, at: number): void;
  stackOf(connection: number): number;

  /** Gives the events of the run to `events`. To be called by the engine after each pass of the graph. */
  flushEvents(): void;
  /** True while a pass of the graph would send something. */
  readonly hasOutput: boolean;
  /** Timers: TimerSource of the worker. */
  nextDeadlineNs(): number;
  advance(nowNs: number): void;

  /** Everything of a stack goes: its connections fail with ENETUNREACH, nothing is sent. */
  removeStack(stack: number): void;
  /** Resets all connections and forgets the listeners; all slots go back. */
  destroy(): void;
}
