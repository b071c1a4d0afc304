/** UDP sockets of a stream carrier at the session layer's end: datagrams both ways, under credits. */
import { copyWords } from './address.js';
import type { AppWorker } from './application.js';
import { Errno } from './errno.js';
import { handleIndex } from './handle.js';
import { SessionEvent, SessionMessage, UdpSendFlag } from './message.js';
import type { DatagramInfo } from './port.js';
import { NO_ROW } from './row-table.js';
import type { SessionLayer } from './session-layer.js';
import { datagramCost, UDP_WINDOW_BYTES } from './stream-protocol.js';
import { type StreamRows, StreamState } from './stream-rows.js';
import type { StreamSender } from './stream-sender.js';

/** A datagram that waits until the transport has room. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly remote: Int32Array | undefined;
  readonly remotePort: number;
  /** Request to be answered, or 0. */
  readonly request: number;
}

export class StreamServerUdp {
  readonly rows: StreamRows;
  readonly windowBytes = UDP_WINDOW_BYTES;
  readonly #layer: SessionLayer;
  readonly #worker: AppWorker;
  readonly #sender: StreamSender;
  /** Rows that have datagrams to send to the application, oldest first. */
  #list: number[] = [];
  readonly #waiting = new Map<number, Waiting[]>();
  readonly #message = new SessionMessage();
  readonly #info: DatagramInfo = { remote: new Int32Array(4), remotePort: 0, local: new Int32Array(4), ttl: 0 };

  constructor(layer: SessionLayer, worker: AppWorker, sender: StreamSender) {
    this.#layer = layer;
    this.#worker = worker;
    this.#sender = sender;
    this.rows = layer.udpStreamRows;
  }

  /** Takes over an event of a socket; false if it is to be sent as it is. */
  event(event: SessionMessage): boolean {
    const row = handleIndex(event.session);
    switch (event.type) {
      case SessionEvent.bound:
        this.rows.sendCredit[row] = UDP_WINDOW_BYTES;
        this.rows.granted[row] = UDP_WINDOW_BYTES;
        this.rows.owed[row] = 0;
        this.rows.state[row] = 0;
        this.#waiting.delete(row);
        event.value = UDP_WINDOW_BYTES;
        return false;
      case SessionEvent.readable:
        this.list(row);
        return true;
      case SessionEvent.writable:
        this.#writable(row, event.session);
        return true;
      default:
        return false;
    }
  }

  list(row: number): void {
    if ((this.rows.state[row]! & StreamState.listed) !== 0) return;
    this.rows.state[row]! |= StreamState.listed;
    this.#list.push(row);
  }

  /** Sends the datagrams that have come, as far as credit and the stream's room go. */
  pump(): void {
    const list = this.#list;
    this.#list = [];
    for (const row of list) {
      if (this.#layer.udp.rows.ownerOf(row) !== this.#worker.index) continue;
      this.rows.state[row]! &= ~StreamState.listed;
      this.#pumpRow(row);
    }
  }

  /** A datagram from the application. Returns false if it was not entitled to send so much. */
  send(request: SessionMessage): boolean {
    const row = this.#layer.findRow(this.#worker, request.session);
    const wanted = (request.flags & UdpSendFlag.answer) !== 0 ? request.request : 0;
    if (row === NO_ROW) {
      this.#answer(request.session, wanted, Errno.EBADF);
      return true;
    }
    const cost = datagramCost(request.payload.length);
    this.rows.granted[row]! -= cost;
    if (this.rows.granted[row]! < 0) return false;
    const remote = (request.flags & UdpSendFlag.remote) !== 0 ? request.remote : undefined;
    const queue = this.#waiting.get(row);
    const errno =
      queue === undefined
        ? this.#layer.udp.send(row, request.payload, 0, request.payload.length, remote, request.remotePort)
        : Errno.EAGAIN;
    if (errno !== Errno.EAGAIN) {
      this.#answer(request.session, wanted, errno);
      this.#giveBack(row, request.session, cost);
      return true;
    }
    const copy = {
      bytes: request.payload.slice(),
      remote: remote?.slice(),
      remotePort: request.remotePort,
      request: wanted,
    };
    if (queue === undefined) this.#waiting.set(row, [copy]);
    else queue.push(copy);
    return true;
  }

  /** The application closes a socket: what waits is thrown away. */
  forget(session: number): void {
    const row = this.#layer.findRow(this.#worker, session);
    if (row !== NO_ROW) this.#waiting.delete(row);
  }

  #pumpRow(row: number): void {
    const { sendCredit } = this.rows;
    const { udp } = this.#layer;
    const sender = this.#sender;
    const info = this.#info;
    for (;;) {
      const length = udp.nextLength(row);
      if (length < 0 || datagramCost(length) > sendCredit[row]!) return;
      if (!sender.hasRoom(length)) {
        this.list(row);
        return;
      }
      udp.receive(row, sender.bytes, sender.payloadAt, info);
      sendCredit[row]! -= datagramCost(length);
      const message = this.#message.reset(SessionEvent.datagram);
      message.session = udp.rows.handle(row);
      copyWords(message.local, info.local);
      copyWords(message.remote, info.remote);
      message.remotePort = info.remotePort;
      message.value = info.ttl;
      sender.placed(message, length);
    }
  }

  /** The transport has room again. */
  #writable(row: number, session: number): void {
    const queue = this.#waiting.get(row);
    if (queue === undefined) return;
    let done = 0;
    for (const each of queue) {
      const errno = this.#layer.udp.send(row, each.bytes, 0, each.bytes.length, each.remote, each.remotePort);
      if (errno === Errno.EAGAIN) break;
      done++;
      this.#answer(session, each.request, errno);
      this.#giveBack(row, session, datagramCost(each.bytes.length));
    }
    queue.splice(0, done);
    if (queue.length === 0) this.#waiting.delete(row);
  }

  #giveBack(row: number, session: number, cost: number): void {
    const { granted, owed } = this.rows;
    owed[row]! += cost;
    if (owed[row]! < UDP_WINDOW_BYTES >> 2) return;
    const message = this.#message.reset(SessionEvent.credit);
    message.session = session;
    message.value = owed[row]!;
    granted[row]! += owed[row]!;
    owed[row] = 0;
    this.#sender.message(message);
  }

  #answer(session: number, request: number, errno: number): void {
    if (request === 0) return;
    const message = this.#message.reset(SessionEvent.sent);
    message.request = request;
    message.session = session;
    message.errno = errno;
    this.#sender.message(message);
  }
}
