/**
 * Connections that have something to send, in the order in which they will be served. A connection that could not send
 * (no room at the device, no packet memory) is parked and comes back with the next pass, after those that came since.
 */
import { ConnectionFlag } from './tcp-state.js';
import { NO_CONNECTION, type TcpTable } from './tcp-table.js';

export class OutputQueue {
  /** Called when the queue had been empty: the engine schedules a run. */
  wake: () => void = () => {};
  readonly #table: TcpTable;
  #count = 0;
  #head = NO_CONNECTION;
  #tail = NO_CONNECTION;
  #parkedCount = 0;
  #parkedHead = NO_CONNECTION;
  #parkedTail = NO_CONNECTION;

  constructor(table: TcpTable) {
    this.#table = table;
  }

  get isEmpty(): boolean {
    return this.#head === NO_CONNECTION;
  }

  /** Connections in the queue, without those parked. */
  get count(): number {
    return this.#count;
  }

  get hasParked(): boolean {
    return this.#parkedHead !== NO_CONNECTION;
  }

  /** Puts a connection at the end, unless it is in the queue. */
  push(connection: number): void {
    const flags = this.#table.flags;
    if (flags[connection]! & ConnectionFlag.queued) return;
    flags[connection]! |= ConnectionFlag.queued;
    this.#table.outputNext[connection] = NO_CONNECTION;
    this.#count++;
    if (this.#head === NO_CONNECTION) {
      this.#head = connection;
      this.#tail = connection;
      this.wake();
    } else {
      this.#table.outputNext[this.#tail] = connection;
      this.#tail = connection;
    }
  }

  /** Takes the first connection out, or returns NO_CONNECTION. */
  shift(): number {
    const connection = this.#head;
    if (connection === NO_CONNECTION) return NO_CONNECTION;
    this.#count--;
    this.#head = this.#table.outputNext[connection]!;
    if (this.#head === NO_CONNECTION) this.#tail = NO_CONNECTION;
    this.#table.flags[connection]! &= ~ConnectionFlag.queued;
    return connection;
  }

  /** Puts a connection aside until the next pass. */
  park(connection: number): void {
    this.#table.flags[connection]! |= ConnectionFlag.queued;
    this.#table.outputNext[connection] = NO_CONNECTION;
    this.#parkedCount++;
    if (this.#parkedHead === NO_CONNECTION) this.#parkedHead = connection;
    else this.#table.outputNext[this.#parkedTail] = connection;
    this.#parkedTail = connection;
  }

  /** Brings the parked connections back: at the beginning of a pass. */
  unpark(): void {
    if (this.#parkedHead === NO_CONNECTION) return;
    if (this.#head === NO_CONNECTION) this.#head = this.#parkedHead;
    else this.#table.outputNext[this.#tail] = this.#parkedHead;
    this.#tail = this.#parkedTail;
    this.#count += this.#parkedCount;
    this.#parkedCount = 0;
    this.#parkedHead = NO_CONNECTION;
    this.#parkedTail = NO_CONNECTION;
  }
}
