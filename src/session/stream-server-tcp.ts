/** Sessions of a stream carrier at the session layer's end: data both ways, under credits. */
import type { AppWorker } from './application.js';
import { handleIndex } from './handle.js';
import { Request, SessionEvent, SessionMessage } from './message.js';
import { NO_ROW, RowFlag } from './row-table.js';
import type { SessionLayer } from './session-layer.js';
import { WINDOW_BYTES } from './stream-protocol.js';
import { type StreamRows, StreamState } from './stream-rows.js';
import type { StreamSender } from './stream-sender.js';

/** Bytes that the send FIFO had no memory for, and what is to follow them. */
interface Leftover {
  readonly pieces: Uint8Array[];
  /** A shutdown or close request that came behind them, or 0. */
  next: number;
}

export class StreamServerTcp {
  readonly rows: StreamRows;
  readonly windowBytes = WINDOW_BYTES;
  readonly #layer: SessionLayer;
  readonly #worker: AppWorker;
  readonly #sender: StreamSender;
  /** Rows that have data or an ending to send, oldest first. */
  #list: number[] = [];
  #spare: number[] = [];
  readonly #leftovers = new Map<number, Leftover>();
  readonly #message = new SessionMessage();

  constructor(layer: SessionLayer, worker: AppWorker, sender: StreamSender) {
    this.#layer = layer;
    this.#worker = worker;
    this.#sender = sender;
    this.rows = layer.streamRows;
  }

