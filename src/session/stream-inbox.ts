/** What comes in at an application's end of a stream carrier: the ends it has, their bytes, and events on their way. */
import { EventQueue } from './event-queue.js';
import { NO_HANDLE } from './handle.js';
import { SessionEvent, SessionMessage } from './message.js';
import { type CreditedEnd, StreamEnd, StreamSession, StreamSocket } from './stream-ends.js';

export class StreamInbox {
  readonly events = new EventQueue();
  /** Ends that the stream, not credit, holds back. */
  readonly heldBack = new Set<CreditedEnd>();
  /** Handle of the application, once it is attached. */
  application = NO_HANDLE;
  readonly #ends = new Map<number, StreamEnd>();
  readonly #message = new SessionMessage();

  get(handle: number): StreamEnd | undefined {
    return this.#ends.get(handle);
  }

  session(handle: number): StreamSession | undefined {
    const end = this.#ends.get(handle);
    return end instanceof StreamSession ? end : undefined;
  }

  socket(handle: number): StreamSocket | undefined {
    const end = this.#ends.get(handle);
    return end instanceof StreamSocket ? end : undefined;
  }

  /** The application lets go of an end. */
  forget(handle: number): void {
    const end = this.#ends.get(handle);
    if (end === undefined) return;
    this.#ends.delete(handle);
    this.heldBack.delete(end as CreditedEnd);
  }

  forgetAll(): void {
    this.#ends.clear();
    this.heldBack.clear();
    this.events.clear();
  }

  /** True if an event still means something: the application has not let go of what it names. */
  isCurrent(event: SessionMessage): boolean {
    const { type, session } = event;
    if (session === NO_HANDLE || type === SessionEvent.sent || type === SessionEvent.attached) return true;
    return this.#ends.has(session);
  }

  /** Takes an event: keeps what it says of its end, and queues it for the application. */
  arrive(event: SessionMessage): void {
    switch (event.type) {
      case SessionEvent.attached:
        this.application = event.session;
        break;
      case SessionEvent.listening:
        this.#ends.set(event.session, new StreamEnd(event));
        break;
      case SessionEvent.synReceived:
        this.#ends.set(event.session, new StreamSession(event));
        break;
      case SessionEvent.accepted:
      case SessionEvent.connected:
        this.#begin(event);
        break;
      case SessionEvent.bound:
        this.#bind(event);
        break;
      case SessionEvent.done:
        this.#ends.get(event.session)?.update(event);
        break;
      case SessionEvent.closed:
        this.#end(event);
        break;
      case SessionEvent.credit:
        this.#arriveCredit(event);
        return;
      case SessionEvent.datagram:
        this.#arriveDatagram(event);
        return;
    }
    this.events.push(event);
  }

  #begin(event: SessionMessage): void {
    const session = this.session(event.session) ?? new StreamSession(event);
    session.update(event);
    session.isConnected = true;
    session.credit = event.value;
    this.#ends.set(event.session, session);
  }

  #bind(event: SessionMessage): void {
    const socket = new StreamSocket(event);
    socket.credit = event.value;
    this.#ends.set(event.session, socket);
  }

  #end(event: SessionMessage): void {
    const session = this.session(event.session);
    if (session === undefined) return;
    session.isGone = true;
    this.heldBack.delete(session);
  }

  /** Takes bytes of a session; they may be kept. */
  arriveData(handle: number, bytes: Uint8Array, from: number, count: number): void {
    const session = this.session(handle);
    if (session === undefined) return;
    session.received.push(bytes, from, count);
    this.#tellReadable(session);
  }

  #arriveDatagram(event: SessionMessage): void {
    const socket = this.socket(event.session);
    if (socket === undefined) return;
    socket.datagrams.push({
      bytes: event.payload.slice(),
      remote: event.remote.slice(),
      remotePort: event.remotePort,
      local: event.local.slice(),
      ttl: event.value,
    });
    this.#tellReadable(socket);
  }

  #arriveCredit(event: SessionMessage): void {
    const end = this.session(event.session) ?? this.socket(event.session);
    if (end === undefined) return;
    end.credit += event.value;
    if (end.wantsWritable && !this.heldBack.has(end)) this.tellWritable(end);
  }

  #tellReadable(end: CreditedEnd): void {
    if (end.isReadableKnown) return;
    end.isReadableKnown = true;
    this.#post(SessionEvent.readable, end.handle);
  }

  tellWritable(end: CreditedEnd): void {
    end.wantsWritable = false;
    this.#post(SessionEvent.writable, end.handle);
  }

  #post(type: number, handle: number): void {
    const event = this.#message.reset(type);
    event.session = handle;
    this.events.push(event);
  }
}
