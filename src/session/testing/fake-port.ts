/** The application's end of a fake network: carries out requests on the spot and queues events. */
import { type AddressWords, copyWords } from '../address.js';
import { Errno } from '../errno.js';
import { EventQueue } from '../event-queue.js';
import { Request, SessionEvent, SessionMessage, SocketOption, SynAnswer, UdpBindFlag } from '../message.js';
import type { DatagramInfo, EndpointInfo } from '../port.js';
import { PortBase } from '../port-base.js';
import { decodeText } from '../text.js';
import {
  endpointEvent,
  type FakeListener,
  type FakeSession,
  type FakeUdpSocket,
  failedEvent,
} from './fake-endpoint.js';
import type { FakeNetwork } from './fake-network.js';
import { FakeTcp } from './fake-tcp.js';
import { FakeUdp } from './fake-udp.js';

export class FakePort extends PortBase {
  readonly #network: FakeNetwork;
  readonly #tcp: FakeTcp;
  readonly #udp: FakeUdp;
  readonly #events = new EventQueue();

  constructor(network: FakeNetwork) {
    super();
    this.#network = network;
    this.#tcp = new FakeTcp(network, this);
    this.#udp = new FakeUdp(network, this);
  }

  get pendingEvents(): number {
    return this.#events.length;
  }

  post(event: SessionMessage): void {
    if (this.closed) return;
    this.#events.push(event);
    this.#network.wake();
  }

