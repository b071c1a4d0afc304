/**
 * The application's end of a byte stream to a session layer in another process. See stream-protocol.ts.
 *
 *   calls ─► messages and data ─► one write at the end of the turn ─► sink
 *   socket ─► receive() ─► data into the sessions' queues, events to the application
 */
import type { AddressWords } from './address.js';
import { copyWords } from './address.js';
import { Errno } from './errno.js';
import { isWaitable } from './event-queue.js';
import { NO_HANDLE } from './handle.js';
import { MAX_DATAGRAM_BYTES, Request, SessionEvent, SessionMessage, SynAnswer, UdpSendFlag } from './message.js';
import type { DatagramInfo, EndpointInfo } from './port.js';
import { PortBase } from './port-base.js';
import type { CreditedEnd } from './stream-ends.js';
import { StreamInbox } from './stream-inbox.js';
import { StreamParser } from './stream-parser.js';
import { type ByteSink, datagramCost, UDP_WINDOW_BYTES, WINDOW_BYTES } from './stream-protocol.js';
import { StreamSender } from './stream-sender.js';
import { encodeText } from './text.js';

export interface StreamPortOptions {
  readonly sink: ByteSink;
  /** Calls its argument later, before the application waits for anything: what was asked for is written then. */
  readonly schedule: (flush: () => void) => void;
  /** Name of the application, for people. */
  readonly name: string;
  /** Handle of the application that this is a further worker of. */
  readonly application?: number;
  /**
   * Waits until bytes have come and passes them to `receive`; false if none will. Without it `wait` always fails.
   */
  readonly readMore?: () => boolean;
}

/** So many read bytes without credit are told. */
const CREDIT_STEP_BYTES = WINDOW_BYTES >> 2;
const UDP_CREDIT_STEP_BYTES = UDP_WINDOW_BYTES >> 2;

export class StreamPort extends PortBase {
  readonly #options: StreamPortOptions;
  readonly #sender: StreamSender;
  readonly #parser: StreamParser;
  readonly #inbox = new StreamInbox();
  /** Requests that can be waited for. */
  readonly #waitable = new Set<number>();
  readonly #message = new SessionMessage();
  #isFlushScheduled = false;
  #isDelivering = false;
  #isWaiting = false;
  #isEnding = false;

