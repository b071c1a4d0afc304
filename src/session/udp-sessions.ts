/** UDP sockets of applications: carries out their requests and turns what the transport tells into events. */
import type { ErrnoName } from '../transport/events.js';
import { type Udp, type UdpDatagram, type UdpErrno, type UdpEvents, UdpSetting } from '../transport/udp/udp.js';
import { type AddressWords, copyWords } from './address.js';
import type { AppWorker } from './application.js';
import { Errno } from './errno.js';
import { Request, SessionEvent, type SessionMessage, SocketOption, UdpBindFlag } from './message.js';
import type { EndpointInfo } from './port.js';
import { RowFlag, type RowTable } from './row-table.js';
import type { SessionState } from './session-state.js';

const SETTINGS: Readonly<Record<number, number>> = {
  [SocketOption.broadcast]: UdpSetting.broadcast,
  [SocketOption.ttl]: UdpSetting.timeToLive,
  [SocketOption.multicastTtl]: UdpSetting.multicastTimeToLive,
  [SocketOption.multicastLoop]: UdpSetting.multicastLoop,
  [SocketOption.receiveBufferBytes]: UdpSetting.receiveBufferBytes,
  [SocketOption.trafficClass]: UdpSetting.trafficClass,
};

export class UdpSessions implements UdpEvents {
  readonly rows: RowTable;
  readonly #state: SessionState;
  readonly #udp: Udp;

  /** @param rows one for each socket of `udp`. */
  constructor(state: SessionState, udp: Udp, rows: RowTable) {
    this.#state = state;
    this.#udp = udp;
    this.rows = rows;
  }

  // ── what the transport tells ──

  onReadable(socket: number): void {
    const { rows } = this;
    if (!rows.isOpen(socket) || rows.has(socket, RowFlag.readableKnown)) return;
    rows.set(socket, RowFlag.readableKnown);
    this.#tell(SessionEvent.readable, socket, 0);
  }

  onWritable(socket: number): void {
    if (this.rows.isOpen(socket)) this.#tell(SessionEvent.writable, socket, 0);
  }

  onError(socket: number, errno: ErrnoName): void {
    if (this.rows.isOpen(socket)) this.#tell(SessionEvent.udpError, socket, Errno[errno]);
  }

  // ── what applications ask for ──

  bind(worker: AppWorker, request: SessionMessage): void {
    const { application } = worker;
    if (application.udpSocketCount >= application.limits.udpSockets) {
      this.#state.fail(worker, request.request, Errno.EMFILE);
      return;
    }
    const socket = this.#udp.bind({
      stack: application.stack,
      local: request.local,
      port: request.localPort,
      isIpv6Only: (request.flags & UdpBindFlag.ipv6Only) !== 0,
      isReuseport: (request.flags & UdpBindFlag.reuseport) !== 0,
    });
    if (typeof socket === 'string') {
      this.#state.fail(worker, request.request, Errno[socket]);
      return;
    }
    this.rows.open(socket, worker.index, 0, request.request);
    application.udpSocketCount++;
    this.#answer(worker, SessionEvent.bound, request.request, socket);
  }

  /** Carries out a request that names a socket of `worker`, in row `socket`. */
  handle(worker: AppWorker, socket: number, request: SessionMessage): void {
    switch (request.type) {
      case Request.udpConnect:
        this.#finish(worker, socket, request, this.#udp.connect(socket, request.remote, request.remotePort));
        return;
      case Request.udpDisconnect:
        this.#finish(worker, socket, request, this.#udp.disconnect(socket));
        return;
      case Request.udpMembership:
        this.#finish(
          worker,
          socket,
          request,
          this.#udp.setMembership(socket, request.remote, request.local, request.flags === 1),
        );
        return;
      case Request.udpClose:
        this.close(socket);
        return;
      default:
        this.#state.fail(worker, request.request, Errno.EOPNOTSUPP);
    }
  }

  /** Sends a datagram; returns an errno, 0 when it is on its way. EAGAIN: no room, a `writable` event follows. */
  send(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
  ): number {
    const errno = this.#udp.send(socket, bytes, from, count, remote, remotePort);
    return errno === undefined ? 0 : Errno[errno];
  }

  receive(socket: number, into: Uint8Array, at: number, info: UdpDatagram): number {
    this.rows.clear(socket, RowFlag.readableKnown);
    return this.#udp.receive(socket, into, at, info);
  }

  /** Length of the oldest datagram, or −1. */
  nextLength(socket: number): number {
    return this.#udp.nextLength(socket);
  }

  /** Returns an errno, 0 if the option was set. */
  setOption(socket: number, option: number, value: number): number {
    // Nothing waits to be sent for longer than a pass: any size is enough.
    if (option === SocketOption.sendBufferBytes) return value > 0 ? 0 : Errno.EINVAL;
    const setting = SETTINGS[option];
    if (setting === undefined) return Errno.ENOPROTOOPT;
    const errno = this.#udp.set(socket, setting, value);
    return errno === undefined ? 0 : Errno[errno];
  }

  info(socket: number, into: EndpointInfo): void {
    const info = this.#udp.info(socket);
    copyWords(into.local, info.local);
    into.localPort = info.localPort;
    copyWords(into.remote, info.remote);
    into.remotePort = info.remotePort;
  }

  close(socket: number): void {
    this.#state.workers[this.rows.ownerOf(socket)]!.application.udpSocketCount--;
    this.rows.close(socket);
    this.#udp.close(socket);
  }

  /** Closes the sockets of a worker that is gone. */
  removeWorker(worker: AppWorker): void {
    for (let row = 0; row < this.rows.end; row++) if (this.rows.owner[row] === worker.index + 1) this.close(row);
  }

  #finish(worker: AppWorker, socket: number, request: SessionMessage, errno: UdpErrno | undefined): void {
    if (errno !== undefined) this.#state.fail(worker, request.request, Errno[errno]);
    else this.#answer(worker, SessionEvent.done, request.request, socket);
  }

  #answer(worker: AppWorker, type: number, request: number, socket: number): void {
    const event = this.#state.newEvent(type, request, this.rows.handle(socket));
    this.info(socket, event);
    worker.sink.event(event);
  }

  #tell(type: number, socket: number, errno: number): void {
    const event = this.#state.newEvent(type, 0, this.rows.handle(socket));
    event.errno = errno;
    this.#state.workers[this.rows.ownerOf(socket)]!.sink.event(event);
  }
}
