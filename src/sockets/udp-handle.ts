/**
 * UDP handle: what dgram.js knows as `UDP` of the udp_wrap binding, on a UDP socket of a stack. Return values, the order
 * of callbacks and what keeps the event loop alive are those of libuv's UDP handles.
 */
import { AsyncResource } from 'node:async_hooks';
import { Errno } from '../session/errno.js';
import { SessionEvent, SessionMessage, SocketOption } from '../session/message.js';
import type { DatagramInfo } from '../session/port.js';
import { callInto } from './callback.js';
import { atClosing } from './closing.js';
import { Endpoint } from './endpoint.js';
import { HandleLiveness } from './liveness.js';
import { type EndpointObject, type NodeRequest, nodeBinding, type UdpHandle } from './node-binding.js';
import { readSlab } from './read-slab.js';
import { parseSocketAddress } from './socket-address.js';
import type { EventTarget, StackSockets, Turn } from './stack-sockets.js';
import { UdpSender } from './udp-sender.js';
import { errorText, uvCode, uvCodeOf } from './uv-errno.js';

const { constants } = nodeBinding('udp_wrap');

const UV_EBADF = uvCode('EBADF');
const UV_EINVAL = uvCode('EINVAL');
const UV_ENOTCONN = uvCode('ENOTCONN');
const UV_ENOTSUP = uvCode('ENOTSUP');
const UV_ENETDOWN = uvCode('ENETDOWN');
const UV_EAFNOSUPPORT = uvCode('EAFNOSUPPORT');
const UV_ECANCELED = uvCode('ECANCELED');

const SHARED = constants.UV_UDP_REUSEADDR | (constants.UV_UDP_REUSEPORT ?? 0);
const DEFAULT_BUFFER_BYTES = 212_992;
const MAX_TTL = 255;
/** Datagrams of one socket before others get their turn, as libuv's. */
const MAX_RECEIVES_PER_TURN = 32;

const received = Buffer.allocUnsafeSlow(65_536);
const info: DatagramInfo = { remote: new Int32Array(4), remotePort: 0, local: new Int32Array(4), ttl: 0 };
const sender = new Endpoint();
const answer = new SessionMessage();

export class StackUdp implements UdpHandle, EventTarget, Turn {
  onmessage: UdpHandle['onmessage'];
  readonly #sockets: StackSockets;
  readonly #loop: HandleLiveness;
  readonly #resource = new AsyncResource('UDPWRAP');
  readonly #local = new Endpoint();
  readonly #remote = new Endpoint();
  readonly #bufferBytes = { send: DEFAULT_BUFFER_BYTES, receive: DEFAULT_BUFFER_BYTES };
  /** Handle of the UDP socket; 0 before it is bound. */
  #socket = 0;
  #sender: UdpSender | undefined;
  #isConnected = false;
  #isReceiving = false;
  #isScheduled = false;
  #isClosed = false;
  /** Error of the socket, until it is reported. */
  #error = 0;

  constructor(sockets: StackSockets) {
    this.#sockets = sockets;
    this.#loop = new HandleLiveness(sockets.liveness);
  }

  get fd(): number {
    return -1;
  }

  getAsyncId(): number {
    return this.#resource.asyncId();
  }

  ref(): void {
    this.#loop.setReferenced(true);
  }

  unref(): void {
    this.#loop.setReferenced(false);
  }

  hasRef(): boolean {
    return this.#loop.isReferenced && !this.#isClosed;
  }

  open(_fd: number): number {
    return UV_EINVAL;
  }

