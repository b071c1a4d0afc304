/**
 * Scripts against one TCP: segments go in and come out at virtual times, there is no network. A node in the place of
 * ip4-output keeps what is sent.
 *
 * ```ts
 * const t = new TcpScript();
 * t.listen();
 * t.receive('S', { seq: 0, mss: 1460 });
 * t.expect('SA', { seq: 0, ack: 1, mss: 1460 });
 * ```
 * Sequence numbers are relative: ours to our SYN, the peer's to its own SYN.
 */
import assert from 'node:assert/strict';
import { seededRandom } from '../../base/random.js';
import { NS_PER_MS } from '../../base/time.js';
import { drop } from '../../drivers/drop.js';
import { Graph } from '../../graph/graph.js';
import { CONSUMED, type NodeSpec } from '../../graph/node.js';
import { makeKernels } from '../../kernels/kernels.js';
import { Arena } from '../../mem/arena.js';
import { PacketFlag, PacketPool } from '../../mem/packet-pool.js';
import { RegionHeap } from '../../mem/region-heap.js';
import { NO_SLOT } from '../../mem/slot.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { IPV4_MIN_HEADER_BYTES, Ipv4Flag, ipv4TotalLength, writeIpv4 } from '../../wire/ipv4.js';
import {
  formatTcpFlags,
  TCP_MIN_HEADER_BYTES,
  TcpFlag,
  tcpAcknowledgment,
  tcpDestinationPort,
  tcpFlags,
  tcpHeaderBytes,
  tcpSequence,
  tcpSourcePort,
  tcpWindow,
  updateTcpChecksumIpv4,
  writeTcp,
} from '../../wire/tcp.js';
import {
  makeTcpOptions,
  readTcpOptions,
  TcpOptionBit,
  writeTcpMss,
  writeTcpSack,
  writeTcpSackPermitted,
  writeTcpTimestamps,
  writeTcpWindowScale,
} from '../../wire/tcp-options.js';
import { type ErrnoName, SynVerdict, type TransportEvents } from '../events.js';
import type { TransportRoutes } from '../routes.js';
import type { ListenOptions } from '../tcp/tcp.js';
import type { TcpConfig } from '../tcp/tcp-config.js';
import type { TcpContext } from '../tcp/tcp-context.js';
import { TcpTransport } from '../tcp/tcp-transport.js';
import { tcp4Input } from '../tcp/tcp4-input.js';
import { tcp4Output } from '../tcp/tcp4-output.js';

export const LOCAL = 0x0a000001;
export const PEER = 0x0a000002;
export const LOCAL_PORT = 80;
export const PEER_PORT = 4000;
/** Near the end, so that all sequence arithmetic wraps. */
const PEER_ISS = -2000;

const LETTERS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32, E: 64, C: 128 };

/** A segment from the peer. */
export interface Incoming {
  /** Relative to the peer's SYN. */
  readonly seq?: number;
  /** Relative to our SYN. Default: everything we sent, if the flags have A. */
  readonly ack?: number;
  /** Header field. Default: 65,535. */
  readonly window?: number;
  readonly data?: string | number;
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: readonly [value: number, echo: number];
  /** Relative to our SYN. */
  readonly sack?: readonly (readonly [number, number])[];
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly source?: number;
  /** Size of the pieces, when it stands for several segments. */
  readonly gsoSize?: number;
  readonly badChecksum?: boolean;
}

/** A segment that was sent. */
export interface Outgoing {
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly length: number;
  readonly text: string;
  readonly mss: number | undefined;
  readonly windowScale: number | undefined;
  readonly sackPermitted: boolean;
  readonly timestamps: readonly [number, number] | undefined;
  /** Relative to the peer's SYN. */
  readonly sack: readonly (readonly [number, number])[];
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly gsoSize: number;
  readonly atMs: number;
  /** Not relative. */
  readonly rawSeq: number;
  readonly dontFragment: boolean;
}

