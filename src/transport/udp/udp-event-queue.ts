/** Events on their way to the session layer: a set of bits per socket, and the order in which sockets got theirs. */
import { TRANSPORT_ERRORS } from '../events.js';
import type { UdpEvents } from './udp.js';
import type { UdpTable } from './udp-table.js';

/** Bits of `pendingEvents`, in the order in which they are given. */
export const UdpEvent = { readable: 1, writable: 2, error: 4 } as const;

export class UdpEventQueue {
  readonly #table: UdpTable;
  #sockets: number[] = [];
  #spare: number[] = [];

  constructor(table: UdpTable) {
    this.#table = table;
  }

  /** Notes an event of {@link UdpEvent}. */
  add(socket: number, event: number): void {
    const pending = this.#table.pendingEvents[socket]!;
    this.#table.pendingEvents[socket] = pending | event;
    if (pending === 0) this.#sockets.push(socket);
  }

  /** Gives all events. A socket that was closed in the meantime has none; its successor may stand here twice. */
  flush(events: UdpEvents): void {
    const { pendingEvents, error } = this.#table;
    const sockets = this.#sockets;
    this.#sockets = this.#spare;
    for (let i = 0; i < sockets.length; i++) {
      const socket = sockets[i]!;
      const pending = pendingEvents[socket]!;
      pendingEvents[socket] = 0;
      if ((pending & UdpEvent.readable) !== 0) events.onReadable(socket);
      if ((pending & UdpEvent.writable) !== 0) events.onWritable(socket);
      if ((pending & UdpEvent.error) !== 0) events.onError(socket, TRANSPORT_ERRORS[error[socket]! - 1]!);
    }
    sockets.length = 0;
    this.#spare = sockets;
  }
}