  bind(address: string, port: number, flags: number): number {
    if (this.#isClosed) return UV_EBADF;
    const words = parseSocketAddress(address, 4);
    if (words === undefined || this.#socket !== 0) return UV_EINVAL;
    const request = this.#sockets.port.udpBind({ local: words, localPort: port, reuseport: (flags & SHARED) !== 0 });
    const code = this.#wait(request);
    if (code !== 0) return code;
    this.#socket = answer.session;
    this.#local.set(answer.local, answer.localPort);
    this.#sockets.ownSession(this.#socket, this);
    this.#sender = new UdpSender(this.#sockets, this.#socket);
    return 0;
  }

  bind6(_address: string, _port: number, _flags: number): number {
    return UV_EAFNOSUPPORT;
  }

  connect(address: string, port: number): number {
    const words = parseSocketAddress(address, 4);
    if (words === undefined) return UV_EINVAL;
    const bindCode = this.#bindIfNeeded();
    if (bindCode !== 0) return bindCode;
    const code = this.#wait(this.#sockets.port.udpConnect(this.#socket, words, port));
    if (code !== 0) return code;
    this.#isConnected = true;
    this.#local.set(answer.local, answer.localPort);
    this.#remote.set(answer.remotePort === 0 ? words : answer.remote, port);
    return 0;
  }

  connect6(_address: string, _port: number): number {
    return UV_EAFNOSUPPORT;
  }

  disconnect(): number {
    if (!this.#isConnected) return UV_ENOTCONN;
    const code = this.#wait(this.#sockets.port.udpDisconnect(this.#socket));
    if (code === 0) this.#isConnected = false;
    return code;
  }

  getsockname(out: EndpointObject): number {
    if (this.#socket === 0) return UV_EBADF;
    this.#local.describe(out);
    return 0;
  }

  getpeername(out: EndpointObject): number {
    if (!this.#isConnected) return this.#socket === 0 ? UV_EBADF : UV_ENOTCONN;
    this.#remote.describe(out);
    return 0;
  }

  // ── sending ──

  send(request: NodeRequest, list: readonly ArrayBufferView[], _count: number, ...rest: unknown[]): number {
    const bindCode = this.#bindIfNeeded();
    if (bindCode !== 0) return bindCode;
    const isToPeer = rest.length === 1;
    const remote = isToPeer ? undefined : parseSocketAddress(rest[1] as string, 4);
    if (!isToPeer && remote === undefined) return UV_EINVAL;
    if (isToPeer && this.#error !== 0) return this.#takeError();
    const port = isToPeer ? 0 : (rest[0] as number);
    return this.#sender!.send(request, list, remote, port, Boolean(rest.at(-1)));
  }

  send6(_request: NodeRequest, _list: readonly ArrayBufferView[], _count: number, ..._rest: unknown[]): number {
    return UV_EAFNOSUPPORT;
  }

  getSendQueueSize(): number {
    return this.#sender?.waitingBytes ?? 0;
  }

  getSendQueueCount(): number {
    return this.#sender?.waitingCount ?? 0;
  }

  // ── receiving ──

  recvStart(): number {
    if (this.#isClosed) return UV_EBADF;
    const bindCode = this.#bindIfNeeded();
    if (bindCode !== 0) return bindCode;
    this.#isReceiving = true;
    this.#loop.setActive(true);
    this.#schedule();
    return 0;
  }

  recvStop(): number {
    this.#isReceiving = false;
    this.#loop.setActive(false);
    return 0;
  }

  runTurn(): void {
    this.#isScheduled = false;
    this.#receive();
  }

  onSessionEvent(event: SessionMessage): void {
    switch (event.type) {
      case SessionEvent.writable:
        this.#sender?.flush();
        return;
      case SessionEvent.detached:
        // Nothing can come any more: no reason to keep the process alive.
        this.#loop.setActive(false);
        // A stack that its owner has closed is no error of the socket: it just hears nothing any more.
        if (event.errno === Errno.ECONNABORTED) return;
        this.#error = uvCodeOf(event.errno);
        break;
      case SessionEvent.udpError:
        this.#error = uvCodeOf(event.errno);
        break;
    }
    if (!this.#isScheduled) this.#receive();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#sockets.schedule(this);
  }

  #receive(): void {
    if (this.#isReceiving && this.#error !== 0) this.#report(this.#takeError(), undefined, undefined);
    for (let count = 0; this.#isReceiving && !this.#isClosed; count++) {
      if (count === MAX_RECEIVES_PER_TURN) {
        this.#schedule();
        return;
      }
      const bytes = this.#sockets.port.receiveDatagram(this.#socket, received, 0, info);
      if (bytes < 0) return;
      this.#deliver(Math.min(bytes, received.length));
    }
  }

  #deliver(count: number): void {
    readSlab.reserve(count);
    const { bytes, at } = readSlab;
    received.copy(bytes, at, 0, count);
    const remote: EndpointObject = {};
    sender.set(info.remote, info.remotePort);
    sender.describe(remote);
    this.#report(count, Buffer.from(bytes.buffer, at, count), remote);
  }

  #report(code: number, data: unknown, remote: unknown): void {
    if (this.onmessage !== undefined) callInto(this.#resource, this.onmessage, this, code, this, data, remote);
  }

  #takeError(): number {
    const error = this.#error;
    this.#error = 0;
    return error;
  }

  // ── options ──

  addMembership(group: string, local?: string): number {
    return this.#changeMembership(group, local, true);
  }

  dropMembership(group: string, local?: string): number {
    return this.#changeMembership(group, local, false);
  }

  addSourceSpecificMembership(): number {
    return UV_ENOTSUP;
  }

  dropSourceSpecificMembership(): number {
    return UV_ENOTSUP;
  }

  setMulticastInterface(_address: string): number {
    return UV_ENOTSUP;
  }

  setMulticastTTL(ttl: number): number {
    return ttl < 0 || ttl > MAX_TTL ? UV_EINVAL : this.#setOption(SocketOption.multicastTtl, ttl);
  }

  setMulticastLoopback(enable: boolean): number {
    return this.#setOption(SocketOption.multicastLoop, enable ? 1 : 0);
  }

  setBroadcast(enable: boolean): number {
    return this.#setOption(SocketOption.broadcast, enable ? 1 : 0);
  }

  setTTL(ttl: number): number {
    return ttl < 1 || ttl > MAX_TTL ? UV_EINVAL : this.#setOption(SocketOption.ttl, ttl);
  }

  /** Reads (`size` 0) or sets the bytes of a buffer; undefined and the error in `context` before there is a socket. */
  bufferSize(size: number, isReceive: boolean, context: Record<string, unknown>): number | undefined {
    if (this.#socket === 0) {
      Object.assign(context, {
        errno: UV_EBADF,
        code: 'EBADF',
        message: errorText(UV_EBADF),
        syscall: isReceive ? 'uv_recv_buffer_size' : 'uv_send_buffer_size',
      });
      return undefined;
    }
    const which = isReceive ? 'receive' : 'send';
    if (size > 0) {
      this.#bufferBytes[which] = size;
      this.#setOption(isReceive ? SocketOption.receiveBufferBytes : SocketOption.sendBufferBytes, size);
    }
    return this.#bufferBytes[which];
  }

  #changeMembership(group: string, local: string | undefined, isJoin: boolean): number {
    const groupWords = parseSocketAddress(group, 4);
    const localWords = parseSocketAddress(local ?? '0.0.0.0', 4);
    if (groupWords === undefined || localWords === undefined) return UV_EINVAL;
    const bindCode = this.#bindIfNeeded();
    if (bindCode !== 0) return bindCode;
    return this.#wait(this.#sockets.port.udpMembership(this.#socket, groupWords, localWords, isJoin));
  }

  #setOption(option: number, value: number): number {
    if (this.#socket === 0 || this.#isClosed) return UV_EBADF;
    this.#sockets.port.setOption(this.#socket, option, value);
    return 0;
  }

  #bindIfNeeded(): number {
    if (this.#isClosed) return UV_EBADF;
    return this.#socket === 0 ? this.bind('0.0.0.0', 0, 0) : 0;
  }

  /** Waits for the answer to a request of this socket; returns libuv's error code or 0. */
  #wait(request: number): number {
    if (!this.#sockets.port.wait(request, answer)) return UV_ENETDOWN;
    return answer.type === SessionEvent.failed ? uvCodeOf(answer.errno) : 0;
  }

  // ── the end ──

  close(callback?: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReceiving = false;
    this.#loop.setActive(false);
    if (this.#socket !== 0) {
      this.#sockets.forgetSession(this.#socket);
      this.#sockets.port.udpClose(this.#socket);
    }
    atClosing(() => {
      this.#sender?.fail(UV_ECANCELED);
      if (callback !== undefined) callInto(this.#resource, callback, this);
    });
  }
}

Object.defineProperty(StackUdp, 'name', { value: 'UDP' });
