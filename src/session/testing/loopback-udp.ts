/** UDP without packets: sockets of one process that reach each other at once. For tests, like loopback-tcp.ts. */
import type { ErrnoName } from '../../transport/events.js';
import {
  type AddressWords,
  UDP_MAX_PAYLOAD_BYTES,
  type Udp,
  type UdpBindOptions,
  type UdpDatagram,
  type UdpErrno,
  type UdpEvents,
  type UdpInfo,
  UdpSetting,
} from '../../transport/udp/udp.js';
import { areWordsEqual, copyWords, isAnyWords, isIpv4Words, wordsFromIpv4 } from '../address.js';

const FIRST_EPHEMERAL_PORT = 49_152;
const DEFAULT_RECEIVE_BUFFER_BYTES = 212_992;
const DEFAULT_TTL = 64;
const RECORD_HEADER_BYTES = 48;
const LOOPBACK = wordsFromIpv4(0x7f000001);
const BROADCAST = wordsFromIpv4(0xffffffff);

interface Datagram {
  readonly bytes: Uint8Array;
  readonly remote: Int32Array;
  readonly remotePort: number;
  readonly local: Int32Array;
  readonly ttl: number;
}

interface Socket {
  readonly options: UdpBindOptions;
  /** As it was bound. */
  readonly bound: Int32Array;
  readonly local: Int32Array;
  readonly localPort: number;
  readonly remote: Int32Array;
  remotePort: number;
  readonly queue: Datagram[];
  queuedBytes: number;
  drops: number;
  readonly settings: Map<number, number>;
  readable: boolean;
  writable: boolean;
  error: ErrnoName | undefined;
}

export class LoopbackUdp implements Udp {
  events!: UdpEvents;
  wake: () => void = () => {};
  /** While true every send is refused for lack of room. */
  isBlocked = false;
  readonly #isLocal: (address: AddressWords) => boolean;
  readonly #sockets: (Socket | undefined)[] = [];
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(isLocal: (address: AddressWords) => boolean) {
    this.#isLocal = isLocal;
  }

  get hasOutput(): boolean {
    return false;
  }

