/**
 * A transport without packets: connections of one process, joined back to back by their FIFOs. It has the operations and
 * events of TCP, so that the session layer and what stands above it can be tested without a network.
 *
 * What would take a pass of the graph (handshakes, moving bytes, FIN, RST) happens in `flushEvents`.
 */
import { Arena } from '../../mem/arena.js';
import { FifoTable } from '../../mem/fifo.js';
import { RegionHeap } from '../../mem/region-heap.js';
import { type ErrnoName, SynVerdict, type TransportEvents } from '../../transport/events.js';
import type { AddressWords, ConnectOptions, ListenOptions, Tcp, TcpInfo } from '../../transport/tcp/tcp.js';
import { areWordsEqual, isAnyWords, wordsFromIpv4 } from '../address.js';
import { type Connection, makeConnection, reportEvents } from './loopback-connection.js';

const DEFAULT_HEAP_BYTES = 128 * 1024 * 1024;
const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_PORT = 65_535;
const IPV4_LOOPBACK = wordsFromIpv4(0x7f000001);

interface Listener {
  readonly index: number;
  readonly namespace: number;
  readonly local: Int32Array;
  readonly port: number;
  readonly isAnyPort: boolean;
  readonly backlog: number;
  readonly context: number;
  waiting: number;
}

export interface LoopbackTcpOptions {
  readonly maxConnections: number;
  /** Bytes of each FIFO. */
  readonly fifoBytes: number;
  /** Memory of all FIFOs. Default 128 MiB. */
  readonly heapBytes?: number | undefined;
  /** What becomes of a connect: an errno, 'hang' for no answer, undefined to go on as usual. */
  readonly onConnect?: ((remote: Int32Array, remotePort: number) => ErrnoName | 'hang' | undefined) | undefined;
}

