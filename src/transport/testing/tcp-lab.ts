/** Stacks with TCP over links of any kind, in virtual time: everything from the socket's FIFO down to the device. */
import { seededRandom } from '../../base/random.js';
import { NS_PER_MS } from '../../base/time.js';
import type { Device } from '../../drivers/device.js';
import { deviceInput } from '../../drivers/device-input.js';
import { drop } from '../../drivers/drop.js';
import { interfaceOutput } from '../../drivers/interface-output.js';
import { InterfaceTable } from '../../drivers/interface-table.js';
import { LoopbackDevice } from '../../drivers/loopback.js';
import { RingStore } from '../../drivers/ring-store.js';
import { makeVethPair, type VethOptions } from '../../drivers/veth.js';
import { Graph } from '../../graph/graph.js';
import { CONSUMED, type NodeSpec } from '../../graph/node.js';
import { type Kernels, makeKernels } from '../../kernels/kernels.js';
import { ethernetInput } from '../../l2/ethernet-input.js';
import { arpInput } from '../../l3/arp-input.js';
import { icmp4Input } from '../../l3/icmp4-input.js';
import { ip4Arp } from '../../l3/ip4-arp.js';
import { ip4Fragment } from '../../l3/ip4-fragment.js';
import { ip4IcmpError } from '../../l3/ip4-icmp-error.js';
import { ip4Input } from '../../l3/ip4-input.js';
import { ip4Local } from '../../l3/ip4-local.js';
import { ip4Lookup } from '../../l3/ip4-lookup.js';
import { ip4Multicast } from '../../l3/ip4-multicast.js';
import { ip4Null } from '../../l3/ip4-null.js';
import { ip4Output } from '../../l3/ip4-output.js';
import { ip4Reassembly } from '../../l3/ip4-reassembly.js';
import { ip4Rewrite } from '../../l3/ip4-rewrite.js';
import { L3 } from '../../l3/l3.js';
import { l3Source } from '../../l3/l3-source.js';
import { Arena } from '../../mem/arena.js';
import { PacketPool } from '../../mem/packet-pool.js';
import { RegionHeap } from '../../mem/region-heap.js';
import { parseIpv4, parseIpv4Cidr } from '../../wire/address.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { SynVerdict, type TransportEvents } from '../events.js';
import { L3Routes } from '../routes.js';
import type { TcpConfig } from '../tcp/tcp-config.js';
import type { TcpContext } from '../tcp/tcp-context.js';
import { TcpTransport } from '../tcp/tcp-transport.js';
import { tcp4Input } from '../tcp/tcp4-input.js';
import { tcp4Output } from '../tcp/tcp4-output.js';

export interface TcpLabOptions {
  readonly config?: Partial<TcpConfig>;
  readonly slots?: number;
  readonly arenaBytes?: number;
  readonly events?: Partial<TransportEvents>;
}

/** Events of which nobody wants to know. */
export const NO_EVENTS: TransportEvents = {
  onSyn: () => SynVerdict.accept,
  onAccepted: () => {},
  onConnected: () => {},
  onReadable: () => {},
  onWritable: () => {},
  onPeerClosed: () => {},
  onFailed: () => {},
  onClosed: () => {},
};

/** `10.0.0.1` as four words. */
export function words(text: string): [number, number, number, number] {
  return [0, 0, 0xffff, parseIpv4(text) | 0];
}

export class TcpLab {
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly heap: RegionHeap;
  readonly kernels: Kernels;
  readonly clock = { nowNs: NS_PER_MS };
  readonly random = seededRandom(11);
  readonly interfaces: InterfaceTable;
  readonly rings: RingStore;
  readonly l3: L3;
  readonly tcp: TcpTransport;
  readonly graph: Graph<TcpContext>;
  #macs = 0;

