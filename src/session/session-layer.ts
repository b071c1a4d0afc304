/**
 * The session layer of a stack's worker: whose connections, listeners and sockets are whose. Applications attach to it
 * over carriers (direct-carrier.ts, stream-server.ts), which hand in their requests and take their events.
 *
 *   after each pass of the graph:  tcp.flushEvents() ─► udp.flushEvents() ─► sessions.flush() ─► applications
 */
import type { Arena } from '../mem/arena.js';
import type { Tcp } from '../transport/tcp/tcp.js';
import type { Udp } from '../transport/udp/udp.js';
import type { AddressWords } from './address.js';
import { Application, AppWorker, type AttachOptions, type EventSink } from './application.js';
import { Errno } from './errno.js';
import { HandleKind, handleKind } from './handle.js';
import { HandleTable } from './handle-table.js';
import { Listeners } from './listeners.js';
import { Request, SessionEvent, SessionMessage } from './message.js';
import type { EndpointInfo } from './port.js';
import { NO_ROW, RowTable } from './row-table.js';
import { SessionState } from './session-state.js';
import { StreamRows } from './stream-rows.js';
import { TcpSessions } from './tcp-sessions.js';
import { decodeText } from './text.js';
import { UdpSessions } from './udp-sessions.js';

/** Looks a host name up: calls `answer` once, at once or later, with an errno and the addresses. */
export type ResolveName = (
  stack: number,
  name: string,
  family: number,
  answer: (errno: number, addresses: readonly AddressWords[]) => void,
) => void;

export interface SessionLayerOptions {
  readonly arena: Arena;
  readonly tcp: Tcp;
  readonly udp: Udp;
  readonly maxConnections: number;
  readonly maxUdpSockets: number;
  /** True if the stack has the address. */
  readonly isLocalAddress: (stack: number, address: AddressWords) => boolean;
  /** Without it no name is known. */
  readonly resolveName?: ResolveName;
  /** Number of the stack's worker thread; part of the handles. */
  readonly worker?: number;
}

/** A carrier that has something to bring to its application. */
export interface Flushable {
  flush(): void;
}

export class SessionLayer {
  readonly tcp: TcpSessions;
  readonly udp: UdpSessions;
  readonly state: SessionState;
  /** Called when there is something to do or to flush: the engine schedules a run. */
  wake: () => void = () => {};
  readonly #arena: Arena;
  readonly #maxConnections: number;
  readonly #maxUdpSockets: number;
  #streamRows: StreamRows | undefined;
  #udpStreamRows: StreamRows | undefined;
  readonly #listeners: Listeners;
  readonly #applications: HandleTable<Application>;
  readonly #resolveName: ResolveName | undefined;
  #toFlush: Flushable[] = [];
  #flushing: Flushable[] = [];

