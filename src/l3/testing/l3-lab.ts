/** Stacks, links and the graph of their nodes in virtual time: what tests of the network layer need. */
import { seededRandom } from '../../base/random.js';
import { NS_PER_MS } from '../../base/time.js';
import type { Device } from '../../drivers/device.js';
import { deviceInput } from '../../drivers/device-input.js';
import { drop } from '../../drivers/drop.js';
import { interfaceOutput } from '../../drivers/interface-output.js';
import { InterfaceTable } from '../../drivers/interface-table.js';
import { LoopbackDevice } from '../../drivers/loopback.js';
import { RingStore } from '../../drivers/ring-store.js';
import { bytesOf, packetOf, RecordingDevice } from '../../drivers/testing/link-lab.js';
import { makeVethPair, type VethOptions } from '../../drivers/veth.js';
import { Graph } from '../../graph/graph.js';
import { CONSUMED, type NodeSpec } from '../../graph/node.js';
import { makeKernels } from '../../kernels/kernels.js';
import { ethernetInput } from '../../l2/ethernet-input.js';
import { Arena } from '../../mem/arena.js';
import { PacketPool } from '../../mem/packet-pool.js';
import { parseIpv4, parseIpv4Cidr } from '../../wire/address.js';
import { arpInput } from '../arp-input.js';
import type { PingOptions, PingResult } from '../icmp-echo.js';
import { icmp4Input } from '../icmp4-input.js';
import { ip4Arp } from '../ip4-arp.js';
import { ip4Fragment } from '../ip4-fragment.js';
import { ip4IcmpError } from '../ip4-icmp-error.js';
import { ip4Input } from '../ip4-input.js';
import { ip4Local } from '../ip4-local.js';
import { ip4Lookup } from '../ip4-lookup.js';
import { ip4Multicast } from '../ip4-multicast.js';
import { ip4Null } from '../ip4-null.js';
import { ip4Output } from '../ip4-output.js';
import { ip4Reassembly } from '../ip4-reassembly.js';
import { ip4Rewrite } from '../ip4-rewrite.js';
import type { Ip4RouteOptions } from '../ip4-routes.js';
import { L3 } from '../l3.js';
import type { L3Context } from '../l3-context.js';
import type { L3Limits } from '../l3-options.js';
import { l3Source } from '../l3-source.js';

/** A packet that reached a transport. */
export interface Delivery {
  readonly node: string;
  readonly stack: number;
  /** From the IP header on. */
  readonly bytes: Uint8Array;
  /** Bytes from the IP header to the transport header. */
  readonly transportOffset: number;
  readonly flags: number;
  readonly flowHash: number;
  readonly rxInterface: number;
}

/** `10.0.0.1` as a number. */
export function ip(text: string): number {
  const address = parseIpv4(text);
  if (Number.isNaN(address)) throw new Error(`${text} is no address`);
  return address;
}

export class L3Lab {
  readonly pool: PacketPool;
  readonly clock = { nowNs: 0 };
  readonly interfaces: InterfaceTable;
  readonly l3: L3;
  readonly graph: Graph<L3Context>;
  readonly deliveries: Delivery[] = [];
  readonly random = seededRandom(7);
  readonly #rings: RingStore;
  #macs = 0;

