/** Stacks with UDP over links, in virtual time: everything from the socket's queue down to the device. */
import { seededRandom } from '../../../base/random.js';
import { NS_PER_MS } from '../../../base/time.js';
import type { Device } from '../../../drivers/device.js';
import { deviceInput } from '../../../drivers/device-input.js';
import { drop } from '../../../drivers/drop.js';
import { interfaceOutput } from '../../../drivers/interface-output.js';
import { InterfaceTable } from '../../../drivers/interface-table.js';
import { LoopbackDevice } from '../../../drivers/loopback.js';
import { RingStore } from '../../../drivers/ring-store.js';
import { RecordingDevice } from '../../../drivers/testing/link-lab.js';
import { makeVethPair, type VethOptions } from '../../../drivers/veth.js';
import { Graph } from '../../../graph/graph.js';
import { CONSUMED, type NodeSpec } from '../../../graph/node.js';
import { makeKernels } from '../../../kernels/kernels.js';
import { ethernetInput } from '../../../l2/ethernet-input.js';
import { arpInput } from '../../../l3/arp-input.js';
import { icmp4Input } from '../../../l3/icmp4-input.js';
import { ip4Arp } from '../../../l3/ip4-arp.js';
import { ip4Fragment } from '../../../l3/ip4-fragment.js';
import { ip4IcmpError } from '../../../l3/ip4-icmp-error.js';
import { ip4Input } from '../../../l3/ip4-input.js';
import { ip4Local } from '../../../l3/ip4-local.js';
import { ip4Lookup } from '../../../l3/ip4-lookup.js';
import { ip4Multicast } from '../../../l3/ip4-multicast.js';
import { ip4Null } from '../../../l3/ip4-null.js';
import { ip4Output } from '../../../l3/ip4-output.js';
import { ip4Reassembly } from '../../../l3/ip4-reassembly.js';
import { ip4Rewrite } from '../../../l3/ip4-rewrite.js';
import { L3 } from '../../../l3/l3.js';
import { l3Source } from '../../../l3/l3-source.js';
import { Arena } from '../../../mem/arena.js';
import { PacketPool } from '../../../mem/packet-pool.js';
import { RegionHeap } from '../../../mem/region-heap.js';
import { formatIpv4, parseIpv4, parseIpv4Cidr } from '../../../wire/address.js';
import { makeUdp } from '../make-udp.js';
import type { UdpBindOptions, UdpDatagram } from '../udp.js';
import type { UdpConfig } from '../udp-config.js';
import type { UdpContext } from '../udp-context.js';
import type { UdpTransport } from '../udp-transport.js';
import { udp4Input } from '../udp4-input.js';
import { udp4Output } from '../udp4-output.js';

/** What was received, readable. */
export interface Received {
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly ttl: number;
}

/** `10.0.0.1` as four words. */
export function words(text: string): Int32Array {
  return Int32Array.of(0, 0, 0xffff, parseIpv4(text));
}

export const ANY_WORDS = new Int32Array(4);

export class UdpLab {
  readonly pool: PacketPool;
  readonly heap: RegionHeap;
  readonly clock = { nowNs: NS_PER_MS };
  readonly random = seededRandom(5);
  readonly interfaces = new InterfaceTable(64);
  readonly l3: L3;
  readonly udp: UdpTransport;
  readonly graph: Graph<UdpContext>;
  /** `readable 3`, `writable 3`, `ECONNREFUSED 3`, in the order in which they came. */
  readonly events: string[] = [];
  readonly #rings: RingStore;
  readonly #buffer = new Uint8Array(65_536);
  #macs = 0;

