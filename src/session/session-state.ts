/** What the parts of the session layer share. */
import type { Tcp } from '../transport/tcp/tcp.js';
import type { AddressWords } from './address.js';
import type { ListenerMember } from './app-listener.js';
import type { AppWorker } from './application.js';
import { HandleKind } from './handle.js';
import { HandleTable } from './handle-table.js';
import { SessionEvent, SessionMessage } from './message.js';
import type { RowTable } from './row-table.js';
import { SessionTable } from './session-table.js';

export class SessionState {
  readonly tcp: Tcp;
  /** One row for each connection of `tcp`. */
  readonly rows: RowTable;
  readonly workers: (AppWorker | undefined)[] = [];
  readonly members: HandleTable<ListenerMember>;
  /** True if a stack has the address. */
  readonly isLocalAddress: (stack: number, address: AddressWords) => boolean;
  readonly #tables = new Map<number, SessionTable>();
  readonly #event = new SessionMessage();

  constructor(
    tcp: Tcp,
    rows: RowTable,
    worker: number,
    isLocalAddress: (stack: number, address: AddressWords) => boolean,
  ) {
    this.tcp = tcp;
    this.rows = rows;
    this.members = new HandleTable(worker, HandleKind.listener);
    this.isLocalAddress = isLocalAddress;
  }

  get tables(): Iterable<SessionTable> {
    return this.#tables.values();
  }

  /** The session table of a namespace; made when first asked for. */
  table(namespace: number): SessionTable {
    let table = this.#tables.get(namespace);
    if (table === undefined) {
      table = new SessionTable(namespace);
      this.#tables.set(namespace, table);
    }
    return table;
  }

  dropTableIfEmpty(namespace: number): void {
    if (this.#tables.get(namespace)?.isEmpty) this.#tables.delete(namespace);
  }

  /** The table that a row counts in. */
  tableOfRow(row: number): SessionTable {
    return this.table(this.workerOfRow(row).application.namespace);
  }

  /** The app worker that holds an open row. */
  workerOfRow(row: number): AppWorker {
    return this.workers[this.rows.ownerOf(row)]!;
  }

  /** A fresh event, used again for the next. */
  newEvent(type: number, request: number, handle: number): SessionMessage {
    const event = this.#event.reset(type);
    event.request = request;
    event.session = handle;
    return event;
  }

  fail(worker: AppWorker, request: number, errno: number): void {
    const event = this.newEvent(SessionEvent.failed, request, 0);
    event.errno = errno;
    worker.sink.event(event);
  }
}
