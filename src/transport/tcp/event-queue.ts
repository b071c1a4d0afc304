/** Events on their way to the session layer: a set of bits per connection, and the order in which connections got theirs. */
import type { Arena } from '../../mem/arena.js';
import { TRANSPORT_ERRORS, type TransportEvents } from '../events.js';
import { ConnectionFlag } from './tcp-state.js';
import type { TcpTable } from './tcp-table.js';

/** Bits of `pendingEvents`, in the order in which they are given. */
export const TcpEvent = {
  accepted: 1,
  connected: 2,
  readable: 4,
  writable: 8,
  peerClosed: 16,
  failed: 32,
  closed: 64,
} as const;

export class EventQueue {
  readonly #table: TcpTable;
  /** Ring of connections; each is in it at most once. */
  readonly #ring: Int32Array;
  #head = 0;
  #count = 0;

  constructor(arena: Arena, table: TcpTable) {
    this.#table = table;
    this.#ring = arena.int32(table.capacity);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Notes an event of {@link TcpEvent} for a connection that the session layer holds. */
  add(connection: number, event: number): void {
    const pending = this.#table.pendingEvents[connection]!;
    this.#table.pendingEvents[connection] = pending | event;
    if (pending !== 0) return;
    const capacity = this.#ring.length;
    const at = this.#head + this.#count;
    this.#ring[at < capacity ? at : at - capacity] = connection;
    this.#count++;
  }

  /**
   * Gives all events, those that come up meanwhile included. `free` is called for rows that were only kept because they
   * stood in this queue.
   */
  flush(events: TransportEvents, free: (connection: number) => void): void {
    const { pendingEvents, flags } = this.#table;
    while (this.#count > 0) {
      const connection = this.#ring[this.#head]!;
      this.#head = this.#head + 1 === this.#ring.length ? 0 : this.#head + 1;
      this.#count--;
      const pending = pendingEvents[connection]!;
      pendingEvents[connection] = 0;
      if (flags[connection]! & ConnectionFlag.dead) free(connection);
      else this.#give(connection, pending, events);
    }
  }

  /** Any callback may let go of the connection: then the rest is not for whoever gets the row next. */
  #give(connection: number, pending: number, events: TransportEvents): void {
    const { flags, generation, listener, error } = this.#table;
    const isOurs = generation[connection]!;
    for (let event: number = TcpEvent.accepted; event <= TcpEvent.closed; event <<= 1) {
      if ((pending & event) === 0) continue;
      if (generation[connection] !== isOurs || (flags[connection]! & ConnectionFlag.held) === 0) return;
      if (event === TcpEvent.accepted) events.onAccepted(listener[connection]!, connection);
      else if (event === TcpEvent.connected) events.onConnected(connection);
      else if (event === TcpEvent.readable) events.onReadable(connection);
      else if (event === TcpEvent.writable) events.onWritable(connection);
      else if (event === TcpEvent.peerClosed) events.onPeerClosed(connection);
      else if (event === TcpEvent.failed) events.onFailed(connection, TRANSPORT_ERRORS[error[connection]! - 1]!);
      else events.onClosed(connection);
    }
  }
}