export interface ScriptOptions {
  readonly config?: Partial<TcpConfig>;
  readonly mtu?: number;
  readonly gso?: boolean;
  readonly events?: Partial<TransportEvents>;
  readonly seed?: number;
  readonly startMs?: number;
  readonly slots?: number;
  readonly heapBytes?: number;
}

export class TcpScript {
  readonly pool: PacketPool;
  readonly heap: RegionHeap;
  readonly clock: { nowNs: number };
  readonly tcp: TcpTransport;
  readonly graph: Graph<TcpContext>;
  /** What has happened, in words. */
  readonly log: string[] = [];
  /** What was sent and not yet expected. */
  readonly sent: Outgoing[] = [];
  readonly routes: TransportRoutes & { mtuBytes: number; generation: number; space: number; isUp: boolean };
  listener = -1;
  connection = -1;
  /** Our initial sequence number, once it is known. */
  iss = 0;
  #isIssKnown = false;

  constructor(options: ScriptOptions = {}) {
    const arena = new Arena(256 << 20);
    const kernels = makeKernels(arena.memory);
    arena.copy = kernels.copy;
    this.pool = new PacketPool(arena, { slots: options.slots ?? 2048 });
    this.heap = new RegionHeap(arena, options.heapBytes ?? 64 << 20);
    this.clock = { nowNs: (options.startMs ?? 1_000) * NS_PER_MS };
    this.routes = makeRoutes(options.mtu ?? 1500, options.gso ?? false);
    const { pool, heap, clock, routes } = this;
    const random = seededRandom(options.seed ?? 1);
    const config = { maxConnections: 512, maxListeners: 16, ...options.config };
    this.tcp = new TcpTransport({ arena, pool, heap, clock, random, routes, config });
    this.tcp.events = { ...this.#events(), ...options.events };
    this.graph = new Graph<TcpContext>({
      pool,
      clock,
      maxInterfaces: 4,
      // The nodes used here need nothing of the lower layers.
      context: { kernels, random, tcp: this.tcp } as never,
      nodes: [tcp4Output, tcp4Input, this.#captureNode(), drop as unknown as NodeSpec<TcpContext>],
    });
  }

  // The application's side.

  listen(options: Partial<ListenOptions> = {}, port = LOCAL_PORT): number {
    const listener = this.tcp.listen(0, [0, 0, 0xffff, LOCAL], port, { backlog: 8, ...options });
    assert.ok(typeof listener === 'number', `${listener}`);
    this.listener = listener;
    return listener;
  }

  connect(localPort = LOCAL_PORT): number {
    const connection = this.tcp.connect({
      namespace: 0,
      stack: 0,
      remote: [0, 0, 0xffff, PEER],
      remotePort: PEER_PORT,
      localPort,
    });
    assert.ok(typeof connection === 'number', `${connection}`);
    this.connection = connection;
    this.run();
    return connection;
  }

  /** Writes text, or so many bytes, and lets it go out. Returns how many bytes were taken. */
  write(data: string | number): number {
    const bytes = bytesOf(data);
    const taken = this.tcp.fifos.write(2 * this.connection + 1, bytes, 0, bytes.length);
    this.tcp.send(this.connection);
    if (taken < bytes.length) this.tcp.wantWritable(this.connection);
    this.run();
    return taken;
  }

  /** Reads up to `most` bytes. */
  read(most = 1 << 24): string {
    const into = new Uint8Array(Math.min(most, this.tcp.fifos.readable(2 * this.connection)));
    this.tcp.fifos.read(2 * this.connection, into, 0, into.length);
    this.tcp.consumed(this.connection);
    this.run();
    return new TextDecoder().decode(into);
  }

  shutdown(): void {
    this.tcp.shutdown(this.connection);
    this.run();
  }

  close(): void {
    this.tcp.close(this.connection);
    this.run();
  }

  abort(): void {
    this.tcp.abort(this.connection);
    this.run();
  }

  get state(): string {
    return this.tcp.info(this.connection).state;
  }

  /** A connection in ESTABLISHED that the peer opened; nothing is left to be expected. */
  establish(syn: Incoming = {}): number {
    if (this.listener < 0) this.listen();
    const offered = { mss: 1460, ...syn };
    this.receive('S', { seq: 0, ...offered });
    assert.equal(this.sent.length, 1, 'a SYN-ACK');
    const timestamps = offered.timestamps && ([offered.timestamps[0], this.sent[0]!.timestamps![0]] as const);
    this.sent.length = 0;
    const window = offered.window ?? 65_535;
    this.receive('A', { seq: 1, ack: 1, window, ...(timestamps && { timestamps }) });
    assert.deepEqual(this.sent, []);
    this.log.length = 0;
    return this.connection;
  }

  // The peer's side.

  receive(flags: string, incoming: Incoming = {}): void {
    this.graph.inject('tcp4-input', this.#packet(flags, incoming));
    this.run();
  }

  /** Several segments in one run. */
  receiveMany(segments: readonly (readonly [flags: string, incoming: Incoming])[]): void {
    for (const [flags, incoming] of segments) this.graph.inject('tcp4-input', this.#packet(flags, incoming));
    this.run();
  }

  /** The next segment that was sent has these flags and at least these fields. */
  expect(flags: string, fields: Partial<Outgoing> = {}): Outgoing {
    const next = this.sent.shift();
    assert.ok(next !== undefined, `${flags} ${JSON.stringify(fields)}: nothing was sent`);
    const actual: Record<string, unknown> = { flags: next.flags };
    for (const key of Object.keys(fields)) actual[key] = next[key as keyof Outgoing];
    assert.deepEqual(actual, { flags, ...fields });
    return next;
  }

  expectNothing(): void {
    assert.deepEqual(this.sent.map(describe), []);
  }

  /** The events so far are these; they are forgotten. */
  expectEvents(...events: string[]): void {
    assert.deepEqual(this.log.splice(0), events);
  }

  // Time.

  /** Lets time go by; timers expire on the way. */
  advance(ms: number): void {
    const endNs = this.clock.nowNs + ms * NS_PER_MS;
    for (;;) {
      const deadlineNs = this.tcp.nextDeadlineNs();
      if (deadlineNs > endNs) break;
      this.clock.nowNs = Math.max(this.clock.nowNs, deadlineNs);
      this.tcp.advance(this.clock.nowNs);
      this.run();
    }
    this.clock.nowNs = endNs;
  }

  get nowMs(): number {
    return this.clock.nowNs / NS_PER_MS;
  }

  run(): void {
    do {
      this.graph.run();
      this.tcp.flushEvents();
    } while (this.tcp.hasOutput);
  }

  count(counter: string): number {
    return this.graph.stats.find((each) => each.name === 'tcp4-input')!.count(counter);
  }

  /** Everything is given back: slots, FIFO memory, rows. */
  finish(): void {
    this.tcp.destroy();
    this.graph.run();
    this.graph.close();
    assert.equal(this.pool.inUse, 0, 'slots in use');
    assert.equal(this.heap.usedBytes, 0, 'FIFO bytes in use');
  }

  #events(): TransportEvents {
    const note =
      (event: string) =>
      (connection: number): void => {
        this.log.push(connection === this.connection ? event : `${event} (connection ${connection})`);
      };
    return {
      onSyn: () => SynVerdict.accept,
      onAccepted: (_listener, connection) => {
        this.connection = connection;
        this.log.push('accepted');
        this.tcp.accepted(connection);
      },
      onConnected: note('connected'),
      onReadable: note('readable'),
      onWritable: note('writable'),
      onPeerClosed: note('peer closed'),
      onFailed: (connection: number, errno: ErrnoName) => note(`failed ${errno}`)(connection),
      onClosed: note('closed'),
    };
  }

  #packet(letters: string, incoming: Incoming): number {
    const { pool } = this;
    let flags = 0;
    for (const letter of letters) flags |= LETTERS[letter]!;
    const slot = pool.take();
    const ip = pool.head[slot]!;
    const at = ip + IPV4_MIN_HEADER_BYTES;
    const headerBytes = TCP_MIN_HEADER_BYTES + this.#writeOptions(at + TCP_MIN_HEADER_BYTES, incoming);
    const data = bytesOf(incoming.data ?? 0);
    const ackDefault = this.connection < 0 ? 0 : this.tcp.core.table.sndMax[this.connection]! - this.iss;
    writeTcp(
      pool.view,
      at,
      incoming.sourcePort ?? PEER_PORT,
      incoming.destinationPort ?? LOCAL_PORT,
      (PEER_ISS + (incoming.seq ?? 1)) | 0,
      flags & TcpFlag.ack ? (this.iss + (incoming.ack ?? ackDefault)) | 0 : 0,
      headerBytes,
      flags,
      incoming.window ?? 65_535,
    );
    const bytes = IPV4_MIN_HEADER_BYTES + headerBytes + data.length;
    const source = incoming.source ?? PEER;
    writeIpv4(pool.view, ip, 0, bytes, 0, Ipv4Flag.dontFragment, 64, IpProtocol.tcp, source, LOCAL);
    pool.network[slot] = ip;
    pool.transport[slot] = at;
    pool.length[slot] = IPV4_MIN_HEADER_BYTES + headerBytes;
    pool.totalLength[slot] = bytes;
    pool.stack[slot] = 0;
    this.#append(slot, data);
    if (incoming.gsoSize !== undefined) {
      pool.flags[slot] = PacketFlag.gsoTcp4 | PacketFlag.checksumPartial;
      pool.gsoSize[slot] = incoming.gsoSize;
    } else if (pool.next[slot] === NO_SLOT) {
      updateTcpChecksumIpv4(pool.view, at, bytes - IPV4_MIN_HEADER_BYTES, source, LOCAL);
      if (incoming.badChecksum) pool.view.setUint16(at + 16, pool.view.getUint16(at + 16) ^ 1);
    } else {
      pool.flags[slot] = PacketFlag.checksumValid;
    }
    return slot;
  }

  #append(first: number, data: Uint8Array): void {
    const { pool } = this;
    let slot = first;
    let at = pool.head[slot]! + pool.length[slot]!;
    for (let done = 0; done < data.length; ) {
      const piece = Math.min(data.length - done, pool.dataEnd(slot) - at);
      pool.bytes.set(data.subarray(done, done + piece), at);
      pool.length[slot]! += piece;
      done += piece;
      if (done === data.length) return;
      const following = pool.take();
      pool.next[slot] = following;
      slot = following;
      at = pool.head[slot]!;
    }
  }

  #writeOptions(at: number, incoming: Incoming): number {
    const view = this.pool.view;
    let end = at;
    if (incoming.mss !== undefined) end += writeTcpMss(view, end, incoming.mss);
    if (incoming.sackPermitted) end += writeTcpSackPermitted(view, end);
    if (incoming.timestamps) end += writeTcpTimestamps(view, end, incoming.timestamps[0], incoming.timestamps[1]);
    if (incoming.windowScale !== undefined) end += writeTcpWindowScale(view, end, incoming.windowScale);
    if (incoming.sack) {
      const edges = Int32Array.from(incoming.sack.flat().map((edge) => (this.iss + edge) | 0));
      end += writeTcpSack(view, end, edges, incoming.sack.length);
    }
    return end - at;
  }