  /** @param stopwatch nanoseconds, to time the nodes. */
  constructor(limits: Partial<L3Limits> = {}, slots = 4096, stopwatch?: () => number) {
    const arena = new Arena(128 << 20);
    const kernels = makeKernels(arena.memory);
    arena.copy = kernels.copy;
    this.pool = new PacketPool(arena, { slots });
    this.#rings = new RingStore(arena);
    this.interfaces = new InterfaceTable(256);
    const { pool, clock, interfaces, random } = this;
    this.l3 = new L3({ arena, pool, clock, random, interfaces, kernels }, limits);
    this.graph = new Graph<L3Context>({
      pool,
      clock,
      maxInterfaces: interfaces.maxInterfaces,
      ...(stopwatch === undefined ? {} : { stopwatch }),
      arcs: [{ name: 'ip4-unicast', end: 'ip4-lookup' }],
      context: { interfaces, kernels, l3: this.l3, random },
      nodes: [
        deviceInput,
        l3Source,
        ethernetInput,
        arpInput,
        ip4Input,
        ip4Lookup,
        ip4Multicast,
        ip4Local,
        ip4Reassembly,
        icmp4Input,
        this.#endNode('l2-input'),
        this.#endNode('tcp4-input'),
        this.#endNode('udp4-input'),
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

  /** Adds an interface with addresses such as `10.0.0.1/24`. */
  addInterface(stack: number, name: string, device: Device, addresses: readonly string[] = [], mtu = 1500): number {
    this.#macs++;
    const mac = { hi: 0x0200, lo: this.#macs };
    const index = this.interfaces.create({ name, stack, device, mtu, mac });
    this.l3.addInterface(index);
    for (const text of addresses) this.addAddress(index, text);
    return index;
  }

  addAddress(interfaceIndex: number, text: string): void {
    const cidr = parseIpv4Cidr(text);
    if (cidr === undefined) throw new Error(`${text} is no address with a prefix length`);
    this.l3.addAddress(interfaceIndex, cidr.address, cidr.prefixLength);
  }

  addRoute(stack: number, to: string, options: Ip4RouteOptions): void {
    const cidr = parseIpv4Cidr(to);
    if (cidr === undefined) throw new Error(`${to} is no prefix`);
    this.l3.addRoute(this.l3.stacks.vrf[stack]!, cidr.address, cidr.prefixLength, options);
  }

  addLoopback(stack: number): number {
    return this.addInterface(stack, 'lo', new LoopbackDevice(this.pool, this.#rings), ['127.0.0.1/8'], 65_535);
  }

  /** Joins two stacks by a link; returns the interfaces of both. */
  join(
    a: { stack: number; name: string; address: string; mtu?: number },
    b: { stack: number; name: string; address: string; mtu?: number },
    options?: VethOptions,
  ): [number, number] {
    const [deviceA, deviceB] = makeVethPair(this.pool, this.#rings, options);
    return [
      this.addInterface(a.stack, a.name, deviceA, [a.address], a.mtu),
      this.addInterface(b.stack, b.name, deviceB, [b.address], b.mtu),
    ];
  }

  /** An interface whose link the test itself plays: it brings frames in and sees what is sent. */
  addTap(
    stack: number,
    name: string,
    addresses: readonly string[],
    mtu = 1500,
  ): { index: number; tap: RecordingDevice } {
    const tap = new RecordingDevice(this.pool);
    return { index: this.addInterface(stack, name, tap, addresses, mtu), tap };
  }

  /** Lets the stack send an IP packet. */
  send(stack: number, bytes: Uint8Array): void {
    const slot = packetOf(this.pool, bytes);
    this.pool.network[slot] = this.pool.head[slot]!;
    this.pool.transport[slot] = this.pool.head[slot]! + ((bytes[0]! & 15) << 2);
    this.pool.stack[slot] = stack;
    this.graph.inject('ip4-output', slot);
    this.settle();
  }

  ping(stack: number, to: string, options: Partial<PingOptions> = {}): PingResult[] {
    const results: PingResult[] = [];
    this.l3.ping(stack, ip(to), options, (result) => results.push(result));
    return results;
  }

  /** Runs until nothing moves without time going by. */
  settle(): void {
    do this.graph.run();
    while (this.interfaces.pendingCount > 0 || this.l3.outbox.count > 0);
  }

  /** Runs for so long in virtual time. */
  run(ms: number): void {
    const endNs = this.clock.nowNs + ms * NS_PER_MS;
    for (;;) {
      this.settle();
      const deadlineNs = this.l3.nextDeadlineNs();
      if (deadlineNs > endNs) break;
      this.clock.nowNs = Math.max(this.clock.nowNs, deadlineNs);
      this.l3.advance(this.clock.nowNs);
    }
    this.clock.nowNs = endNs;
  }

  /** Count of a node's counter. */
  count(node: string, counter: string): number {
    const stats = this.graph.stats.find((each) => each.name === node);
    if (stats === undefined || !stats.counterNames.includes(counter)) throw new Error(`no counter ${node} ${counter}`);
    return stats.count(counter);
  }

  /** Ends everything. Returns how many slots were not given back. */
  close(): number {
    this.interfaces.close();
    this.l3.close();
    this.graph.close();
    return this.pool.inUse;
  }

  /** A node that notes what comes and gives it back. */
  #endNode(name: string): NodeSpec<L3Context> {
    return {
      name,
      nexts: [],
      counters: [],
      make:
        ({ pool }) =>
        (frame, next) => {
          for (let i = 0; i < frame.count; i++) {
            const slot = frame.slots[i]!;
            this.deliveries.push({
              node: name,
              stack: pool.stack[slot]!,
              bytes: bytesOf(pool, slot),
              transportOffset: pool.transport[slot]! - pool.head[slot]!,
              flags: pool.flags[slot]!,
              flowHash: pool.flowHash[slot]!,
              rxInterface: pool.rxInterface[slot]!,
            });
            pool.give(slot);
            next[i] = CONSUMED;
          }
        },
    };
  }
}
