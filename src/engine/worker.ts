/**
 * One worker: the packet memory, the tables of every layer, and the one graph that all its stacks share. Everything is
 * put together here and nowhere else; `run` is what a driver calls.
 *
 *   run: timers ─► graph passes ─► TCP and UDP events ─► session events ─► applications
 */
import type { Random } from '../base/random.js';
import { NS_PER_MS, NS_PER_S, type TimerSource } from '../base/time.js';
import type { MemoryLimits, Tunables } from '../config/tunable-table.js';
import { InterfaceTable } from '../drivers/interface-table.js';
import { RingStore } from '../drivers/ring-store.js';
import { Graph } from '../graph/graph.js';
import { type Kernels, makeKernels } from '../kernels/kernels.js';
import { makeKernelsTypescript } from '../kernels/kernels-typescript.js';
import { BridgeTable } from '../l2/bridge-table.js';
import { L3 } from '../l3/l3.js';
import { Arena } from '../mem/arena.js';
import { PacketPool } from '../mem/packet-pool.js';
import { RegionHeap } from '../mem/region-heap.js';
import { isIpv4Words } from '../session/address.js';
import { type ResolveName, SessionLayer } from '../session/session-layer.js';
import { L3Routes } from '../transport/routes.js';
import { icmpErrorArrives } from '../transport/tcp/icmp-error.js';
import { TcpTransport } from '../transport/tcp/tcp-transport.js';
import { makeUdp } from '../transport/udp/make-udp.js';
import type { UdpTransport } from '../transport/udp/udp-transport.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import type { Runnable } from './driver.js';
import { GRAPH_ARCS, GRAPH_NODES, type WorkerContext } from './graph-nodes.js';

import { WorkerClock } from './worker-clock.js';

/** Node counters are added up at least so often. */
const COMMIT_NS = NS_PER_S;
/**
 * A run is over after so many passes of the graph, or when so many packets have come in: the driver then looks at the
 * clock, and applications get their turn. Few packets may go all their way in one run, hop by hop.
 */
const MAX_PASSES = 8;
const ENOUGH_PACKETS = 16;
/** TCP's timers wait no longer than this for packets that are on their way in this process. */
const MAX_DEFERRAL_NS = 20 * NS_PER_MS;
const MAX_DEFERRED_RUNS = 1024;

export interface WorkerOptions {
  readonly memory: MemoryLimits;
  readonly tunables: Tunables;
  /** The driver's clock. */
  readonly nowNs: () => number;
  readonly random: Random;
  /** Measures nodes, in nanoseconds; without it they are not timed. */
  readonly stopwatch?: () => number;
  readonly resolveName?: ResolveName;
}

export class Worker implements Runnable {
  readonly clock: WorkerClock;
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly buffers: RegionHeap;
  readonly kernels: Kernels;
  readonly rings: RingStore;
  readonly interfaces: InterfaceTable;
  readonly bridges: BridgeTable;
  readonly l3: L3;
  readonly tcp: TcpTransport;
  readonly udp: UdpTransport;
  readonly sessions: SessionLayer;
  readonly graph: Graph<WorkerContext>;
  /** Tells the driver that there is work. */
  wake: () => void = () => {};
  /** Called at the end of each run. */
  onRunEnd: () => void = () => {};
  readonly #timers: readonly TimerSource[];
  #committedNs = 0;
  /** Runs in a row in which TCP's timers were due and waited, and when that began. */
  #deferredRuns = 0;
  #deferredNs = 0;