  constructor(options: StreamPortOptions) {
    super();
    this.#options = options;
    this.#sender = new StreamSender(options.sink);
    this.#parser = new StreamParser(
      {
        onMessage: (message) => {
          if (message.type === SessionEvent.detached) this.#broken(message.errno);
          else this.#inbox.arrive(message);
        },
        onData: (session, bytes, from, count) => this.#inbox.arriveData(session, bytes, from, count),
      },
      SessionEvent.data,
    );
    const attach = this.#message.reset(options.application ? Request.registerWorker : Request.attach);
    attach.request = this.nextRequest();
    attach.session = options.application ?? NO_HANDLE;
    attach.payload = encodeText(options.name);
    this.#send(attach);
  }

  /** Handle of the application, for further workers of it; 0 before the `attached` event. */
  get application(): number {
    return this.#inbox.application;
  }

  // ── the stream's side ──

  /** Bytes came from the session layer. The memory belongs to the port from now on. */
  receive(bytes: Uint8Array): void {
    if (this.closed) return;
    if (!this.#parser.receive(bytes)) {
      this.#broken(Errno.EPROTO);
      return;
    }
    if (this.#isWaiting) return;
    this.#deliver();
    this.#flush();
  }

  /** What the sink kept is written. */
  drained(): void {
    this.#sender.drained();
    if (this.#isEnding) {
      if (!this.#sender.isBlocked) this.#options.sink.end();
      return;
    }
    if (this.closed || this.#sender.isBlocked) return;
    for (const end of this.#inbox.heldBack) this.#inbox.tellWritable(end);
    this.#inbox.heldBack.clear();
    if (this.#isWaiting) return;
    this.#deliver();
    this.#flush();
  }

  /** The stream is closed by the other side, or broken. */
  streamClosed(errno: number = Errno.ECONNRESET): void {
    if (!this.closed) this.#broken(errno);
  }

  // ── the application's side ──

  write(session: number, bytes: Uint8Array, from: number, count: number): number {
    const end = this.#inbox.session(session);
    if (end === undefined || !end.isWritable) return 0;
    const sender = this.#sender;
    let taken = 0;
    while (taken < count && end.credit > 0) {
      const piece = Math.min(count - taken, end.credit, sender.dataRoom());
      if (piece === 0) break;
      sender.bytes.set(bytes.subarray(from + taken, from + taken + piece), sender.payloadAt);
      const message = this.#message.reset(Request.data);
      message.session = session;
      sender.placed(message, piece);
      end.credit -= piece;
      taken += piece;
    }
    if (taken < count) this.#holdBack(end, end.credit > 0);
    this.#scheduleFlush();
    return taken;
  }

  read(session: number, into: Uint8Array, at: number, count: number): number {
    const end = this.#inbox.session(session);
    if (end === undefined) return 0;
    end.isReadableKnown = false;
    const taken = end.received.read(into, at, count);
    if (!end.isGone) this.#owe(end, taken, CREDIT_STEP_BYTES);
    return taken;
  }

  readable(session: number): number {
    return this.#inbox.session(session)?.received.length ?? 0;
  }

  info(handle: number, into: EndpointInfo): boolean {
    const end = this.#inbox.get(handle);
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
    const end = this.#inbox.socket(socket);
    if (end === undefined || count > MAX_DATAGRAM_BYTES) {
      const errno = end === undefined ? Errno.EBADF : Errno.EMSGSIZE;
      return this.#refuseDatagram(socket, errno, wantsAnswer);
    }
    const hasCredit = end.credit >= datagramCost(count);
    if (!hasCredit || !this.#sender.hasRoom(count)) {
      this.#holdBack(end, hasCredit);
      return 0;
    }
    const message = this.#message.reset(Request.udpSend);
    message.request = this.nextRequest();
    message.session = socket;
    message.flags = (wantsAnswer ? UdpSendFlag.answer : 0) | (remote === undefined ? 0 : UdpSendFlag.remote);
    if (remote !== undefined) copyWords(message.remote, remote);
    message.remotePort = remotePort;
    this.#sender.bytes.set(bytes.subarray(from, from + count), this.#sender.payloadAt);
    this.#sender.placed(message, count);
    end.credit -= datagramCost(count);
    this.#scheduleFlush();
    return message.request;
  }

  receiveDatagram(socket: number, into: Uint8Array, at: number, info: DatagramInfo): number {
    const end = this.#inbox.socket(socket);
    if (end === undefined) return -1;
    end.isReadableKnown = false;
    const datagram = end.datagrams.shift();
    if (datagram === undefined) return -1;
    const { bytes } = datagram;
    into.set(bytes.subarray(0, into.length - at), at);
    copyWords(info.remote, datagram.remote);
    info.remotePort = datagram.remotePort;
    copyWords(info.local, datagram.local);
    info.ttl = datagram.ttl;
    this.#owe(end, datagramCost(bytes.length), UDP_CREDIT_STEP_BYTES);
    return bytes.length;
  }

  wait(request: number, answer: SessionMessage): boolean {
    if (!this.#waitable.has(request)) return false;
    this.#flush();
    this.#isWaiting = true;
    let isAnswered = this.#inbox.events.takeAnswer(request, answer);
    while (!isAnswered && !this.closed && this.#options.readMore?.() === true) {
      isAnswered = this.#inbox.events.takeAnswer(request, answer);
    }
    this.#isWaiting = false;
    if (isAnswered && answer.type === SessionEvent.listening) this.noteListening(answer);
    if (isAnswered) this.#waitable.delete(request);
    this.#scheduleFlush();
    return isAnswered;
  }

  close(): void {
    if (this.closed) return;
    this.#flush();
    this.#forgetAll();
    this.#isEnding = true;
    if (!this.#sender.isBlocked) this.#options.sink.end();
  }

  protected submit(message: SessionMessage): void {
    if (this.closed) return;
    const { type, session } = message;
    if (type === Request.close || type === Request.reset) {
      const end = this.#inbox.session(session);
      if (end !== undefined) message.value = end.owed;
      this.#inbox.forget(session);
    } else if (type === Request.unlisten || type === Request.udpClose || isRejection(message)) {
      this.#inbox.forget(session);
    } else if (type === Request.shutdown) {
      const end = this.#inbox.session(session);
      if (end !== undefined) end.isShutdown = true;
    } else if (isAnsweredAtOnce(type)) {
      this.#waitable.add(message.request);
    }
    this.#send(message);
  }

  // ── what comes ──

  /** Gives all events to the application, those that come up meanwhile included. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (!this.closed) {
        const event = this.#inbox.events.shift();
        if (event === undefined) break;
        if (isWaitable(event.type)) this.#waitable.delete(event.request);
        if (this.#inbox.isCurrent(event)) this.dispatch(event);
      }
    } finally {
      this.#isDelivering = false;
      if (this.#inbox.events.length > 0) this.#scheduleFlush();
    }
  }

  /** Everything is gone; the application is told so. */
  #broken(errno: number): void {
    this.#forgetAll();
    this.#parser.stop();
    this.#options.sink.end();
    const event = new SessionMessage().reset(SessionEvent.detached);
    event.errno = errno;
    this.onEvent(event);
  }

  #forgetAll(): void {
    this.closed = true;
    this.#inbox.forgetAll();
    this.#waitable.clear();
  }

  // ── what goes ──

  #send(message: SessionMessage): void {
    this.#sender.message(message);
    this.#scheduleFlush();
  }

  #flush(): void {
    this.#sender.flush();
    if (this.#sender.isOverrun) this.#broken(Errno.ENOBUFS);
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#isDelivering) return;
    this.#isFlushScheduled = true;
    this.#options.schedule(() => {
      this.#isFlushScheduled = false;
      if (this.closed) return;
      this.#deliver();
      this.#flush();
    });
  }

  #holdBack(end: CreditedEnd, hasCredit: boolean): void {
    end.wantsWritable = true;
    if (hasCredit) this.#inbox.heldBack.add(end);
  }

  /** Notes bytes that were read; gives credit for them when there are enough. */
  #owe(end: CreditedEnd, bytes: number, step: number): void {
    end.owed += bytes;
    if (end.owed < step) return;
    const message = this.#message.reset(Request.credit);
    message.session = end.handle;
    message.value = end.owed;
    end.owed = 0;
    this.#send(message);
  }

  #refuseDatagram(socket: number, errno: number, wantsAnswer: boolean): number {
    const request = this.nextRequest();
    if (!wantsAnswer) return request;
    const event = this.#message.reset(SessionEvent.sent);
    event.request = request;
    event.session = socket;
    event.errno = errno;
    this.#inbox.events.push(event);
    this.#scheduleFlush();
    return request;
  }
}

function isRejection(message: SessionMessage): boolean {
  return message.type === Request.answerSyn && message.value === SynAnswer.reject;
}

function isAnsweredAtOnce(type: number): boolean {
  return (
    type === Request.listen ||
    type === Request.udpBind ||
    type === Request.udpConnect ||
    type === Request.udpDisconnect ||
    type === Request.udpMembership
  );
}
