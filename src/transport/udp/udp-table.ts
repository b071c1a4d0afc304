/**
 * The sockets of a worker: a socket is an index, its state is int32 columns.
 * Written by: the worker's transport. Read by: the worker.
 */
import type { Arena } from '../../mem/arena.js';

export const NO_SOCKET = -1;
export const DEFAULT_TIME_TO_LIVE = 64;
/** RFC 1112 section 6.1: one, unless the application says otherwise. */
export const DEFAULT_MULTICAST_TIME_TO_LIVE = 1;

/** Bits of the `flags` column. */
export const SocketFlag = {
  open: 1,
  connected: 2,
  broadcast: 4,
  reuseport: 8,
  /** What it sends to a group comes back to members on this host. */
  multicastLoop: 16,
  /** A send found no room: to be told when there is. */
  blocked: 32,
} as const;

export class UdpTable {
  readonly capacity: number;
  /** Bits of SocketFlag. */
  readonly flags: Int32Array;
  readonly stack: Int32Array;
  /** Address as it was bound, IPv4; 0 for any. */
  readonly bound: Int32Array;
  /** The same, or the one chosen when it was connected. */
  readonly local: Int32Array;
  readonly localPort: Int32Array;
  readonly remote: Int32Array;
  /** 0 while it is not connected. */
  readonly remotePort: Int32Array;
  /** Traffic class << 16 | multicast time to live << 8 | time to live. */
  readonly ipFields: Int32Array;
  /** Datagrams dropped because the queue was full. */
  readonly drops: Int32Array;
  /** Interface it leaves by while it is blocked. */
  readonly egress: Int32Array;
  /** Bits of events that wait to be reported. */
  readonly pendingEvents: Int32Array;
  /** Error to report, as index in TRANSPORT_ERRORS + 1. */
  readonly error: Int32Array;
  /** Next socket bound to the same address and port, or NO_SOCKET. */
  readonly groupNext: Int32Array;
  readonly #free: number[] = [];
  #end = 0;

  constructor(arena: Arena, capacity: number) {
    this.capacity = capacity;
    this.flags = arena.int32(capacity);
    this.stack = arena.int32(capacity);
    this.bound = arena.int32(capacity);
    this.local = arena.int32(capacity);
    this.localPort = arena.int32(capacity);
    this.remote = arena.int32(capacity);
    this.remotePort = arena.int32(capacity);
    this.ipFields = arena.int32(capacity);
    this.drops = arena.int32(capacity);
    this.egress = arena.int32(capacity);
    this.pendingEvents = arena.int32(capacity);
    this.error = arena.int32(capacity);
    this.groupNext = arena.int32(capacity);
  }

  /** Takes a row with fresh columns, or NO_SOCKET when all are in use. */
  take(): number {
    const socket = this.#free.pop() ?? (this.#end < this.capacity ? this.#end++ : NO_SOCKET);
    if (socket === NO_SOCKET) return NO_SOCKET;
    this.flags[socket] = SocketFlag.open | SocketFlag.multicastLoop;
    this.remote[socket] = 0;
    this.remotePort[socket] = 0;
    this.ipFields[socket] = (DEFAULT_MULTICAST_TIME_TO_LIVE << 8) | DEFAULT_TIME_TO_LIVE;
    this.drops[socket] = 0;
    this.pendingEvents[socket] = 0;
    this.error[socket] = 0;
    this.groupNext[socket] = NO_SOCKET;
    return socket;
  }

  give(socket: number): void {
    this.flags[socket] = 0;
    this.pendingEvents[socket] = 0;
    this.#free.push(socket);
  }
}