  /** Hands the events that wait now to the application. */
  deliver(): void {
    for (let left = this.#events.length; left > 0; left--) {
      const event = this.#events.shift();
      if (event === undefined || this.closed) return;
      if (isAboutHandle(event) && this.#network.handles.get(event.session) === undefined) continue;
      this.dispatch(event);
    }
    if (this.#events.length > 0) this.#network.wake();
  }

  write(session: number, bytes: Uint8Array, from: number, count: number): number {
    const end = this.#session(session);
    if (end === undefined || end.hasShutdown || end.isGone) return 0;
    if (end.peer === undefined) {
      // The peer let go in order; what is written now is answered with RST. RFC 9293 section 3.10.7.1.
      this.#tcp.fail(end, Errno.ECONNRESET);
      return count;
    }
    const taken = end.peer.rx.write(bytes, from, count);
    end.wantsToWrite = taken < count;
    if (taken > 0) notifyReadable(end.peer);
    return taken;
  }

  read(session: number, into: Uint8Array, at: number, count: number): number {
    const end = this.#session(session);
    if (end === undefined) return 0;
    end.isReadableKnown = false;
    const taken = end.rx.read(into, at, count);
    const peer = end.peer;
    if (taken > 0 && peer?.wantsToWrite) {
      peer.wantsToWrite = false;
      peer.port.post(endpointEvent(SessionEvent.writable, 0, peer));
    }
    return taken;
  }

  readable(session: number): number {
    return this.#session(session)?.rx.length ?? 0;
  }

  info(handle: number, into: EndpointInfo): boolean {
    const end = this.#own(handle);
    if (end === undefined) return false;
    copyWords(into.local, end.local);
    into.localPort = end.localPort;
    copyWords(into.remote, end.remote);
    into.remotePort = end.remotePort;
    return true;
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
    const request = this.nextRequest();
    const end = this.#udpSocket(socket);
    if (end === undefined) return request;
    const errno = this.#udp.send(end, bytes.slice(from, from + count), remote, remotePort);
    if (wantsAnswer) {
      const event = endpointEvent(SessionEvent.sent, request, end);
      event.errno = errno;
      this.post(event);
    }
    return request;
  }

  receiveDatagram(socket: number, into: Uint8Array, at: number, info: DatagramInfo): number {
    const end = this.#udpSocket(socket);
    return end === undefined ? -1 : this.#udp.receive(end, into, at, info);
  }

  wait(request: number, answer: SessionMessage): boolean {
    if (!this.#events.takeAnswer(request, answer)) return false;
    if (answer.type === SessionEvent.listening) this.noteListening(answer);
    return true;
  }

  close(): void {
    if (this.closed) return;
    for (const end of this.#network.handles) {
      if (end.port !== this) continue;
      if (end.kind === 'session') this.#tcp.resetSession(end);
      else if (end.kind === 'listener') this.#tcp.unlisten(end);
      else this.#udp.close(end);
    }
    this.closed = true;
    this.#events.clear();
    this.#network.detach(this);
  }

  /** Breaks the carrier, as when the stack's process dies. */
  break(errno: number = Errno.ECONNRESET): void {
    if (this.closed) return;
    for (const end of this.#network.handles) {
      if (end.port === this && end.kind === 'session') this.#tcp.fail(end, errno);
    }
    this.deliver();
    this.failPending(errno);
    const event = new SessionMessage().reset(SessionEvent.detached);
    event.errno = errno;
    this.close();
    this.onEvent(event);
  }

  protected submit(message: SessionMessage): void {
    if (this.closed) return;
    switch (message.type) {
      case Request.listen:
        this.#tcp.listen(message);
        return;
      case Request.connect:
        this.#tcp.connect(message);
        return;
      case Request.cancel:
        this.#tcp.cancel(message.value);
        return;
      case Request.udpBind:
        this.#udpBind(message);
        return;
      case Request.resolve:
        this.#resolve(message);
        return;
      default:
        this.#submitForHandle(message);
        return;
    }
  }

  #submitForHandle(message: SessionMessage): void {
    const end = this.#own(message.session);
    if (end === undefined) {
      if (message.request !== 0) this.post(failedEvent(message.request, Errno.EBADF));
    } else if (end.kind === 'session') this.#submitForSession(end, message);
    else if (end.kind === 'udp') this.#udp.submit(end, message);
    else if (message.type === Request.unlisten) this.#tcp.unlisten(end);
  }

  #submitForSession(end: FakeSession, message: SessionMessage): void {
    switch (message.type) {
      case Request.accept:
        if (end.acceptedFor) end.acceptedFor.waiting--;
        end.acceptedFor = undefined;
        return;
      case Request.answerSyn:
        this.#tcp.answerSyn(end, message.value === SynAnswer.accept);
        return;
      case Request.shutdown:
        this.#tcp.shutdown(end);
        return;
      case Request.close:
        end.rx.length > 0 && !end.isGone ? this.#tcp.resetSession(end) : this.#tcp.closeSession(end);
        return;
      case Request.reset:
        this.#tcp.resetSession(end);
        return;
      case Request.setOption:
        if (message.flags !== SocketOption.noDelay && message.flags !== SocketOption.keepAliveMs) {
          this.post(failedEvent(message.request, Errno.ENOPROTOOPT));
        }
        return;
    }
  }

  #udpBind(message: SessionMessage): void {
    const event = this.#udp.bind(
      message,
      (message.flags & UdpBindFlag.ipv6Only) !== 0,
      (message.flags & UdpBindFlag.reuseport) !== 0,
    );
    this.post(event);
  }

  #resolve(message: SessionMessage): void {
    const found = this.#network.options.names?.[decodeText(message.payload)];
    if (found === undefined) {
      this.post(failedEvent(message.request, Errno.ENOENT));
      return;
    }
    const event = new SessionMessage().reset(SessionEvent.resolved);
    event.request = message.request;
    const payload = new Uint8Array(found.length * 16);
    const view = new DataView(payload.buffer);
    found.forEach((words, i) => {
      words.forEach((word, j) => {
        view.setInt32(i * 16 + j * 4, word);
      });
    });
    event.payload = payload;
    event.payloadBytes = payload.length;
    this.post(event);
  }

  #own(handle: number): FakeSession | FakeListener | FakeUdpSocket | undefined {
    const end = this.#network.handles.get(handle);
    return end?.port === this ? end : undefined;
  }

  #session(handle: number): FakeSession | undefined {
    const end = this.#own(handle);
    return end?.kind === 'session' ? end : undefined;
  }

  #udpSocket(handle: number): FakeUdpSocket | undefined {
    const end = this.#own(handle);
    return end?.kind === 'udp' ? end : undefined;
  }
}

/** True for events that are void once their handle is dead. */
function isAboutHandle(event: SessionMessage): boolean {
  return event.session !== 0 && event.type !== SessionEvent.sent;
}

function notifyReadable(end: FakeSession): void {
  if (end.isReadableKnown) return;
  end.isReadableKnown = true;
  end.port.post(endpointEvent(SessionEvent.readable, 0, end));
}