  constructor(config: Partial<UdpConfig> = {}, slots = 4096, heapBytes = 64 << 20) {
    const arena = new Arena(256 << 20);
    const kernels = makeKernels(arena.memory);
    arena.copy = kernels.copy;
    this.pool = new PacketPool(arena, { slots });
    this.heap = new RegionHeap(arena, heapBytes);
    this.#rings = new RingStore(arena);
    const { pool, clock, interfaces, random, heap } = this;
    this.l3 = new L3({ arena, pool, clock, random, interfaces, kernels });
    const { l3 } = this;
    this.udp = makeUdp({ arena, pool, heap, clock, random, l3, config: { maxSockets: 64, ...config } });
    this.udp.events = {
      onReadable: (socket) => this.events.push(`readable ${socket}`),
      onWritable: (socket) => this.events.push(`writable ${socket}`),
      onError: (socket, errno) => this.events.push(`${errno} ${socket}`),
    };
    this.graph = new Graph<UdpContext>({
      pool,
      clock,
      maxInterfaces: interfaces.maxInterfaces,
      arcs: [{ name: 'ip4-unicast', end: 'ip4-lookup' }],
      context: { interfaces, kernels, l3, random, udp: this.udp },
      nodes: [
        deviceInput,
        l3Source,
        udp4Output,
        ethernetInput,
        arpInput,
        ip4Input,
        ip4Lookup,
        ip4Multicast,
        ip4Local,
        ip4Reassembly,
        icmp4Input,
        udp4Input,
        endNode('l2-input'),
        endNode('tcp4-input'),
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

  /** A stack with one interface of that device and address, such as `10.0.0.1/24`. */
  addStack(address: string, device: Device, mtu = 1500): number {
    const stack = this.l3.createStack();
    this.addInterface(stack, 'eth0', device, address, mtu);
    return stack;
  }

  addInterface(stack: number, name: string, device: Device, address?: string, mtu = 1500): number {
    this.#macs++;
    const index = this.interfaces.create({ name, stack, device, mtu, mac: { hi: 0x0200, lo: this.#macs } });
    this.l3.addInterface(index);
    const cidr = address === undefined ? undefined : parseIpv4Cidr(address);
    if (cidr !== undefined) this.l3.addAddress(index, cidr.address, cidr.prefixLength);
    return index;
  }

  addLoopback(stack: number): void {
    this.addInterface(stack, 'lo', new LoopbackDevice(this.pool, this.#rings), '127.0.0.1/8', 65_535);
  }

  /** 10.0.0.1 and 10.0.0.2, joined by a link. */
  joinPair(options: VethOptions & { mtu?: number } = {}): [number, number] {
    const [left, right] = makeVethPair(this.pool, this.#rings, options);
    return [this.addStack('10.0.0.1/24', left, options.mtu), this.addStack('10.0.0.2/24', right, options.mtu)];
  }

  /** 10.0.0.1 on a link of bare IP packets that the test itself plays. */
  addTap(): { stack: number; tap: RecordingDevice } {
    const tap = new RecordingDevice(this.pool, 'ip');
    return { stack: this.addStack('10.0.0.1/24', tap), tap };
  }

  /** A socket; on any address unless one is given. Fails if there is none. */
  bind(stack: number, port: number, address?: string, options: Partial<UdpBindOptions> = {}): number {
    const local = address === undefined ? ANY_WORDS : words(address);
    const socket = this.udp.bind({ stack, local, port, isIpv6Only: false, isReuseport: false, ...options });
    if (typeof socket === 'string') throw new Error(`bind: ${socket}`);
    return socket;
  }

  /** Sends a text to `10.0.0.1:53`, or to the peer; the errno or 'sent'. */
  send(socket: number, text: string, to?: string): string {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const [host, port] = to?.split(':') ?? [];
    const remote = host === undefined ? undefined : words(host);
    return this.udp.send(socket, bytes, 0, bytes.length, remote, Number(port ?? 0)) ?? 'sent';
  }

  receive(socket: number): Received | undefined {
    const info: UdpDatagram = { remote: new Int32Array(4), remotePort: 0, local: new Int32Array(4), ttl: 0 };
    const length = this.udp.receive(socket, this.#buffer, 0, info);
    if (length < 0) return undefined;
    return {
      text: String.fromCharCode(...this.#buffer.subarray(0, length)),
      from: `${formatIpv4(info.remote[3]! >>> 0)}:${info.remotePort}`,
      to: formatIpv4(info.local[3]! >>> 0),
      ttl: info.ttl,
    };
  }

  /** The texts of all datagrams that wait. */
  receiveAll(socket: number): string[] {
    const texts: string[] = [];
    for (let each = this.receive(socket); each !== undefined; each = this.receive(socket)) texts.push(each.text);
    return texts;
  }

  pass(): void {
    this.graph.run();
    this.udp.flushEvents();
  }

  /** Runs for so long in virtual time. */
  run(ms = 10): void {
    const endNs = this.clock.nowNs + ms * NS_PER_MS;
    for (;;) {
      do this.pass();
      while (this.interfaces.pendingCount > 0 || this.l3.outbox.count > 0 || this.udp.hasOutput);
      const deadlineNs = Math.min(this.l3.nextDeadlineNs(), this.udp.nextDeadlineNs());
      if (deadlineNs > endNs) break;
      this.clock.nowNs = Math.max(this.clock.nowNs, deadlineNs);
      this.l3.advance(this.clock.nowNs);
      this.udp.advance();
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
    this.udp.destroy();
    this.interfaces.close();
    this.l3.close();
    this.graph.close();
    return this.pool.inUse;
  }
}

/** A node that takes what has no place here. */
function endNode(name: string): NodeSpec<UdpContext> {
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