  constructor(options: SessionLayerOptions) {
    const { arena, tcp, udp } = options;
    const worker = options.worker ?? 0;
    this.#arena = arena;
    this.#maxConnections = options.maxConnections;
    this.#maxUdpSockets = options.maxUdpSockets;
    const rows = new RowTable(arena, options.maxConnections, HandleKind.session, worker);
    const udpRows = new RowTable(arena, options.maxUdpSockets, HandleKind.udpSocket, worker);
    this.state = new SessionState(tcp, rows, worker, options.isLocalAddress);
    this.#listeners = new Listeners(this.state);
    this.tcp = new TcpSessions(this.state, this.#listeners);
    this.udp = new UdpSessions(this.state, udp, udpRows);
    this.#applications = new HandleTable(worker, HandleKind.application);
    this.#resolveName = options.resolveName;
    tcp.events = this.tcp;
    udp.events = this.udp;
  }

  /** What stream carriers keep about sessions. */
  get streamRows(): StreamRows {
    this.#streamRows ??= new StreamRows(this.#arena, this.#maxConnections);
    return this.#streamRows;
  }

  /** What stream carriers keep about UDP sockets. */
  get udpStreamRows(): StreamRows {
    this.#udpStreamRows ??= new StreamRows(this.#arena, this.#maxUdpSockets);
    return this.#udpStreamRows;
  }

  get applications(): Iterable<Application> {
    return this.#applications;
  }

  // ── applications ──

  /** A new application with its first worker. */
  attach(options: AttachOptions, sink: EventSink): AppWorker {
    const application = new Application(options, {
      sessions: this.#maxConnections,
      listeners: this.#maxConnections,
      udpSockets: this.#maxUdpSockets,
    });
    application.handle = this.#applications.add(application);
    return this.addWorker(application, sink);
  }

  /** The same by the application's handle; undefined if there is no such one in that namespace and stack. */
  registerWorker(application: number, namespace: number, stack: number, sink: EventSink): AppWorker | undefined {
    const found = this.#applications.get(application);
    if (found === undefined || found.namespace !== namespace || found.stack !== stack) return undefined;
    return this.addWorker(found, sink);
  }

  /** A further worker of an application. */
  addWorker(application: Application, sink: EventSink): AppWorker {
    const { workers } = this.state;
    const free = workers.indexOf(undefined);
    const worker = new AppWorker(free < 0 ? workers.length : free, application, sink);
    workers[worker.index] = worker;
    application.workers.push(worker);
    return worker;
  }

  /** The death of an app worker: its sessions are reset, its listeners and sockets are closed, and nothing else. */
  detach(worker: AppWorker): void {
    if (this.state.workers[worker.index] !== worker) return;
    this.tcp.removeWorker(worker);
    this.udp.removeWorker(worker);
    this.state.workers[worker.index] = undefined;
    const { application } = worker;
    application.workers.splice(application.workers.indexOf(worker), 1);
    if (application.workers.length === 0) this.#applications.remove(application.handle);
  }

  /** A stack goes away: its applications are detached and told so. */
  removeStack(stack: number): void {
    for (const worker of [...this.state.workers]) {
      if (worker?.application.stack !== stack) continue;
      const event = this.state.newEvent(SessionEvent.detached, 0, 0);
      event.errno = Errno.ENETDOWN;
      worker.sink.event(event);
      this.detach(worker);
      this.state.dropTableIfEmpty(worker.application.namespace);
    }
  }

  // ── requests ──

  /** Carries out a request; answers are events. What makes no sense is answered with an errno, or ignored. */
  handle(worker: AppWorker, request: SessionMessage): void {
    // It may have started a timer that is due before the engine meant to run next.
    this.wake();
    switch (request.type) {
      case Request.listen:
        this.#listeners.listen(worker, request);
        return;
      case Request.connect:
        this.tcp.connect(worker, request);
        return;
      case Request.cancel:
        this.tcp.cancel(worker, request.value);
        return;
      case Request.udpBind:
        this.udp.bind(worker, request);
        return;
      case Request.resolve:
        this.#resolve(worker, request);
        return;
      default:
        this.#handleFor(worker, request);
    }
  }

  /** Fills in both ends of what `handle` names; false if it is not the worker's. */
  info(worker: AppWorker, handle: number, into: EndpointInfo): boolean {
    if (handleKind(handle) === HandleKind.listener) {
      const member = this.#listeners.member(worker, handle);
      if (member === undefined) return false;
      this.#listeners.info(member, into);
      return true;
    }
    const row = this.findRow(worker, handle);
    if (row === NO_ROW) return false;
    if (handleKind(handle) === HandleKind.session) this.tcp.info(row, into);
    else this.udp.info(row, into);
    return true;
  }

  /** Row of a session's or UDP socket's handle that `worker` holds, or NO_ROW. */
  findRow(worker: AppWorker, handle: number): number {
    const rows = handleKind(handle) === HandleKind.udpSocket ? this.udp.rows : this.state.rows;
    return rows.find(handle, worker.index);
  }

  /** True if events about `handle` still mean something to `worker`. */
  isHeld(worker: AppWorker, handle: number): boolean {
    if (handleKind(handle) === HandleKind.listener) return this.#listeners.member(worker, handle) !== undefined;
    return handleKind(handle) === HandleKind.application || this.findRow(worker, handle) !== NO_ROW;
  }

  // ── events ──

  /** A carrier has something to bring: it is flushed after the pass. */
  requestFlush(carrier: Flushable): void {
    this.#toFlush.push(carrier);
    if (this.#toFlush.length === 1) this.wake();
  }

  /** True while carriers wait to be flushed. */
  get hasWork(): boolean {
    return this.#toFlush.length > 0;
  }

  /** Brings all events to the applications. To be called after each pass, never from inside it. */
  flush(): void {
    const flushing = this.#toFlush;
    this.#toFlush = this.#flushing;
    let done = 0;
    try {
      while (done < flushing.length) flushing[done++]!.flush();
    } finally {
      // An application that threw must not keep their events from the others.
      for (; done < flushing.length; done++) this.requestFlush(flushing[done]!);
      flushing.length = 0;
      this.#flushing = flushing;
    }
  }

  #handleFor(worker: AppWorker, request: SessionMessage): void {
    const handle = request.session;
    if (request.type === Request.unlisten) {
      const member = this.#listeners.member(worker, handle);
      if (member !== undefined) this.tcp.unlisten(member);
      return;
    }
    const row = this.findRow(worker, handle);
    if (row === NO_ROW) {
      if (request.request !== 0) this.state.fail(worker, request.request, Errno.EBADF);
      return;
    }
    const isSession = handleKind(handle) === HandleKind.session;
    if (request.type === Request.setOption) {
      const part = isSession ? this.tcp : this.udp;
      const errno = part.setOption(row, request.flags, request.value);
      if (errno !== 0) this.state.fail(worker, request.request, errno);
    } else if (isSession) this.#handleForSession(worker, row, request);
    else this.udp.handle(worker, row, request);
  }

  #handleForSession(worker: AppWorker, row: number, request: SessionMessage): void {
    switch (request.type) {
      case Request.accept:
        this.tcp.take(row);
        return;
      case Request.answerSyn:
        this.tcp.answerSyn(row, request.value);
        return;
      case Request.shutdown:
        this.tcp.shutdown(row);
        return;
      case Request.close:
        this.tcp.release(row);
        return;
      case Request.reset:
        this.tcp.abort(row);
        return;
      default:
        this.state.fail(worker, request.request, Errno.EOPNOTSUPP);
    }
  }

  #resolve(worker: AppWorker, request: SessionMessage): void {
    const number = request.request;
    const answer = (errno: number, addresses: readonly AddressWords[]): void => {
      if (this.state.workers[worker.index] !== worker) return;
      if (errno !== 0) this.state.fail(worker, number, errno);
      else worker.sink.event(resolvedEvent(number, addresses));
    };
    if (this.#resolveName === undefined) answer(Errno.ENOENT, []);
    else this.#resolveName(worker.application.stack, decodeText(request.payload), request.value, answer);
  }
}

/** Sixteen bytes an address, in network order. */
function resolvedEvent(request: number, addresses: readonly AddressWords[]): SessionMessage {
  const event = new SessionMessage().reset(SessionEvent.resolved);
  event.request = request;
  event.payload = new Uint8Array(addresses.length * 16);
  event.payloadBytes = event.payload.length;
  const view = new DataView(event.payload.buffer);
  addresses.forEach((words, i) => {
    for (let j = 0; j < 4; j++) view.setInt32(i * 16 + j * 4, words[j]!);
  });
  return event;
}
