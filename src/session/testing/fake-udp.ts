/** UDP of a fake network. */
import { type AddressWords, copyWords, formatAddressWords, isAnyWords } from '../address.js';
import { Errno } from '../errno.js';
import { MAX_DATAGRAM_BYTES, Request, SessionEvent, type SessionMessage, SocketOption } from '../message.js';
import type { DatagramInfo } from '../port.js';
import { endpointEvent, type FakeUdpSocket, failedEvent } from './fake-endpoint.js';
import type { FakeNetwork } from './fake-network.js';
import type { FakePort } from './fake-port.js';

const DEFAULT_RECEIVE_BUFFER_BYTES = 212_992;
const DEFAULT_TTL = 64;

export class FakeUdp {
  readonly #network: FakeNetwork;
  readonly #port: FakePort;

  constructor(network: FakeNetwork, port: FakePort) {
    this.#network = network;
    this.#port = port;
  }

  bind(message: SessionMessage, isIpv6Only: boolean, isReuseport: boolean): SessionMessage {
    const socket: FakeUdpSocket = {
      kind: 'udp',
      port: this.#port,
      handle: 0,
      local: message.local.slice(),
      localPort: message.localPort || this.#network.takePort(),
      remote: new Int32Array(4),
      remotePort: 0,
      isIpv6Only,
      isReuseport,
      datagrams: [],
      bufferedBytes: 0,
      receiveBufferBytes: DEFAULT_RECEIVE_BUFFER_BYTES,
      ttl: DEFAULT_TTL,
      canBroadcast: false,
    };
    const errno = this.#network.bindConflict(this.#network.sockets, socket);
    if (errno !== 0) return failedEvent(message.request, errno);
    socket.handle = this.#network.handles.add(socket);
    this.#network.sockets.push(socket);
    return endpointEvent(SessionEvent.bound, message.request, socket);
  }

  submit(socket: FakeUdpSocket, message: SessionMessage): void {
    switch (message.type) {
      case Request.udpConnect:
        if (message.remotePort === 0) {
          this.#port.post(failedEvent(message.request, Errno.EADDRNOTAVAIL));
          return;
        }
        socket.remote.set(this.#network.localFor(message.remote));
        socket.remotePort = message.remotePort;
        if (isAnyWords(socket.local)) socket.local.set(socket.remote);
        this.#port.post(endpointEvent(SessionEvent.done, message.request, socket));
        return;
      case Request.udpDisconnect:
        if (socket.remotePort === 0) {
          this.#port.post(failedEvent(message.request, Errno.ENOTCONN));
          return;
        }
        socket.remotePort = 0;
        socket.remote.fill(0);
        this.#port.post(endpointEvent(SessionEvent.done, message.request, socket));
        return;
      case Request.udpMembership:
        this.#port.post(endpointEvent(SessionEvent.done, message.request, socket));
        return;
      case Request.setOption:
        this.#setOption(socket, message);
        return;
      case Request.udpClose:
        this.close(socket);
        return;
    }
  }

  /** Returns an errno, 0 for a datagram that went out. */
  send(socket: FakeUdpSocket, bytes: Uint8Array, remote: AddressWords | undefined, remotePort: number): number {
    if (bytes.length > MAX_DATAGRAM_BYTES) return Errno.EMSGSIZE;
    if (remote === undefined && socket.remotePort === 0) return Errno.EDESTADDRREQ;
    if (remote !== undefined && socket.remotePort !== 0) return Errno.EISCONN;
    const to = this.#network.localFor(Int32Array.from(remote ?? socket.remote));
    const port = remote === undefined ? socket.remotePort : remotePort;
    if (port === 0) return Errno.EINVAL;
    if (formatAddressWords(to) === '255.255.255.255' && !socket.canBroadcast) return Errno.EACCES;
    const from = isAnyWords(socket.local) ? to : socket.local;
    const receiver = this.#network.findSocket(to, port, from, socket.localPort);
    if (receiver === undefined) {
      if (socket.remotePort !== 0) {
        const event = endpointEvent(SessionEvent.udpError, 0, socket);
        event.errno = Errno.ECONNREFUSED;
        this.#port.post(event);
      }
      return 0;
    }
    if (receiver.bufferedBytes + bytes.length > receiver.receiveBufferBytes) return 0;
    const wasEmpty = receiver.datagrams.length === 0;
    receiver.bufferedBytes += bytes.length;
    receiver.datagrams.push({ bytes, remote: from.slice(), remotePort: socket.localPort, local: to, ttl: socket.ttl });
    if (wasEmpty) receiver.port.post(endpointEvent(SessionEvent.readable, 0, receiver));
    return 0;
  }

  receive(socket: FakeUdpSocket, into: Uint8Array, at: number, info: DatagramInfo): number {
    const datagram = socket.datagrams.shift();
    if (datagram === undefined) return -1;
    socket.bufferedBytes -= datagram.bytes.length;
    into.set(datagram.bytes.subarray(0, into.length - at), at);
    copyWords(info.remote, datagram.remote);
    info.remotePort = datagram.remotePort;
    copyWords(info.local, datagram.local);
    info.ttl = datagram.ttl;
    return datagram.bytes.length;
  }

  close(socket: FakeUdpSocket): void {
    this.#network.sockets.splice(this.#network.sockets.indexOf(socket), 1);
    this.#network.handles.remove(socket.handle);
  }

  #setOption(socket: FakeUdpSocket, message: SessionMessage): void {
    if (message.flags === SocketOption.ttl) socket.ttl = message.value;
    else if (message.flags === SocketOption.broadcast) socket.canBroadcast = message.value !== 0;
    else if (message.flags === SocketOption.receiveBufferBytes) socket.receiveBufferBytes = message.value;
    else if (message.flags < SocketOption.multicastTtl) {
      this.#port.post(failedEvent(message.request, Errno.ENOPROTOOPT));
    }
  }
}
