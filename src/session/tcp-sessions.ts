/**
 * Connections of applications over TCP: carries out their requests and turns what the transport tells into events. A
 * session's row has the index of its connection.
 *
 *   connect ─► connecting ─► established ─► gone ─► closed (row free)
 *   SYN ─► deferred ─► half open in TCP ─► untaken ─► established …
 */
import { type ErrnoName, SynVerdict, type TransportEvents } from '../transport/events.js';
import { TcpSetting } from '../transport/tcp/tcp.js';
import { IPV4_LOOPBACK } from '../wire/address.js';
import { isAnyWords, isIpv4Words, wordsFromIpv4 } from './address.js';
import type { ListenerMember } from './app-listener.js';
import type { AppWorker } from './application.js';
import { Errno } from './errno.js';
import { type Listeners, memberColumn } from './listeners.js';
import { SessionEvent, type SessionMessage, SocketOption, SynAnswer } from './message.js';
import type { EndpointInfo } from './port.js';
import { RowFlag } from './row-table.js';
import type { SessionState } from './session-state.js';

/** Rows that can't be written to. */
const UNWRITABLE = RowFlag.shutdown | RowFlag.gone | RowFlag.connecting | RowFlag.deferred;
const HALF_OPEN = RowFlag.connecting | RowFlag.deferred;
const UNACCEPTED = RowFlag.deferred | RowFlag.untaken;

const SETTINGS: Readonly<Record<number, number>> = {
  [SocketOption.noDelay]: TcpSetting.noDelay,
  [SocketOption.keepAliveMs]: TcpSetting.keepAliveMs,
  [SocketOption.ttl]: TcpSetting.timeToLive,
  [SocketOption.trafficClass]: TcpSetting.trafficClass,
  [SocketOption.sendBufferBytes]: TcpSetting.sendBufferBytes,
  [SocketOption.receiveBufferBytes]: TcpSetting.receiveBufferBytes,
};

export class TcpSessions implements TransportEvents {
  readonly #state: SessionState;
  readonly #listeners: Listeners;

  constructor(state: SessionState, listeners: Listeners) {
    this.#state = state;
    this.#listeners = listeners;
  }

  // ── what the transport tells ──

  onSyn(listener: number, connection: number): number {
    const session = this.#listeners.session(listener);
    if (session === undefined) return SynVerdict.reject;
    const { group } = session;
    if (!session.asksOnSyn) return group.hasRoom ? SynVerdict.accept : SynVerdict.reject;
    const member = group.take();
    if (member === undefined) return SynVerdict.reject;
    this.#open(connection, member.worker, RowFlag.deferred, member.request);
    this.#state.rows.member[connection] = memberColumn(member);
    this.#report(SessionEvent.synReceived, connection);
    return SynVerdict.defer;
  }

  onAccepted(listener: number, connection: number): void {
    const { rows, tcp } = this.#state;
    if (!rows.isOpen(connection)) {
      const member = this.#listeners.session(listener)?.group.take();
      if (member === undefined) {
        tcp.abort(connection);
        return;
      }
      this.#open(connection, member.worker, RowFlag.untaken, member.request);
      rows.member[connection] = memberColumn(member);
    } else {
      this.#establish(connection);
      rows.set(connection, RowFlag.untaken);
    }
    this.#report(SessionEvent.accepted, connection);
  }