  #captureNode(): NodeSpec<TcpContext> {
    return {
      name: 'ip4-output',
      nexts: [],
      counters: [],
      make:
        ({ pool }) =>
        (frame, next) => {
          for (let i = 0; i < frame.count; i++) {
            this.sent.push(this.#parse(frame.slots[i]!));
            pool.give(frame.slots[i]!);
          }
          next.fill(CONSUMED, 0, frame.count);
        },
    };
  }

  #parse(slot: number): Outgoing {
    const { pool } = this;
    const { view } = pool;
    const ip = pool.network[slot]!;
    const at = pool.transport[slot]!;
    const flags = tcpFlags(view, at);
    const headerBytes = tcpHeaderBytes(view, at);
    const rawSeq = tcpSequence(view, at);
    assert.equal(pool.head[slot], ip);
    assert.equal(pool.totalLength[slot], ipv4TotalLength(view, ip));
    assert.ok((pool.flags[slot]! & PacketFlag.checksumPartial) !== 0);
    if (flags & TcpFlag.syn && !this.#isIssKnown) {
      this.iss = rawSeq;
      this.#isIssKnown = true;
    }
    const payload: number[] = [];
    for (let piece = slot; piece !== NO_SLOT; piece = pool.next[piece]!) {
      const from = piece === slot ? at + headerBytes : pool.head[piece]!;
      payload.push(...pool.bytes.slice(from, pool.head[piece]! + pool.length[piece]!));
    }
    assert.equal(payload.length, ipv4TotalLength(view, ip) - IPV4_MIN_HEADER_BYTES - headerBytes);
    const options = makeTcpOptions();
    const present = readTcpOptions(view, at, options);
    const sack: [number, number][] = [];
    for (let i = 0; i < options.sackCount; i++) {
      sack.push([(options.sackEdges[i * 2]! - PEER_ISS) | 0, (options.sackEdges[i * 2 + 1]! - PEER_ISS) | 0]);
    }
    return {
      flags: formatTcpFlags(flags),
      seq: (rawSeq - this.iss) | 0,
      ack: flags & TcpFlag.ack ? (tcpAcknowledgment(view, at) - PEER_ISS) | 0 : 0,
      window: tcpWindow(view, at),
      length: payload.length,
      text: new TextDecoder().decode(Uint8Array.from(payload)),
      mss: present & TcpOptionBit.mss ? options.mss : undefined,
      windowScale: present & TcpOptionBit.windowScale ? options.windowScale : undefined,
      sackPermitted: (present & TcpOptionBit.sackPermitted) !== 0,
      timestamps: present & TcpOptionBit.timestamps ? [options.tsVal, options.tsEcr] : undefined,
      sack,
      sourcePort: tcpSourcePort(view, at),
      destinationPort: tcpDestinationPort(view, at),
      gsoSize: pool.gsoSize[slot]!,
      atMs: this.nowMs,
      rawSeq,
      dontFragment: (view.getUint16(ip + 6) & Ipv4Flag.dontFragment) !== 0,
    };
  }
}

function describe(segment: Outgoing): string {
  return `${segment.flags} seq ${segment.seq} ack ${segment.ack} length ${segment.length}`;
}

/** Text, or so many bytes of a pattern. */
function bytesOf(data: string | number): Uint8Array {
  if (typeof data === 'string') return new TextEncoder().encode(data);
  const bytes = new Uint8Array(data);
  for (let i = 0; i < data; i++) bytes[i] = 97 + (i % 26);
  return bytes;
}

function makeRoutes(mtuBytes: number, gso: boolean): TcpScript['routes'] {
  return {
    generation: 1,
    mtuBytes,
    space: 1 << 20,
    isUp: true,
    egress() {
      return this.isUp ? 1 : 0;
    },
    pathMtu() {
      return this.mtuBytes;
    },
    errno() {
      return this.isUp ? undefined : 'ENETUNREACH';
    },
    source: () => LOCAL,
    isLocal: (_stack, address) => address === LOCAL,
    mtu() {
      return this.mtuBytes;
    },
    hasGso: () => gso,
    txSpace() {
      return this.space;
    },
    confirmReachable: () => {},
  };
}
