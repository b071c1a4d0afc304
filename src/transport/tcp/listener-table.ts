/** Listeners: an index each. Counts of the queues of half-open connections and of those that wait to be accepted. RFC 4987 section 2. */
import type { Arena } from '../../mem/arena.js';

export class ListenerTable {
  readonly capacity: number;
  /** 1 for listeners in use. */
  readonly isOpen: Int32Array;
  readonly namespace: Int32Array;
  /** IPv4 address; 0: any. */
  readonly local: Int32Array;
  /** 0: every port. */
  readonly port: Int32Array;
  readonly backlog: Int32Array;
  /** The session layer's own number. */
  readonly context: Int32Array;
  /** Connections in SYN-RECEIVED. */
  readonly halfOpen: Int32Array;
  /** Connections that wait to be accepted. */
  readonly acceptQueued: Int32Array;
  /** 1 once the session layer has deferred a SYN: SYN cookies would decide without it. */
  readonly hasDeferred: Int32Array;
  readonly #free: number[] = [];
  #end = 0;

  constructor(arena: Arena, capacity: number) {
    this.capacity = capacity;
    this.isOpen = arena.int32(capacity);
    this.namespace = arena.int32(capacity);
    this.local = arena.int32(capacity);
    this.port = arena.int32(capacity);
    this.backlog = arena.int32(capacity);
    this.context = arena.int32(capacity);
    this.halfOpen = arena.int32(capacity);
    this.acceptQueued = arena.int32(capacity);
    this.hasDeferred = arena.int32(capacity);
  }

  /** One more than the highest listener ever used. */
  get end(): number {
    return this.#end;
  }

  /** Takes a row with empty queues, or −1 when there is none. */
  take(): number {
    const listener = this.#free.pop() ?? (this.#end < this.capacity ? this.#end++ : -1);
    if (listener < 0) return -1;
    this.isOpen[listener] = 1;
    this.halfOpen[listener] = 0;
    this.acceptQueued[listener] = 0;
    this.hasDeferred[listener] = 0;
    return listener;
  }

  give(listener: number): void {
    this.isOpen[listener] = 0;
    this.#free.push(listener);
  }
}