  onConnected(connection: number): void {
    if (!this.#state.rows.isOpen(connection)) return;
    this.#establish(connection);
    this.#report(SessionEvent.connected, connection);
  }

  onReadable(connection: number): void {
    const { rows } = this.#state;
    if (!rows.isOpen(connection) || rows.has(connection, RowFlag.readableKnown)) return;
    rows.set(connection, RowFlag.readableKnown);
    this.#tell(SessionEvent.readable, connection, 0);
  }

  onWritable(connection: number): void {
    if (this.#state.rows.isOpen(connection)) this.#tell(SessionEvent.writable, connection, 0);
  }

  onPeerClosed(connection: number): void {
    if (!this.#state.rows.isOpen(connection)) return;
    this.#state.rows.set(connection, RowFlag.peerClosed);
    this.#tell(SessionEvent.peerClosed, connection, 0);
  }

  onFailed(connection: number, errno: ErrnoName): void {
    const { rows } = this.#state;
    if (!rows.isOpen(connection)) return;
    if (rows.has(connection, RowFlag.connecting)) {
      const worker = this.#state.workerOfRow(connection);
      const request = rows.request[connection]!;
      this.release(connection);
      this.#state.fail(worker, request, Errno[errno]);
      return;
    }
    rows.set(connection, RowFlag.gone);
    this.#tell(SessionEvent.closed, connection, Errno[errno]);
  }

  onClosed(connection: number): void {
    if (!this.#state.rows.isOpen(connection)) return;
    this.#state.rows.set(connection, RowFlag.gone);
    this.#tell(SessionEvent.closed, connection, 0);
  }

  // ── what applications ask for ──

  connect(worker: AppWorker, request: SessionMessage): void {
    const connection = this.#tryConnect(worker, request);
    if (typeof connection === 'string') {
      this.#state.fail(worker, request.request, Errno[connection]);
      return;
    }
    this.#open(connection, worker, RowFlag.connecting, request.request);
  }

  /** Gives up the connect of that request; nothing happens if it has been answered. */
  cancel(worker: AppWorker, request: number): void {
    const { rows } = this.#state;
    for (let row = 0; row < rows.end; row++) {
      if (rows.owner[row] !== worker.index + 1 || rows.request[row] !== request) continue;
      if (!rows.has(row, RowFlag.connecting)) continue;
      this.abort(row);
      this.#state.fail(worker, request, Errno.ECANCELED);
      return;
    }
  }

  /** The application has taken an accepted connection. */
  take(row: number): void {
    const { rows, tcp } = this.#state;
    if (!rows.has(row, RowFlag.untaken)) return;
    rows.clear(row, RowFlag.untaken);
    if (!rows.has(row, RowFlag.gone)) tcp.accepted(row);
  }

  answerSyn(row: number, answer: number): void {
    const { rows, tcp } = this.#state;
    if (!rows.has(row, RowFlag.deferred) || rows.has(row, RowFlag.gone)) return;
    if (answer === SynAnswer.accept) {
      tcp.resumeSyn(row, SynVerdict.accept);
      return;
    }
    this.#free(row);
    tcp.resumeSyn(row, SynVerdict.reject);
  }

  /** True if bytes can be written, room aside. */
  isWritable(row: number): boolean {
    return (this.#state.rows.flags[row]! & UNWRITABLE) === 0;
  }

  /** Writes to the send FIFO; returns how many bytes were taken. A short write is followed by a `writable` event. */
  write(row: number, bytes: Uint8Array, from: number, count: number): number {
    const { tcp } = this.#state;
    if (!this.isWritable(row)) return 0;
    const taken = tcp.fifos.write(2 * row + 1, bytes, from, count);
    if (taken > 0) tcp.send(row);
    if (taken < count) tcp.wantWritable(row);
    return taken;
  }

  read(row: number, into: Uint8Array, at: number, count: number): number {
    const { rows, tcp } = this.#state;
    rows.clear(row, RowFlag.readableKnown);
    const taken = tcp.fifos.read(2 * row, into, at, count);
    if (taken > 0 && !rows.has(row, RowFlag.gone)) tcp.consumed(row);
    return taken;
  }

  readable(row: number): number {
    return this.#state.tcp.fifos.readable(2 * row);
  }

  shutdown(row: number): void {
    const { rows, tcp } = this.#state;
    if (!this.isWritable(row)) return;
    rows.set(row, RowFlag.shutdown);
    tcp.shutdown(row);
  }

  /** The application lets go of a session in order. */
  release(row: number): void {
    if (this.#state.rows.has(row, HALF_OPEN) && !this.#state.rows.has(row, RowFlag.gone)) {
      this.abort(row);
      return;
    }
    this.#free(row);
    this.#state.tcp.close(row);
  }

  /** The application, or its death, ends a session with RST. */
  abort(row: number): void {
    this.#free(row);
    this.#state.tcp.abort(row);
  }

  /** Returns an errno, 0 if the option was set. */
  setOption(row: number, option: number, value: number): number {
    const setting = SETTINGS[option];
    if (setting === undefined) return Errno.ENOPROTOOPT;
    if (value < 0) return Errno.EINVAL;
    if (!this.#state.rows.has(row, RowFlag.gone)) this.#state.tcp.set(row, setting, value);
    return 0;
  }

  info(row: number, into: EndpointInfo): void {
    const { tcp } = this.#state;
    tcp.localAddress(row, into.local, 0);
    into.localPort = tcp.localPort(row);
    tcp.remoteAddress(row, into.remote, 0);
    into.remotePort = tcp.remotePort(row);
  }

  /** Ends a listener's part; connections that its application has not taken yet are reset. */
  unlisten(member: ListenerMember): void {
    const { rows } = this.#state;
    const column = memberColumn(member);
    for (let row = 0; row < rows.end; row++) {
      if (rows.isOpen(row) && rows.member[row] === column && (rows.flags[row]! & UNACCEPTED) !== 0) this.abort(row);
    }
    this.#listeners.remove(member);
  }

  /** A worker is gone: so are its sessions and its part in listeners. */
  removeWorker(worker: AppWorker): void {
    const { rows, members } = this.#state;
    for (const member of members) if (member.worker === worker) this.unlisten(member);
    for (let row = 0; row < rows.end; row++) if (rows.owner[row] === worker.index + 1) this.abort(row);
  }

  #tryConnect(worker: AppWorker, request: SessionMessage): number | ErrnoName | 'EMFILE' {
    const { application } = worker;
    if (!application.hasSessionRoom) return 'EMFILE';
    const remote = isAnyWords(request.remote) ? wordsFromIpv4(IPV4_LOOPBACK) : request.remote;
    if (!isIpv4Words(remote)) return 'ENETUNREACH';
    if (request.remotePort === 0) return 'ECONNREFUSED';
    const isBound = !isAnyWords(request.local);
    if (isBound && !this.#state.isLocalAddress(application.stack, request.local)) return 'EADDRNOTAVAIL';
    return this.#state.tcp.connect({
      namespace: application.namespace,
      stack: application.stack,
      remote,
      remotePort: request.remotePort,
      localPort: request.localPort,
      ...(isBound ? { local: request.local } : {}),
    });
  }

  #open(row: number, worker: AppWorker, flags: number, request: number): void {
    const { rows } = this.#state;
    rows.open(row, worker.index, flags, request);
    worker.application.sessionCount++;
    const table = this.#state.tableOfRow(row);
    if ((flags & HALF_OPEN) !== 0) table.halfOpen++;
    else table.established++;
  }

  #establish(row: number): void {
    this.#state.rows.clear(row, HALF_OPEN);
    const table = this.#state.tableOfRow(row);
    table.halfOpen--;
    table.established++;
  }

  #free(row: number): void {
    const table = this.#state.tableOfRow(row);
    if (this.#state.rows.has(row, HALF_OPEN)) table.halfOpen--;
    else table.established--;
    this.#state.workerOfRow(row).application.sessionCount--;
    this.#state.rows.close(row);
  }

  /** An event that names both ends. */
  #report(type: number, row: number): void {
    const { rows, tcp } = this.#state;
    const event = this.#state.newEvent(type, rows.request[row]!, rows.handle(row));
    tcp.localAddress(row, event.local, 0);
    event.localPort = tcp.localPort(row);
    tcp.remoteAddress(row, event.remote, 0);
    event.remotePort = tcp.remotePort(row);
    this.#state.workerOfRow(row).sink.event(event);
  }

  /** An event of a session. */
  #tell(type: number, row: number, errno: number): void {
    const event = this.#state.newEvent(type, 0, this.#state.rows.handle(row));
    event.errno = errno;
    this.#state.workerOfRow(row).sink.event(event);
  }
}
