/** Connections and listeners of a fake network. */
import { isAnyWords } from '../address.js';
import { Errno } from '../errno.js';
import { ListenFlag, SessionEvent, type SessionMessage } from '../message.js';
import { endpointEvent, type FakeListener, type FakeSession, failedEvent } from './fake-endpoint.js';
import type { FakeNetwork } from './fake-network.js';
import type { FakePort } from './fake-port.js';

export class FakeTcp {
  readonly #network: FakeNetwork;
  readonly #port: FakePort;
  /** Connects that get no answer. */
  readonly #hanging = new Set<number>();

  constructor(network: FakeNetwork, port: FakePort) {
    this.#network = network;
    this.#port = port;
  }

  listen(message: SessionMessage): void {
    const listener: FakeListener = {
      kind: 'listener',
      port: this.#port,
      handle: 0,
      local: message.local.slice(),
      localPort: message.localPort,
      remote: new Int32Array(4),
      remotePort: 0,
      request: message.request,
      backlog: Math.max(1, message.value),
      isIpv6Only: (message.flags & ListenFlag.ipv6Only) !== 0,
      isAnyPort: (message.flags & ListenFlag.anyPort) !== 0,
      isReuseport: (message.flags & ListenFlag.reuseport) !== 0,
      asksOnSyn: (message.flags & ListenFlag.askOnSyn) !== 0,
      waiting: 0,
    };
    if (listener.localPort === 0 && !listener.isAnyPort) listener.localPort = this.#network.takePort();
    const errno = this.#network.bindConflict(this.#network.listeners, listener);
    if (errno !== 0) {
      this.#port.post(failedEvent(message.request, errno));
      return;
    }
    listener.handle = this.#network.handles.add(listener);
    this.#network.listeners.push(listener);
    this.#port.post(endpointEvent(SessionEvent.listening, message.request, listener));
  }

  unlisten(listener: FakeListener): void {
    this.#network.listeners.splice(this.#network.listeners.indexOf(listener), 1);
    this.#network.handles.remove(listener.handle);
    for (const end of this.#network.handles) {
      if (end.kind === 'session' && end.acceptedFor === listener) this.resetSession(end);
    }
  }

  connect(message: SessionMessage): void {
    const network = this.#network;
    const verdict = network.options.onConnect?.(message.remote, message.remotePort);
    if (verdict === 'hang') {
      this.#hanging.add(message.request);
      return;
    }
    if (verdict !== undefined && verdict !== 0) {
      this.#port.post(failedEvent(message.request, verdict));
      return;
    }
    const remote = network.localFor(message.remote);
    const listener = network.findListener(remote, message.remotePort);
    if (listener === undefined) {
      this.#port.post(failedEvent(message.request, Errno.ECONNREFUSED));
      return;
    }
    const client = network.makeSession(this.#port, undefined);
    client.local.set(isAnyWords(message.local) ? remote : message.local);
    client.localPort = message.localPort || network.takePort();
    client.remote.set(remote);
    client.remotePort = message.remotePort;
    const server = network.makeSession(listener.port, listener);
    server.local.set(client.remote);
    server.localPort = client.remotePort;
    server.remote.set(client.local);
    server.remotePort = client.localPort;
    server.peer = client;
    client.peer = server;
    client.connectRequest = message.request;
    if (listener.asksOnSyn) {
      listener.port.post(endpointEvent(SessionEvent.synReceived, listener.request, server));
    } else {
      this.#establish(server);
    }
  }

  cancel(request: number): void {
    if (this.#hanging.delete(request)) this.#port.post(failedEvent(request, Errno.ECANCELED));
  }

  answerSyn(server: FakeSession, accept: boolean): void {
    const client = server.peer;
    if (client === undefined || client.connectRequest === 0) return;
    if (accept) {
      this.#establish(server);
      return;
    }
    client.port.post(failedEvent(client.connectRequest, Errno.ECONNREFUSED));
    this.#network.handles.remove(client.handle);
    this.#network.handles.remove(server.handle);
  }

  #establish(server: FakeSession): void {
    const client = server.peer!;
    const listener = server.acceptedFor!;
    const request = client.connectRequest;
    client.connectRequest = 0;
    if (listener.waiting >= listener.backlog) {
      // A full backlog lets the SYN go by unanswered, until the peer gives up.
      client.port.post(failedEvent(request, Errno.ETIMEDOUT));
      this.#network.handles.remove(client.handle);
      this.#network.handles.remove(server.handle);
      return;
    }
    listener.waiting++;
    listener.port.post(endpointEvent(SessionEvent.accepted, listener.request, server));
    client.port.post(endpointEvent(SessionEvent.connected, request, client));
  }

  shutdown(end: FakeSession): void {
    if (end.hasShutdown || end.isGone) return;
    end.hasShutdown = true;
    const peer = end.peer;
    if (peer === undefined) {
      this.#finish(end);
      return;
    }
    peer.hasPeerShutdown = true;
    peer.port.post(endpointEvent(SessionEvent.peerClosed, 0, peer));
    if (!peer.hasShutdown) return;
    this.#finish(end);
    this.#finish(peer);
  }

  /** Both directions have ended in order. */
  #finish(end: FakeSession): void {
    end.isGone = true;
    end.peer = undefined;
    end.port.post(endpointEvent(SessionEvent.closed, 0, end));
  }

  fail(end: FakeSession, errno: number): void {
    if (end.isGone) return;
    end.isGone = true;
    end.peer = undefined;
    const event = endpointEvent(SessionEvent.closed, 0, end);
    event.errno = errno;
    end.port.post(event);
  }

  closeSession(end: FakeSession): void {
    const peer = end.peer;
    this.shutdown(end);
    this.#network.handles.remove(end.handle);
    if (peer !== undefined && peer.peer === end) peer.peer = undefined;
  }

  resetSession(end: FakeSession): void {
    const peer = end.peer;
    end.peer = undefined;
    this.#network.handles.remove(end.handle);
    if (peer !== undefined) this.fail(peer, Errno.ECONNRESET);
  }
}