  bind(options: UdpBindOptions): number | UdpErrno {
    const { local } = options;
    if (!isAnyWords(local) && !this.#isLocal(local)) return 'EADDRNOTAVAIL';
    const port = options.port || this.#nextPort++;
    const clash = this.#sockets.some(
      (each) =>
        each !== undefined &&
        each.options.stack === options.stack &&
        each.localPort === port &&
        !(each.options.isReuseport && options.isReuseport) &&
        (isAnyWords(local) || isAnyWords(each.bound) || areWordsEqual(local, each.bound)),
    );
    if (clash) return 'EADDRINUSE';
    const free = this.#sockets.indexOf(undefined);
    const index = free < 0 ? this.#sockets.length : free;
    this.#sockets[index] = {
      options,
      bound: Int32Array.from(local),
      local: Int32Array.from(local),
      localPort: port,
      remote: new Int32Array(4),
      remotePort: 0,
      queue: [],
      queuedBytes: 0,
      drops: 0,
      settings: new Map(),
      readable: false,
      writable: false,
      error: undefined,
    };
    return index;
  }

  connect(socket: number, remote: AddressWords, remotePort: number): UdpErrno | undefined {
    const each = this.#sockets[socket]!;
    if (remotePort === 0) return 'EINVAL';
    copyWords(each.remote, isAnyWords(remote) ? LOOPBACK : remote);
    each.remotePort = remotePort;
    if (isAnyWords(each.bound)) copyWords(each.local, each.remote);
    return undefined;
  }

  disconnect(socket: number): UdpErrno | undefined {
    const each = this.#sockets[socket]!;
    if (each.remotePort === 0) return 'ENOTCONN';
    each.remote.fill(0);
    each.remotePort = 0;
    copyWords(each.local, each.bound);
    return undefined;
  }

  send(
    socket: number,
    bytes: Uint8Array,
    from: number,
    count: number,
    remote: AddressWords | undefined,
    remotePort: number,
  ): UdpErrno | undefined {
    const each = this.#sockets[socket]!;
    if (count > UDP_MAX_PAYLOAD_BYTES) return 'EMSGSIZE';
    if (remote === undefined && each.remotePort === 0) return 'EDESTADDRREQ';
    if (remote !== undefined && each.remotePort !== 0) return 'EISCONN';
    const asked = Int32Array.from(remote ?? each.remote);
    const port = remote === undefined ? each.remotePort : remotePort;
    if (port === 0) return 'EINVAL';
    if (!isIpv4Words(asked) && !isAnyWords(asked)) return 'ENETUNREACH';
    if (areWordsEqual(asked, BROADCAST) && each.settings.get(UdpSetting.broadcast) !== 1) return 'EACCES';
    if (this.isBlocked) {
      each.writable = true;
      return 'EAGAIN';
    }
    this.#deliver(each, isAnyWords(asked) ? LOOPBACK : asked, port, bytes.slice(from, from + count));
    return undefined;
  }

  receive(socket: number, into: Uint8Array, at: number, info: UdpDatagram): number {
    const each = this.#sockets[socket]!;
    const datagram = each.queue.shift();
    if (datagram === undefined) return -1;
    each.queuedBytes -= RECORD_HEADER_BYTES + datagram.bytes.length;
    into.set(datagram.bytes.subarray(0, into.length - at), at);
    copyWords(info.remote, datagram.remote);
    info.remotePort = datagram.remotePort;
    copyWords(info.local, datagram.local);
    info.ttl = datagram.ttl;
    return datagram.bytes.length;
  }

  nextLength(socket: number): number {
    return this.#sockets[socket]!.queue[0]?.bytes.length ?? -1;
  }

  set(socket: number, setting: number, value: number): UdpErrno | undefined {
    if (setting === UdpSetting.timeToLive && (value < 1 || value > 255)) return 'EINVAL';
    this.#sockets[socket]!.settings.set(setting, value);
    return undefined;
  }

  setMembership(_socket: number, group: AddressWords): UdpErrno | undefined {
    return group[3]! >>> 28 === 0xe ? undefined : 'EINVAL';
  }

  close(socket: number): void {
    this.#sockets[socket] = undefined;
  }

  info(socket: number): UdpInfo {
    const each = this.#sockets[socket]!;
    return {
      local: each.local,
      localPort: each.localPort,
      remote: each.remote,
      remotePort: each.remotePort,
      stack: each.options.stack,
      queuedBytes: each.queuedBytes,
      drops: each.drops,
    };
  }

  flushEvents(): void {
    this.#sockets.forEach((each, index) => {
      if (each === undefined) return;
      if (each.readable) {
        each.readable = false;
        this.events.onReadable(index);
      }
      if (each.writable && !this.isBlocked) {
        each.writable = false;
        this.events.onWritable(index);
      }
      if (each.error !== undefined) {
        const errno = each.error;
        each.error = undefined;
        this.events.onError(index, errno);
      }
    });
  }

  #deliver(sender: Socket, to: Int32Array, port: number, bytes: Uint8Array): void {
    const from = isAnyWords(sender.local) ? to : sender.local;
    const candidates = this.#sockets.filter(
      (each): each is Socket =>
        each !== undefined &&
        each.options.stack === sender.options.stack &&
        each.localPort === port &&
        (isAnyWords(each.bound) || areWordsEqual(each.bound, to)) &&
        (each.remotePort === 0 || (each.remotePort === sender.localPort && areWordsEqual(each.remote, from))),
    );
    const rank = (each: Socket): number => (each.remotePort ? 2 : 0) + (isAnyWords(each.bound) ? 0 : 1);
    const receiver = candidates.sort((a, b) => rank(b) - rank(a))[0];
    this.wake();
    if (receiver === undefined) {
      if (sender.remotePort !== 0) sender.error = 'ECONNREFUSED';
      return;
    }
    const size = RECORD_HEADER_BYTES + bytes.length;
    const limit = receiver.settings.get(UdpSetting.receiveBufferBytes) ?? DEFAULT_RECEIVE_BUFFER_BYTES;
    if (receiver.queuedBytes + size > limit) {
      receiver.drops++;
      return;
    }
    const ttl = sender.settings.get(UdpSetting.timeToLive) ?? DEFAULT_TTL;
    receiver.queue.push({ bytes, remote: from.slice(), remotePort: sender.localPort, local: to.slice(), ttl });
    receiver.queuedBytes += size;
    receiver.readable = true;
  }
}