  /** Takes over an event of a session; false if it is to be sent as it is. */
  event(event: SessionMessage): boolean {
    const row = handleIndex(event.session);
    const { state, errno } = this.rows;
    switch (event.type) {
      case SessionEvent.accepted:
      case SessionEvent.connected:
        this.#begin(row);
        event.value = this.rows.granted[row]!;
        return false;
      case SessionEvent.readable:
        this.list(row);
        return true;
      case SessionEvent.writable:
        this.#writable(row, event.session);
        return true;
      case SessionEvent.peerClosed:
        state[row]! |= StreamState.peerClosed;
        this.list(row);
        return true;
      case SessionEvent.closed:
        if (this.#layer.state.rows.has(row, RowFlag.deferred)) return false;
        state[row]! |= StreamState.closed;
        errno[row] = event.errno;
        this.#leftovers.delete(row);
        this.list(row);
        return true;
      default:
        return false;
    }
  }

  /** Puts a row into the list of those that have something to send. */
  list(row: number): void {
    if ((this.rows.state[row]! & StreamState.listed) !== 0) return;
    this.rows.state[row]! |= StreamState.listed;
    this.#list.push(row);
  }

  /** Sends what waits in the receive FIFOs: a message a row in turn, until credit or the stream's room is used up. */
  pump(): void {
    while (this.#list.length > 0) {
      const list = this.#list;
      this.#list = this.#spare;
      let at = 0;
      for (; at < list.length && this.#sender.dataRoom() > 0; at++) this.#pumpRow(list[at]!);
      const isBlocked = at < list.length;
      for (; at < list.length; at++) this.#list.push(list[at]!);
      list.length = 0;
      this.#spare = list;
      if (isBlocked) return;
    }
  }

  /** Data from the application. Returns false if it was not entitled to send so much. */
  receive(session: number, bytes: Uint8Array, from: number, count: number): boolean {
    const row = this.#layer.findRow(this.#worker, session);
    if (row === NO_ROW) return true;
    const { granted } = this.rows;
    granted[row]! -= count;
    if (granted[row]! < 0) return false;
    const leftover = this.#leftovers.get(row);
    if (leftover !== undefined) {
      leftover.pieces.push(bytes.slice(from, from + count));
      return true;
    }
    const taken = this.#layer.tcp.write(row, bytes, from, count);
    if (taken < count && this.#layer.tcp.isWritable(row)) {
      this.#leftovers.set(row, { pieces: [bytes.slice(from + taken, from + count)], next: 0 });
    } else {
      this.#grant(row, session);
    }
    return true;
  }

  /** Keeps a shutdown or close back while bytes are left over; false if none are. */
  defer(request: SessionMessage): boolean {
    if (this.#leftovers.size === 0) return false;
    const row = this.#layer.findRow(this.#worker, request.session);
    const leftover = this.#leftovers.get(row);
    if (leftover === undefined) return false;
    if (leftover.next !== Request.close) leftover.next = request.type;
    return true;
  }

  /** Bytes that the application has got and not read, if it says that it has read `read` more than it gave credit for. */
  unread(row: number, read: number): number {
    return WINDOW_BYTES - this.rows.sendCredit[row]! - read;
  }

  #begin(row: number): void {
    const { tcp } = this.#layer.state;
    this.rows.sendCredit[row] = WINDOW_BYTES;
    this.rows.granted[row] = Math.min(WINDOW_BYTES, tcp.fifos.space(2 * row + 1));
    this.rows.state[row] = 0;
    this.#leftovers.delete(row);
  }

  #pumpRow(row: number): void {
    const { state, sendCredit } = this.rows;
    const layer = this.#layer;
    if (layer.state.rows.ownerOf(row) !== this.#worker.index) return;
    state[row]! &= ~StreamState.listed;
    const readable = layer.tcp.readable(row);
    if (readable > 0) {
      const sender = this.#sender;
      const count = Math.min(readable, sendCredit[row]!, sender.dataRoom());
      if (count === 0) return;
      const taken = layer.tcp.read(row, sender.bytes, sender.payloadAt, count);
      sendCredit[row]! -= taken;
      const message = this.#message.reset(SessionEvent.data);
      message.session = layer.state.rows.handle(row);
      sender.placed(message, taken);
      if (readable > taken || (state[row]! & (StreamState.peerClosed | StreamState.closed)) !== 0) this.list(row);
      return;
    }
    this.#sendEnd(row, StreamState.peerClosed, SessionEvent.peerClosed, 0);
    this.#sendEnd(row, StreamState.closed, SessionEvent.closed, this.rows.errno[row]!);
  }

  #sendEnd(row: number, bit: number, type: number, errno: number): void {
    if ((this.rows.state[row]! & bit) === 0) return;
    this.rows.state[row]! &= ~bit;
    const message = this.#message.reset(type);
    message.session = this.#layer.state.rows.handle(row);
    message.errno = errno;
    this.#sender.message(message);
  }

  /** Room in the send FIFO: for what is left over first, then for more from the application. */
  #writable(row: number, session: number): void {
    const leftover = this.#leftovers.get(row);
    if (leftover === undefined) {
      this.#grant(row, session);
      return;
    }
    const { pieces } = leftover;
    while (pieces.length > 0) {
      const piece = pieces[0]!;
      const taken = this.#layer.tcp.write(row, piece, 0, piece.length);
      if (taken < piece.length) {
        pieces[0] = piece.subarray(taken);
        return;
      }
      pieces.shift();
    }
    this.#leftovers.delete(row);
    if (leftover.next === 0) {
      this.#grant(row, session);
      return;
    }
    const message = this.#message.reset(leftover.next);
    message.session = session;
    this.#layer.handle(this.#worker, message);
  }

  /** Lets the application send as much more as the FIFO has room for; if that is little, waits until it is more. */
  #grant(row: number, session: number): void {
    const { granted } = this.rows;
    const { tcp } = this.#layer.state;
    const fifo = 2 * row + 1;
    const window = Math.min(WINDOW_BYTES, tcp.fifos.limit(fifo));
    if (granted[row]! > window >> 1 || !this.#layer.tcp.isWritable(row)) return;
    const more = Math.min(WINDOW_BYTES, tcp.fifos.space(fifo)) - granted[row]!;
    if (more < window >> 2) {
      tcp.wantWritable(row);
      return;
    }
    granted[row]! += more;
    const message = this.#message.reset(SessionEvent.credit);
    message.session = session;
    message.value = more;
    this.#sender.message(message);
  }
}