export class LoopbackTcp implements Tcp {
  events!: TransportEvents;
  readonly fifos: FifoTable;
  readonly arena: Arena;
  /** Called when a pass has something to do. */
  wake: () => void = () => {};
  /** Settings of each connection, as they were set. */
  readonly settings = new Map<number, Map<number, number>>();
  readonly #options: LoopbackTcpOptions;
  readonly #connections: (Connection | undefined)[] = [];
  readonly #listeners: (Listener | undefined)[] = [];
  /** Connections that a pass has to look at. */
  readonly #active = new Set<Connection>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(options: LoopbackTcpOptions, arena = new Arena(256 * 1024 * 1024)) {
    this.#options = options;
    this.arena = arena;
    this.fifos = new FifoTable(
      arena,
      new RegionHeap(arena, options.heapBytes ?? DEFAULT_HEAP_BYTES),
      2 * options.maxConnections,
    );
  }

  get hasOutput(): boolean {
    return this.#active.size > 0;
  }

  /** Connections that are not freed. */
  get count(): number {
    return this.#connections.reduce((count, each) => count + (each === undefined ? 0 : 1), 0);
  }

  // ── listeners ──

  listen(
    namespace: number,
    local: AddressWords,
    port: number,
    options: ListenOptions & { readonly anyPort?: boolean },
  ): number | ErrnoName {
    const isAnyPort = options.anyPort === true;
    const chosen = isAnyPort ? 0 : port || this.#takePort();
    const clash = this.#listeners.some(
      (each) => each?.namespace === namespace && each.port === chosen && areWordsEqual(each.local, local),
    );
    if (clash) return 'EADDRINUSE';
    const free = this.#listeners.indexOf(undefined);
    const index = free < 0 ? this.#listeners.length : free;
    this.#listeners[index] = {
      index,
      namespace,
      local: Int32Array.from(local),
      port: chosen,
      isAnyPort,
      backlog: options.backlog,
      context: options.context ?? 0,
      waiting: 0,
    };
    return index;
  }

  unlisten(listener: number): void {
    this.#listeners[listener] = undefined;
    for (const each of this.#connections) {
      if (each?.listener === listener && each.isInAcceptQueue && !each.isHeld) this.#reset(each);
    }
  }

  listenerPort(listener: number): number {
    return this.#listeners[listener]!.port;
  }

  listenerContext(listener: number): number {
    return this.#listeners[listener]!.context;
  }

  // ── connections ──

  connect(options: ConnectOptions): number | ErrnoName {
    const remote = Int32Array.from(options.remote);
    const verdict = this.#options.onConnect?.(remote, options.remotePort);
    const local = Int32Array.from(options.local ?? (isAnyWords(remote) ? IPV4_LOOPBACK : remote));
    const connection = this.#make(options, local, options.localPort || this.#takePort(), remote, options.remotePort);
    if (connection === undefined) return 'ENOBUFS';
    connection.isHeld = true;
    if (verdict === 'hang') {
      connection.state = 'hang';
      return connection.index;
    }
    connection.failed = verdict;
    this.#activate(connection);
    return connection.index;
  }

  resumeSyn(connection: number, verdict: number): void {
    const server = this.#connections[connection]!;
    if (verdict === SynVerdict.defer || server.state !== 'deferred') return;
    if (verdict === SynVerdict.accept) {
      this.#establish(server);
      return;
    }
    server.isHeld = false;
    this.#refuse(server.peer!);
    this.#free(server);
  }

  accepted(connection: number): void {
    this.#leaveAcceptQueue(this.#connections[connection]!);
  }

  send(connection: number): void {
    this.#activate(this.#connections[connection]!);
  }

  wantWritable(connection: number): void {
    this.#connections[connection]!.wantsWritable = true;
    this.#activate(this.#connections[connection]!);
  }

  consumed(connection: number): void {
    const { peer } = this.#connections[connection]!;
    if (peer !== undefined) this.#activate(peer);
  }

  shutdown(connection: number): void {
    const each = this.#connections[connection]!;
    each.hasShutdown = true;
    this.#activate(each);
  }

  abort(connection: number): void {
    const each = this.#connections[connection]!;
    each.isHeld = false;
    this.#reset(each);
  }

  close(connection: number): void {
    const each = this.#connections[connection]!;
    each.isHeld = false;
    if (each.state === 'gone') this.#free(each);
    else if (each.state !== 'established' || this.fifos.readable(2 * connection) > 0) this.#reset(each);
    else this.shutdown(connection);
  }

  set(connection: number, setting: number, value: number): void {
    const settings = this.settings.get(connection) ?? new Map<number, number>();
    settings.set(setting, value);
    this.settings.set(connection, settings);
  }

  info(connection: number): TcpInfo {
    const each = this.#connections[connection]!;
    const words = (from: Int32Array): [number, number, number, number] => [from[0]!, from[1]!, from[2]!, from[3]!];
    return {
      state: each.state,
      localAddress: words(each.local),
      localPort: each.localPort,
      remoteAddress: words(each.remote),
      remotePort: each.remotePort,
      namespace: each.namespace,
      stack: each.stack,
      bytesReceivedUnread: this.fifos.readable(2 * connection),
      bytesUnacknowledged: 0,
      bytesUnsent: this.fifos.readable(2 * connection + 1),
      mss: 0,
      congestionWindowBytes: 0,
      slowStartThresholdBytes: 0,
      sendWindowBytes: 0,
      receiveWindowBytes: 0,
      smoothedRttMs: 0,
      retransmissionTimeoutMs: 0,
      retransmits: 0,
    };
  }

  context(connection: number): number {
    return this.#connections[connection]!.context;
  }

  setContext(connection: number, context: number): void {
    this.#connections[connection]!.context = context;
  }

  listenerOf(connection: number): number {
    return this.#connections[connection]!.listener;
  }

  localPort(connection: number): number {
    return this.#connections[connection]!.localPort;
  }

  remotePort(connection: number): number {
    return this.#connections[connection]!.remotePort;
  }

  localAddress(connection: number, into: Int32Array, at: number): void {
    into.set(this.#connections[connection]!.local, at);
  }

  remoteAddress(connection: number, into: Int32Array, at: number): void {
    into.set(this.#connections[connection]!.remote, at);
  }

  stackOf(connection: number): number {
    return this.#connections[connection]!.stack;
  }

  // ── a pass ──

  flushEvents(): void {
    const active = [...this.#active];
    this.#active.clear();
    for (const each of active) this.#advance(each);
    for (const each of this.#connections)
      if (each?.isHeld || each?.accepted) reportEvents(each, this.events, () => this.#connections[each.index] === each);
  }

  nextDeadlineNs(): number {
    return Infinity;
  }

  advance(): void {}

  removeStack(stack: number): void {
    for (const each of this.#connections) if (each?.stack === stack) this.#fail(each, 'ENETUNREACH');
  }

  destroy(): void {
    for (const each of this.#connections) if (each !== undefined) this.#free(each);
    this.#listeners.length = 0;
  }

  #advance(each: Connection): void {
    if (this.#connections[each.index] !== each) return;
    if (each.failed !== undefined) {
      each.state = 'gone';
    } else if (each.state === 'syn') {
      this.#handshake(each);
    } else if (each.state === 'established') {
      this.#transfer(each);
    }
    const tx = 2 * each.index + 1;
    if (each.wantsWritable && this.fifos.space(tx) >= this.fifos.limit(tx) >> 2) {
      each.wantsWritable = false;
      each.writable = true;
    }
  }

  #handshake(client: Connection): void {
    const listener = this.#findListener(client);
    if (listener === undefined) {
      this.#refuse(client);
      return;
    }
    if (listener.waiting >= listener.backlog) {
      // The SYN goes unanswered; it is sent again, which here happens when there is room.
      return;
    }
    const server = this.#make(client, client.remote, client.remotePort, client.local, client.localPort);
    if (server === undefined) return;
    server.listener = listener.index;
    server.peer = client;
    client.peer = server;
    const verdict = this.events.onSyn(listener.index, server.index);
    if (verdict === SynVerdict.accept) {
      this.#establish(server);
    } else if (verdict === SynVerdict.defer) {
      server.state = 'deferred';
      server.isHeld = true;
      client.state = 'deferred';
    } else {
      this.#refuse(client);
      this.#free(server);
    }
  }

  #establish(server: Connection): void {
    const listener = this.#listeners[server.listener];
    if (listener !== undefined) listener.waiting++;
    server.isInAcceptQueue = true;
    server.state = 'established';
    server.accepted = true;
    server.isHeld = true;
    const client = server.peer!;
    client.state = 'established';
    client.connected = true;
    this.wake();
  }

  #transfer(each: Connection): void {
    const tx = 2 * each.index + 1;
    const peer = each.peer;
    if (peer === undefined) {
      if (this.fifos.readable(tx) > 0) this.#fail(each, 'ECONNRESET');
      return;
    }
    const rx = 2 * peer.index;
    for (;;) {
      const count = this.fifos.readable(tx) === 0 ? 0 : this.fifos.contiguous(tx, 0);
      if (count === 0 || this.fifos.space(rx) === 0) break;
      if (!peer.isHeld) {
        // Data for a connection that nobody holds is answered with RST. RFC 9293 section 3.6.
        this.#reset(peer);
        return;
      }
      const taken = this.fifos.write(rx, this.arena.bytes, this.fifos.address(tx, 0), count);
      if (taken === 0) {
        // No memory: tried again with the next pass.
        this.#active.add(each);
        break;
      }
      this.fifos.drop(tx, taken);
      peer.readable = true;
    }
    if (!each.hasShutdown || each.isFinSent || this.fifos.readable(tx) > 0) return;
    each.isFinSent = true;
    peer.hasPeerFin = true;
    peer.peerClosed = true;
    if (!peer.isFinSent) return;
    this.#finish(each);
    this.#finish(peer);
  }

  #finish(each: Connection): void {
    each.state = 'gone';
    each.closed = true;
    if (!each.isHeld) this.#free(each);
  }

  #refuse(client: Connection): void {
    client.peer = undefined;
    this.#fail(client, 'ECONNREFUSED');
  }

  #fail(each: Connection, errno: ErrnoName): void {
    if (each.state === 'gone') return;
    each.state = 'gone';
    each.peer = undefined;
    each.failed = errno;
    if (!each.isHeld) this.#free(each);
    else this.wake();
  }

  /** RST to the peer; the index goes when nobody holds it. */
  #reset(each: Connection): void {
    const { peer } = each;
    if (peer !== undefined) {
      if (peer.state === 'established') this.#fail(peer, 'ECONNRESET');
      else this.#refuse(peer);
    }
    this.#free(each);
  }

  // ── rows ──

  #activate(each: Connection): void {
    this.#active.add(each);
    this.wake();
  }

  #leaveAcceptQueue(each: Connection): void {
    if (!each.isInAcceptQueue) return;
    each.isInAcceptQueue = false;
    const listener = this.#listeners[each.listener];
    if (listener === undefined) return;
    listener.waiting--;
    for (const waiting of this.#connections) if (waiting?.state === 'syn') this.#activate(waiting);
  }

  #findListener(client: Connection): Listener | undefined {
    const matches = (each: Listener | undefined, isAnyPort: boolean, isExact: boolean): boolean =>
      each !== undefined &&
      each.namespace === client.namespace &&
      each.isAnyPort === isAnyPort &&
      (isAnyPort || each.port === client.remotePort) &&
      (isExact ? areWordsEqual(each.local, client.remote) : isAnyWords(each.local));
    for (const isAnyPort of [false, true]) {
      for (const isExact of [true, false]) {
        const found = this.#listeners.find((each) => matches(each, isAnyPort, isExact));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  #make(
    owner: { readonly namespace: number; readonly stack: number },
    local: Int32Array,
    localPort: number,
    remote: Int32Array,
    remotePort: number,
  ): Connection | undefined {
    let index = this.#connections.indexOf(undefined);
    if (index < 0) index = this.#connections.length;
    if (index >= this.#options.maxConnections) return undefined;
    this.fifos.open(2 * index, this.#options.fifoBytes);
    this.fifos.open(2 * index + 1, this.#options.fifoBytes);
    const made = makeConnection(index, owner, local, localPort, remote, remotePort);
    this.#connections[index] = made;
    return made;
  }

  #free(each: Connection): void {
    if (this.#connections[each.index] !== each) return;
    this.#leaveAcceptQueue(each);
    if (each.peer?.peer === each) each.peer.peer = undefined;
    this.#connections[each.index] = undefined;
    this.#active.delete(each);
    this.settings.delete(each.index);
    this.fifos.close(2 * each.index);
    this.fifos.close(2 * each.index + 1);
  }

  #takePort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
    return port;
  }
}
