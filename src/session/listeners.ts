/** Makes and ends listeners. Who shares what is explained in app-listener.ts. */
import { copyWords, isAnyWords, isIpv4Words } from './address.js';
import { AppListener, type ListenerMember, ListenSession } from './app-listener.js';
import type { AppWorker } from './application.js';
import { Errno } from './errno.js';
import { handleIndex } from './handle.js';
import { ListenFlag, SessionEvent, type SessionMessage } from './message.js';
import type { EndpointInfo } from './port.js';
import type { SessionState } from './session-state.js';
import type { Binding } from './session-table.js';

const ANY_ADDRESS = new Int32Array(4);

export class Listeners {
  readonly #state: SessionState;
  /** By the transport's index. */
  readonly #byListener = new Map<number, ListenSession>();

  constructor(state: SessionState) {
    this.#state = state;
  }

  /** The listen session of a listener of the transport. */
  session(listener: number): ListenSession | undefined {
    return this.#byListener.get(listener);
  }

  member(worker: AppWorker, handle: number): ListenerMember | undefined {
    const member = this.#state.members.get(handle);
    return member?.worker === worker ? member : undefined;
  }

  /** Carries out a `listen` request. */
  listen(worker: AppWorker, request: SessionMessage): void {
    const member = this.#join(worker, request);
    if (typeof member === 'number') {
      this.#state.fail(worker, request.request, member);
      return;
    }
    const { session } = member.appListener;
    const event = this.#state.newEvent(SessionEvent.listening, member.request, member.handle);
    copyWords(event.local, session.local);
    event.localPort = session.port;
    worker.sink.event(event);
  }

  /** Takes a worker out of a listener; the last one ends it. Its connections must be gone. */
  remove(member: ListenerMember): void {
    const { appListener } = member;
    const { session, application } = appListener;
    this.#state.members.remove(member.handle);
    application.listenerCount--;
    appListener.remove(member);
    if (appListener.members.length > 0) return;
    session.group.remove(appListener);
    if (session.group.listeners.length > 0) return;
    this.#state.table(session.namespace).listenSessions.delete(session);
    this.#byListener.delete(session.listener);
    this.#state.tcp.unlisten(session.listener);
  }

  info(member: ListenerMember, into: EndpointInfo): void {
    const { session } = member.appListener;
    copyWords(into.local, session.local);
    into.localPort = session.port;
    into.remote.fill(0);
    into.remotePort = 0;
  }

  /** A new member, or the errno that says why there is none. */
  #join(worker: AppWorker, request: SessionMessage): ListenerMember | number {
    const { application } = worker;
    if (application.listenerCount >= application.limits.listeners) return Errno.EMFILE;
    const session = this.#findOrMake(worker, request);
    if (typeof session === 'number') return session;
    let appListener = session.group.find(application);
    if (appListener === undefined) {
      appListener = new AppListener(application, session);
      session.group.listeners.push(appListener);
    }
    const member: ListenerMember = { worker, appListener, request: request.request, handle: 0 };
    member.handle = this.#state.members.add(member);
    appListener.members.push(member);
    application.listenerCount++;
    return member;
  }

  #findOrMake(worker: AppWorker, request: SessionMessage): ListenSession | number {
    const wanted: Binding = {
      local: request.local,
      port: request.localPort,
      isAnyPort: (request.flags & ListenFlag.anyPort) !== 0,
      isIpv6Only: (request.flags & ListenFlag.ipv6Only) !== 0,
      isReuseport: (request.flags & ListenFlag.reuseport) !== 0,
      asksOnSyn: (request.flags & ListenFlag.askOnSyn) !== 0,
    };
    const errno = this.#checkAddress(worker, wanted);
    if (errno !== 0) return errno;
    const table = this.#state.table(worker.application.namespace);
    const isChosen = wanted.port !== 0 || wanted.isAnyPort;
    const existing = isChosen ? table.find(wanted) : undefined;
    if (existing !== undefined) return canJoin(existing, worker, wanted) ? existing : Errno.EADDRINUSE;
    if (isChosen && table.isTaken(wanted)) return Errno.EADDRINUSE;
    return this.#make(worker, wanted, request.value);
  }

  #checkAddress(worker: AppWorker, wanted: Binding): number {
    if (isAnyWords(wanted.local)) {
      return wanted.isIpv6Only && !isIpv4Words(wanted.local) ? Errno.EAFNOSUPPORT : 0;
    }
    return this.#state.isLocalAddress(worker.application.stack, wanted.local) ? 0 : Errno.EADDRNOTAVAIL;
  }

  #make(worker: AppWorker, wanted: Binding, backlog: number): ListenSession | number {
    const { tcp } = this.#state;
    const namespace = worker.application.namespace;
    const local = isAnyWords(wanted.local) ? ANY_ADDRESS : Int32Array.from(wanted.local);
    const options = { backlog: Math.max(1, backlog), anyPort: wanted.isAnyPort };
    const listener = tcp.listen(namespace, local, wanted.port, options);
    if (typeof listener === 'string') return Errno[listener];
    const port = wanted.isAnyPort ? 0 : tcp.listenerPort(listener);
    const session = new ListenSession(namespace, wanted, port, listener);
    this.#byListener.set(listener, session);
    this.#state.table(namespace).listenSessions.add(session);
    return session;
  }
}

/** Workers of one application always share; applications only if all of them ask for it. */
function canJoin(existing: ListenSession, worker: AppWorker, wanted: Binding): boolean {
  if (existing.asksOnSyn !== wanted.asksOnSyn) return false;
  const appListener = existing.group.find(worker.application);
  if (appListener !== undefined) return appListener.members.every((member) => member.worker !== worker);
  return existing.isReuseport && wanted.isReuseport;
}

/** What the `member` column of a row holds for a member. */
export function memberColumn(member: ListenerMember): number {
  return handleIndex(member.handle) + 1;
}
