/**
 * TCP handle: what net.js knows as `TCP` of the tcp_wrap binding, on a stack's sessions. Return values and the order of
 * callbacks are those of libuv's TCP handles.
 */
import { Errno } from '../session/errno.js';
import { SessionEvent, type SessionMessage } from '../session/message.js';
import { callInto, inRootContext } from './callback.js';
import { atClosing } from './closing.js';
import { Endpoint } from './endpoint.js';
import { destroyOwner, explainError } from './handle-owner.js';
import type { EndpointObject, NodeRequest, TcpHandle } from './node-binding.js';
import { parseSocketAddress } from './socket-address.js';
import type { EventTarget, StackSockets } from './stack-sockets.js';
import { StackStream } from './stack-stream.js';
import { TcpBind } from './tcp-bind.js';
import { TcpConnect } from './tcp-connect.js';
import { TcpListener } from './tcp-listener.js';
import { TcpOptions } from './tcp-options.js';
import { uvCode, uvCodeOf } from './uv-errno.js';

const UV_EBADF = uvCode('EBADF');
const UV_EINVAL = uvCode('EINVAL');
const UV_EISCONN = uvCode('EISCONN');
const UV_EALREADY = uvCode('EALREADY');
const UV_ECONNREFUSED = uvCode('ECONNREFUSED');
const UV_ENOTCONN = uvCode('ENOTCONN');
const UV_ECANCELED = uvCode('ECANCELED');
const UV_EAFNOSUPPORT = uvCode('EAFNOSUPPORT');

const DEFAULT_BACKLOG = 511;

export class StackTcp extends StackStream implements TcpHandle, EventTarget {
  onconnection: TcpHandle['onconnection'];
  readonly #bind = new TcpBind();
  readonly #remote = new Endpoint();
  #connect: TcpConnect | undefined;
  #listener: TcpListener | undefined;
  #isListening = false;
  readonly #options: TcpOptions;

  constructor(sockets: StackSockets) {
    super(sockets);
    this.#options = new TcpOptions(sockets.port);
  }

  // ── addresses ──

  open(_fd: number): number {
    return UV_EINVAL;
  }

  bind(address: string, port: number, flags = 0): number {
    if (this.state.isClosed) return UV_EBADF;
    return this.state.session === 0 ? this.#bind.bind(address, port, flags) : UV_EINVAL;
  }

  bind6(_address: string, _port: number, _flags = 0): number {
    return UV_EAFNOSUPPORT;
  }