  constructor(options: WorkerOptions) {
    const { memory, random } = options;
    const wake = (): void => this.wake();
    this.clock = new WorkerClock(options.nowNs);
    const { clock } = this;
    this.arena = new Arena(memory.arenaBytes);
    const { arena } = this;
    this.kernels = chooseKernels(arena);
    arena.copy = this.kernels.copy;
    const { kernels } = this;
    this.pool = new PacketPool(arena, { slots: memory.packets });
    const { pool } = this;
    this.buffers = new RegionHeap(arena, memory.bufferBytes);
    this.rings = new RingStore(arena);
    this.interfaces = new InterfaceTable(memory.interfaces);
    const { interfaces } = this;
    interfaces.wake = wake;
    this.bridges = new BridgeTable(interfaces, clock, memory.macAddresses);
    this.l3 = new L3({ arena, pool, clock, random, interfaces, kernels, wake }, l3Limits(memory));
    const { l3 } = this;
    const routes = new L3Routes(l3);
    const transport = { arena, pool, heap: this.buffers, clock, random, routes };
    this.tcp = new TcpTransport({
      ...transport,
      config: { ...options.tunables.tcp, maxConnections: memory.connections, maxListeners: memory.listeners },
    });
    const { core } = this.tcp;
    l3.onIcmpError(IpProtocol.tcp, (stack, type, code, mtu, quoteAt) =>
      icmpErrorArrives(core, stack, type, code, mtu, quoteAt),
    );
    this.udp = makeUdp({ ...transport, l3, config: { maxSockets: memory.udpSockets } });
    this.sessions = new SessionLayer({
      arena,
      tcp: this.tcp,
      udp: this.udp,
      maxConnections: memory.connections,
      maxUdpSockets: memory.udpSockets,
      isLocalAddress: (stack, address) => isIpv4Words(address) && l3.isLocal(stack, address[3]! >>> 0),
      ...(options.resolveName === undefined ? {} : { resolveName: options.resolveName }),
    });
    this.tcp.wake = wake;
    this.udp.wake = wake;
    this.sessions.wake = wake;
    this.#timers = [interfaces, this.bridges, l3, this.udp];
    this.graph = new Graph<WorkerContext>({
      pool,
      clock,
      nodes: GRAPH_NODES,
      arcs: GRAPH_ARCS,
      maxInterfaces: memory.interfaces,
      context: { interfaces, kernels, bridges: this.bridges, l3, random, tcp: this.tcp, udp: this.udp },
      ...(options.stopwatch === undefined ? {} : { stopwatch: options.stopwatch }),
    });
  }

  run(nowNs: number): number {
    this.clock.freeze(nowNs);
    for (const timers of this.#timers) if (timers.nextDeadlineNs() <= nowNs) timers.advance(nowNs);
    if (this.tcp.nextDeadlineNs() <= nowNs && !this.#mayDefer(nowNs)) this.tcp.advance(nowNs);
    for (let passes = 0, packets = 0; passes < MAX_PASSES && packets < ENOUGH_PACKETS; passes++) {
      const received = this.graph.run();
      if (received === 0) break;
      packets += received;
    }
    this.tcp.flushEvents();
    this.udp.flushEvents();
    if (nowNs - this.#committedNs >= COMMIT_NS) {
      this.graph.commitCounters();
      this.#committedNs = nowNs;
    }
    this.clock.release();
    this.sessions.flush();
    this.onRunEnd();
    return this.#hasWork() ? nowNs : this.#nextDeadlineNs();
  }

  /** Gives everything back. Stacks and interfaces must be gone. Returns the packets that nobody gave back: none. */
  close(): number {
    this.tcp.destroy();
    this.udp.destroy();
    this.interfaces.close();
    this.l3.close();
    this.graph.close();
    this.pool.flush();
    return this.pool.inUse;
  }

  /**
   * True while TCP's timers should wait for packets that are here already: after a pause of this process the
   * acknowledgments that came, or would have come, meanwhile are looked at before anything is taken for lost.
   */
  #mayDefer(nowNs: number): boolean {
    if (this.#hasPackets()) {
      if (this.#deferredRuns++ === 0) this.#deferredNs = nowNs;
      if (nowNs - this.#deferredNs < MAX_DEFERRAL_NS && this.#deferredRuns < MAX_DEFERRED_RUNS) return true;
    }
    this.#deferredRuns = 0;
    return false;
  }

  #hasPackets(): boolean {
    return this.interfaces.pendingCount > 0 || this.tcp.hasOutput || this.udp.hasOutput;
  }

  #hasWork(): boolean {
    return this.#hasPackets() || this.sessions.hasWork;
  }

  #nextDeadlineNs(): number {
    let earliest = this.tcp.nextDeadlineNs();
    for (const timers of this.#timers) earliest = Math.min(earliest, timers.nextDeadlineNs());
    return earliest;
  }
}

/** WebAssembly where there is SIMD and shared memory, else the TypeScript twins. */
function chooseKernels(arena: Arena): Kernels {
  try {
    return makeKernels(arena.memory);
  } catch {
    return makeKernelsTypescript(arena.memory);
  }
}

function l3Limits(memory: MemoryLimits): ConstructorParameters<typeof L3>[1] {
  return {
    stacks: memory.stacks,
    vrfs: memory.stacks,
    adjacencies: memory.adjacencies,
    neighbors: memory.neighbors,
  };
}
