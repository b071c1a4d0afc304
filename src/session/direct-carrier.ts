/**
 * The carrier between an application and a session layer in the same thread: requests are carried out on the spot, bytes
 * are copied straight from and to the FIFOs, events wait in a queue until the session layer flushes. So nothing is
 * reported from inside a call of the application, or from inside a pass of the graph.
 */
import type { AddressWords } from './address.js';
import { Application, type AppWorker, type AttachOptions, type EventSink } from './application.js';
import { Errno } from './errno.js';
import { EventQueue } from './event-queue.js';
import { SessionEvent, SessionMessage } from './message.js';
import type { DatagramInfo, EndpointInfo } from './port.js';
import { PortBase } from './port-base.js';
import { NO_ROW } from './row-table.js';
import type { Flushable, SessionLayer } from './session-layer.js';

export class DirectPort extends PortBase implements EventSink, Flushable {
  readonly #layer: SessionLayer;
  readonly #worker: AppWorker;
  readonly #events = new EventQueue();
  readonly #sent = new SessionMessage();
  #isFlushRequested = false;

  /** @param who attaches a new application, or a further worker of one that is there. */
  constructor(layer: SessionLayer, who: AttachOptions | Application) {
    super();
    this.#layer = layer;
    this.#worker = who instanceof Application ? layer.addWorker(who, this) : layer.attach(who, this);
  }

  get worker(): AppWorker {
    return this.#worker;
  }

  // ── the session layer's side ──

  event(message: SessionMessage): void {
    if (this.closed) return;
    this.#events.push(message);
    this.#requestFlush();
  }

  /** Hands the events that wait now to the application; those that come up meanwhile wait for the next time. */
  flush(): void {
    this.#isFlushRequested = false;
    try {
      for (let left = this.#events.length; left > 0 && !this.closed; left--) this.#deliver();
    } finally {
      if (this.#events.length > 0) this.#requestFlush();
    }
  }

  #deliver(): void {
    const event = this.#events.shift();
    if (event === undefined) return;
    if (event.type === SessionEvent.detached) this.#detached(event);
    else if (!isVoidable(event) || this.#layer.isHeld(this.#worker, event.session)) this.dispatch(event);
  }

  #requestFlush(): void {
    if (this.#isFlushRequested) return;
    this.#isFlushRequested = true;
    this.#layer.requestFlush(this);
  }

  // ── the application's side ──

  write(session: number, bytes: Uint8Array, from: number, count: number): number {
    const row = this.#layer.findRow(this.#worker, session);
    return row === NO_ROW ? 0 : this.#layer.tcp.write(row, bytes, from, count);
  }

  read(session: number, into: Uint8Array, at: number, count: number): number {
    const row = this.#layer.findRow(this.#worker, session);
    return row === NO_ROW ? 0 : this.#layer.tcp.read(row, into, at, count);
  }

  readable(session: number): number {
    const row = this.#layer.findRow(this.#worker, session);
    return row === NO_ROW ? 0 : this.#layer.tcp.readable(row);
  }

  info(handle: number, into: EndpointInfo): boolean {
    return this.#layer.info(this.#worker, handle, into);
  }

  sendDatagram(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
    wantsAnswer: boolean,
  ): number {
    const row = this.#layer.findRow(this.#worker, socket);
    const errno = row === NO_ROW ? Errno.EBADF : this.#layer.udp.send(row, bytes, from, count, remote, remotePort);
    if (errno === Errno.EAGAIN) return 0;
    const request = this.nextRequest();
    if (!wantsAnswer) return request;
    const event = this.#sent.reset(SessionEvent.sent);
    event.request = request;
    event.session = socket;
    event.errno = errno;
    this.event(event);
    return request;
  }

  receiveDatagram(socket: number, into: Uint8Array, at: number, info: DatagramInfo): number {
    const row = this.#layer.findRow(this.#worker, socket);
    return row === NO_ROW ? -1 : this.#layer.udp.receive(row, into, at, info);
  }

  wait(request: number, answer: SessionMessage): boolean {
    if (!this.#events.takeAnswer(request, answer)) return false;
    if (answer.type === SessionEvent.listening) this.noteListening(answer);
    return true;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#events.clear();
    this.#layer.detach(this.#worker);
  }

  protected submit(message: SessionMessage): void {
    if (!this.closed) this.#layer.handle(this.#worker, message);
  }

  /** The stack is gone, and with it everything that the application had there. */
  #detached(event: SessionMessage): void {
    this.#events.clear();
    this.closed = true;
    this.onEvent(event);
  }
}

/** True for events that mean nothing any more once the application has let go of what they name. */
function isVoidable(event: SessionMessage): boolean {
  return event.session !== 0 && event.type !== SessionEvent.sent;
}