  getsockname(out: EndpointObject): number {
    if (!this.#bind.isBound && this.state.session === 0) return this.state.isClosed ? UV_EBADF : UV_EINVAL;
    if (this.#bind.local.port === 0) {
      // Someone wants to know the port before there is a listener or connection: it takes a listener to reserve one.
      const code = this.#openListener(DEFAULT_BACKLOG);
      if (code !== 0) return code;
    }
    this.#bind.local.describe(out);
    return 0;
  }

  getpeername(out: EndpointObject): number {
    if (this.state.session === 0) return this.#bind.isBound ? UV_ENOTCONN : UV_EBADF;
    this.#remote.describe(out);
    return 0;
  }

  // ── listening ──

  listen(backlog: number): number {
    if (this.state.isClosed) return UV_EBADF;
    if (this.state.session !== 0 || this.#connect !== undefined) return UV_EINVAL;
    const code = this.#openListener(backlog);
    if (code !== 0) return code;
    this.#isListening = true;
    this.state.loop.setActive(true);
    return 0;
  }

  #openListener(backlog: number): number {
    if (this.#listener !== undefined) return 0;
    this.#bind.bindIfNeeded();
    const listener = new TcpListener(this.state.sockets, {
      onAccepted: (event) => this.#onAccepted(event),
      onListenerFailed: (code) => {
        // Nothing can come any more: no reason to keep the process alive.
        this.state.loop.setActive(false);
        explainError(this, 'the network has ended', () => this.#callOnConnection(code));
      },
    });
    const code = listener.open(this.#bind, backlog);
    if (code === 0) this.#listener = listener;
    return code;
  }

  #onAccepted(event: SessionMessage): void {
    if (!this.#isListening || this.onconnection === undefined) {
      this.state.port.reset(event.session);
      return;
    }
    const client = inRootContext(() => new StackTcp(this.state.sockets));
    client.#begin(event);
    this.#callOnConnection(0, client);
  }

  #callOnConnection(code: number, client?: TcpHandle): void {
    const { onconnection } = this;
    if (onconnection === undefined || this.state.isClosed) return;
    if (client === undefined) callInto(this.state.resource, onconnection, this, code);
    else callInto(this.state.resource, onconnection, this, code, client);
  }

  // ── connecting ──

  connect(request: NodeRequest, address: string, port: number): number {
    if (this.state.isClosed) return UV_EBADF;
    if (this.#connect !== undefined) return UV_EALREADY;
    if (this.state.session !== 0 || this.#isListening) return UV_EISCONN;
    const words = parseSocketAddress(address, 4);
    if (words === undefined) return UV_EINVAL;
    if (this.state.port.isClosed) return UV_ECONNREFUSED;
    this.#listener?.close();
    this.#listener = undefined;
    this.#remote.set(words, port);
    this.#connect = new TcpConnect(this.state.sockets, request, this.#bind.local, this.#remote, this);
    return 0;
  }

  connect6(_request: NodeRequest, _address: string, _port: number): number {
    return UV_EAFNOSUPPORT;
  }

  #onConnected(connect: TcpConnect, event: SessionMessage): void {
    this.#begin(event);
    this.#endConnect(connect, 0);
  }

  #endConnect(connect: TcpConnect, code: number): void {
    this.#connect = undefined;
    connect.end();
    const { oncomplete } = connect.nodeRequest;
    const isOpen = code === 0;
    if (oncomplete === undefined) return;
    callInto(this.state.resource, oncomplete, connect.nodeRequest, code, this, connect.nodeRequest, isOpen, isOpen);
  }

  /** The handle has a session from now on. */
  #begin(event: SessionMessage): void {
    const state = this.state;
    state.sockets.ownSession(event.session, this);
    this.#bind.local.set(event.local, event.localPort);
    this.#remote.set(event.remote, event.remotePort);
    this.beginStream(event.session);
    this.#options.begin(event.session);
  }

  // ── events of the session layer ──

  onSessionEvent(event: SessionMessage): void {
    const connect = this.#connect;
    switch (event.type) {
      case SessionEvent.connected:
        if (connect?.isAnsweredBy(event)) this.#onConnected(connect, event);
        break;
      case SessionEvent.failed:
        if (connect?.isAnsweredBy(event)) this.#endConnect(connect, uvCodeOf(event.errno));
        break;
      case SessionEvent.readable:
        this.reader?.wake();
        break;
      case SessionEvent.writable:
        this.writer?.flush();
        break;
      case SessionEvent.peerClosed:
        this.state.hasPeerClosed = true;
        this.reader?.wake();
        break;
      case SessionEvent.closed:
      case SessionEvent.detached:
        // The stack was closed by its owner, which is no failure of the connection.
        if (event.errno === Errno.ECONNABORTED && connect === undefined && destroyOwner(this)) break;
        if (connect !== undefined) this.#endConnect(connect, uvCodeOf(event.errno));
        this.endStream(event.errno);
        break;
    }
  }

  // ── options ──

  setNoDelay(enable: boolean): number {
    return this.#set(() => this.#options.setNoDelay(enable));
  }

  setKeepAlive(enable: boolean, seconds: number): number {
    return this.#set(() => this.#options.setKeepAlive(enable, seconds));
  }

  setTypeOfService(value: number): number {
    return this.#set(() => this.#options.setTrafficClass(value));
  }

  getTypeOfService(): number {
    return this.#options.trafficClass;
  }

  setBlocking(_enable: boolean): number {
    return 0;
  }

  #set(change: () => void): number {
    if (this.state.isClosed) return UV_EBADF;
    change();
    return 0;
  }

  // ── the end ──

  close(callback?: () => void): void {
    this.#close(callback, false);
  }

  /** Closes with RST. libuv refuses that during a shutdown. */
  reset(callback?: () => void): number {
    if (this.writer?.isShuttingDown) return UV_EINVAL;
    this.#close(callback, true);
    return 0;
  }

  #close(callback: (() => void) | undefined, withReset: boolean): void {
    const state = this.state;
    if (state.isClosed) return;
    state.isClosed = true;
    state.loop.setActive(false);
    this.#listener?.close();
    this.#connect?.cancel();
    if (state.session !== 0) {
      state.sockets.forgetSession(state.session);
      if (withReset) state.port.reset(state.session);
      else state.port.closeSession(state.session);
    }
    atClosing(() => {
      if (this.#connect !== undefined) this.#endConnect(this.#connect, UV_ECANCELED);
      this.writer?.fail(UV_ECANCELED);
      if (callback !== undefined) callInto(state.resource, callback, this);
    });
  }
}

// Programs that look at open handles know this one by the name of Node's. (Not in a static block: tsc calls the class by a
// variable there that it sets later.)
Object.defineProperty(StackTcp, 'name', { value: 'TCP' });