  constructor(options: TcpLabOptions = {}) {
    const arena = new Arena(options.arenaBytes ?? 512 << 20);
    const kernels = makeKernels(arena.memory);
    arena.copy = kernels.copy;
    this.arena = arena;
    this.kernels = kernels;
    this.pool = new PacketPool(arena, { slots: options.slots ?? 8192 });
    this.heap = new RegionHeap(arena, 256 << 20);
    this.rings = new RingStore(arena);
    this.interfaces = new InterfaceTable(256);
    const { pool, clock, interfaces, random, heap } = this;
    this.l3 = new L3({ arena, pool, clock, random, interfaces, kernels });
    this.tcp = new TcpTransport({
      arena,
      pool,
      heap,
      clock,
      random,
      routes: new L3Routes(this.l3),
      config: { maxConnections: 1024, ...options.config },
    });
    this.tcp.events = { ...NO_EVENTS, ...options.events };
    this.l3.onIcmpError(IpProtocol.tcp, this.tcp.onIcmpError);
    this.graph = new Graph<TcpContext>({
      pool,
      clock,
      maxInterfaces: interfaces.maxInterfaces,
      arcs: [{ name: 'ip4-unicast', end: 'ip4-lookup' }],
      context: { interfaces, kernels, l3: this.l3, random, tcp: this.tcp },
      nodes: [
        deviceInput,
        l3Source,
        tcp4Output,
        ethernetInput,
        arpInput,
        ip4Input,
        ip4Lookup,
        ip4Multicast,
        ip4Local,
        ip4Reassembly,
        icmp4Input,
        tcp4Input,
        endNode('l2-input'),
        endNode('udp4-input'),
        ip4Output,
        ip4IcmpError,
        ip4Arp,
        ip4Null,
        ip4Rewrite,
        ip4Fragment,
        interfaceOutput,
        drop,
      ],
    });
  }

  addStack(forwarding = false): number {
    return this.l3.createStack({ forwarding });
  }

  /** Adds an interface with an address such as `10.0.0.1/24`. */
  addInterface(stack: number, name: string, device: Device, address: string, mtu = 1500): number {
    this.#macs++;
    const index = this.interfaces.create({ name, stack, device, mtu, mac: { hi: 0x0200, lo: this.#macs } });
    this.l3.addInterface(index);
    const cidr = parseIpv4Cidr(address);
    if (cidr === undefined) throw new Error(`${address} is no address with a prefix length`);
    this.l3.addAddress(index, cidr.address, cidr.prefixLength);
    return index;
  }

  addLoopback(stack: number): number {
    return this.addInterface(stack, 'lo', new LoopbackDevice(this.pool, this.rings), '127.0.0.1/8', 65_535);
  }

  /** Two stacks, 10.0.0.1 and 10.0.0.2, joined by a link; `wrap` may put devices around both ends. */
  joinPair(
    options: VethOptions & { mtu?: number; wrap?: (device: Device, end: number) => Device } = {},
  ): [number, number] {
    const a = this.addStack();
    const b = this.addStack();
    const devices = makeVethPair(this.pool, this.rings, options);
    const wrap = options.wrap ?? ((device) => device);
    this.addInterface(a, 'eth0', wrap(devices[0], 0), '10.0.0.1/24', options.mtu);
    this.addInterface(b, 'eth0', wrap(devices[1], 1), '10.0.0.2/24', options.mtu);
    return [a, b];
  }

  /** One pass of the graph with what follows it. */
  pass(): void {
    this.graph.run();
    this.tcp.flushEvents();
  }

  /** True while something moves without time going by. */
  get isBusy(): boolean {
    return this.interfaces.pendingCount > 0 || this.l3.outbox.count > 0 || this.tcp.hasOutput;
  }

  settle(): void {
    do this.pass();
    while (this.isBusy);
  }

  nextDeadlineNs(): number {
    return Math.min(this.l3.nextDeadlineNs(), this.tcp.nextDeadlineNs(), this.interfaces.nextDeadlineNs());
  }

  /** Runs for so long in virtual time, or until `isDone`. */
  run(ms: number, isDone: () => boolean = () => false): void {
    const endNs = this.clock.nowNs + ms * NS_PER_MS;
    for (;;) {
      this.settle();
      if (isDone()) return;
      const deadlineNs = this.nextDeadlineNs();
      if (deadlineNs > endNs) break;
      this.clock.nowNs = Math.max(this.clock.nowNs, deadlineNs);
      this.interfaces.advance(this.clock.nowNs);
      this.l3.advance(this.clock.nowNs);
      this.tcp.advance(this.clock.nowNs);
    }
    this.clock.nowNs = endNs;
  }

  /** Count of a node's counter. */
  count(node: string, counter: string): number {
    const stats = this.graph.stats.find((each) => each.name === node);
    if (stats === undefined || !stats.counterNames.includes(counter)) throw new Error(`no counter ${node} ${counter}`);
    return stats.count(counter);
  }

  /** Ends everything. Returns the slots that were not given back. */
  close(): number {
    this.tcp.destroy();
    this.interfaces.close();
    this.l3.close();
    this.graph.close();
    return this.pool.inUse;
  }
}

/** A node that takes what has no place here. */
function endNode(name: string): NodeSpec<TcpContext> {
  return {
    name,
    nexts: [],
    counters: [],
    make:
      ({ pool }) =>
      (frame, next) => {
        pool.giveMany(frame.slots, frame.count);
        next.fill(CONSUMED, 0, frame.count);
      },
  };
}
