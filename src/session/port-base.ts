/**
 * What all carriers' application ends have in common: it makes request messages out of calls, and sorts out events
 * that crossed a call of the application (a connect that was cancelled, a listener that was ended).
 */
import { type AddressWords, copyWords } from './address.js';
import { Errno } from './errno.js';
import { ListenFlag, Request, SessionEvent, SessionMessage, SynAnswer, UdpBindFlag } from './message.js';
import type { ConnectOptions, DatagramInfo, EndpointInfo, ListenOptions, SessionPort, UdpBindOptions } from './port.js';
import { encodeText } from './text.js';

export const DEFAULT_BACKLOG = 511;
const MAX_REQUEST = 0x7fff_ffff;

export abstract class PortBase implements SessionPort {
  onEvent: (event: SessionMessage) => void = () => {};
  protected closed = false;
  readonly #message = new SessionMessage();
  #lastRequest = 0;
  /** Connects without an answer. */
  readonly #connecting = new Set<number>();
  /** Those of them that the application has given up. */
  readonly #cancelled = new Set<number>();
  /** Requests of listeners, by handle, and the other way round. */
  readonly #listeners = new Map<number, number>();
  readonly #listening = new Set<number>();

  /** Carries a request to the session layer. The message is used again. */
  protected abstract submit(message: SessionMessage): void;
  abstract write(session: number, bytes: Uint8Array, from: number, count: number): number;
  abstract read(session: number, into: Uint8Array, at: number, count: number): number;
  abstract readable(session: number): number;
  abstract info(handle: number, into: EndpointInfo): boolean;
  abstract sendDatagram(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
    wantsAnswer: boolean,
  ): number;
  abstract receiveDatagram(socket: number, into: Uint8Array, at: number, info: DatagramInfo): number;
  abstract wait(request: number, answer: SessionMessage): boolean;
  abstract close(): void;

  get isClosed(): boolean {
    return this.closed;
  }

  listen(options: ListenOptions): number {
    const message = this.#begin(Request.listen);
    message.flags =
      (options.ipv6Only ? ListenFlag.ipv6Only : 0) |
      (options.reuseport ? ListenFlag.reuseport : 0) |
      (options.anyPort ? ListenFlag.anyPort : 0) |
      (options.askOnSyn ? ListenFlag.askOnSyn : 0);
    message.value = options.backlog ?? DEFAULT_BACKLOG;
    if (options.local) copyWords(message.local, options.local);
    message.localPort = options.localPort ?? 0;
    this.#listening.add(message.request);
    return this.#submitRequest(message);
  }

  unlisten(listener: number): void {
    this.#listening.delete(this.#listeners.get(listener) ?? 0);
    this.#listeners.delete(listener);
    this.#submitFor(Request.unlisten, listener);
  }

  connect(options: ConnectOptions): number {
    const message = this.#begin(Request.connect);
    copyWords(message.remote, options.remote);
    message.remotePort = options.remotePort;
    if (options.local) copyWords(message.local, options.local);
    message.localPort = options.localPort ?? 0;
    this.#connecting.add(message.request);
    return this.#submitRequest(message);
  }

  cancel(request: number): void {
    if (!this.#connecting.has(request) || this.#cancelled.has(request)) return;
    this.#cancelled.add(request);
    const message = this.#message.reset(Request.cancel);
    message.value = request;
    this.submit(message);
  }

  answerSyn(session: number, accept: boolean): void {
    const message = this.#message.reset(Request.answerSyn);
    message.session = session;
    message.value = accept ? SynAnswer.accept : SynAnswer.reject;
    this.submit(message);
  }

  shutdown(session: number): void {
    this.#submitFor(Request.shutdown, session);
  }

  closeSession(session: number): void {
    this.#submitFor(Request.close, session);
  }

  reset(session: number): void {
    this.#submitFor(Request.reset, session);
  }

  setOption(handle: number, option: number, value: number): number {
    const message = this.#begin(Request.setOption);
    message.session = handle;
    message.flags = option;
    message.value = value;
    return this.#submitRequest(message);
  }

  udpBind(options: UdpBindOptions): number {
    const message = this.#begin(Request.udpBind);
    message.flags = (options.ipv6Only ? UdpBindFlag.ipv6Only : 0) | (options.reuseport ? UdpBindFlag.reuseport : 0);
    if (options.local) copyWords(message.local, options.local);
    message.localPort = options.localPort ?? 0;
    return this.#submitRequest(message);
  }

  udpConnect(socket: number, remote: AddressWords, remotePort: number): number {
    const message = this.#begin(Request.udpConnect);
    message.session = socket;
    copyWords(message.remote, remote);
    message.remotePort = remotePort;
    return this.#submitRequest(message);
  }

  udpDisconnect(socket: number): number {
    const message = this.#begin(Request.udpDisconnect);
    message.session = socket;
    return this.#submitRequest(message);
  }

  udpMembership(socket: number, group: AddressWords, local: AddressWords, join: boolean): number {
    const message = this.#begin(Request.udpMembership);
    message.session = socket;
    message.flags = join ? 1 : 0;
    copyWords(message.remote, group);
    copyWords(message.local, local);
    return this.#submitRequest(message);
  }

  udpClose(socket: number): void {
    this.#submitFor(Request.udpClose, socket);
  }

  resolve(name: string, family: number): number {
    const message = this.#begin(Request.resolve);
    message.value = family;
    message.payload = encodeText(name);
    message.payloadBytes = message.payload.length;
    return this.#submitRequest(message);
  }

  /** The number of the next request. */
  protected nextRequest(): number {
    this.#lastRequest = this.#lastRequest === MAX_REQUEST ? 1 : this.#lastRequest + 1;
    return this.#lastRequest;
  }

  /** Hands an event to the application, unless the application has made it void in the meantime. */
  protected dispatch(event: SessionMessage): void {
    switch (event.type) {
      case SessionEvent.connected:
        this.#connecting.delete(event.request);
        if (this.#cancelled.delete(event.request)) {
          this.reset(event.session);
          event.type = SessionEvent.failed;
          event.errno = Errno.ECANCELED;
          event.session = 0;
        }
        break;
      case SessionEvent.failed:
        this.#connecting.delete(event.request);
        this.#listening.delete(event.request);
        if (this.#cancelled.delete(event.request)) event.errno = Errno.ECANCELED;
        break;
      case SessionEvent.listening:
        this.noteListening(event);
        break;
      case SessionEvent.accepted:
      case SessionEvent.synReceived:
        if (!this.#listening.has(event.request)) {
          this.reset(event.session);
          return;
        }
        if (event.type === SessionEvent.accepted) this.#submitFor(Request.accept, event.session);
        break;
    }
    this.onEvent(event);
  }

  /** Learns the handle of a new listener; to be called for a `listening` event that does not pass dispatch. */
  protected noteListening(event: SessionMessage): void {
    this.#listeners.set(event.session, event.request);
  }

  #begin(type: number): SessionMessage {
    const message = this.#message.reset(type);
    message.request = this.nextRequest();
    return message;
  }

  #submitRequest(message: SessionMessage): number {
    const request = message.request;
    this.submit(message);
    return request;
  }

  #submitFor(type: number, handle: number): void {
    const message = this.#message.reset(type);
    message.session = handle;
    this.submit(message);
  }
}
