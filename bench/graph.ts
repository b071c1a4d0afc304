/**
 * The packet graph by itself: 64-byte packets (60 and the checksum that a wire would add) of 4,096 or 100,000 flows from
 * a device that writes each one, through the nodes of the case, to a device that counts. Pure TypeScript, one thread.
 */
import { type Random, randomBelow, seededRandom } from '../src/base/random.js';
import { NS_PER_S } from '../src/base/time.js';
import { resolveConfig } from '../src/config/load.js';
import { drop } from '../src/drivers/drop.js';
import { interfaceOutput } from '../src/drivers/interface-output.js';
import { InterfaceTable, NO_STACK } from '../src/drivers/interface-table.js';
import type { LinkContext } from '../src/drivers/link-context.js';
import { PatternSource } from '../src/drivers/pattern-source.js';
import { Sink } from '../src/drivers/sink.js';
import { Worker } from '../src/engine/worker.js';
import { FRAME_PACKETS } from '../src/graph/frame.js';
import { Graph } from '../src/graph/graph.js';
import type { NodeSpec } from '../src/graph/node.js';
import { makeKernelsTypescript } from '../src/kernels/kernels-typescript.js';
import { SEEN_ALWAYS } from '../src/l2/mac-table.js';
import { Arena } from '../src/mem/arena.js';
import { PacketPool } from '../src/mem/packet-pool.js';
import { ETHERNET_HEADER_BYTES, EtherType, writeEthernet } from '../src/wire/ethernet.js';
import { IpProtocol } from '../src/wire/ip-protocol.js';
import { IPV4_MIN_HEADER_BYTES, writeIpv4 } from '../src/wire/ipv4.js';
import { updateUdpChecksumIpv4, writeUdp } from '../src/wire/udp.js';
import { type Bench, type BenchCase, cpuSeconds, type Sample } from './bench.js';

const FLOWS = 4_096;
const MANY_DESTINATIONS = 100_000;
const ROUTES = 10_000;
const NEXT_HOPS = 16;
/** Without the frame check sequence, which no device here has. */
const PACKET_BYTES = 60;
const LOCAL_BITS = 0x0200;
const ROUTER_MAC_LO = 0xa;
const SOURCE_MAC_LO = 0x100_0000;
const DESTINATION_MAC_LO = 0x200_0000;
const WARM_UP_PACKETS = 4_000_000;
const MEASURED_PACKETS = 20_000_000;

/** A UDP packet as it stands on the wire. */
function makePacket(destinationMacLo: number, sourceMacLo: number, source: number, destination: number): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  const ipBytes = PACKET_BYTES - ETHERNET_HEADER_BYTES;
  const udpAt = ETHERNET_HEADER_BYTES + IPV4_MIN_HEADER_BYTES;
  writeEthernet(view, 0, LOCAL_BITS, destinationMacLo, LOCAL_BITS, sourceMacLo, EtherType.ipv4);
  writeIpv4(view, ETHERNET_HEADER_BYTES, 0, ipBytes, 0, 0, 64, IpProtocol.udp, source, destination);
  writeUdp(view, udpAt, 1024, 9, ipBytes - IPV4_MIN_HEADER_BYTES);
  updateUdpChecksumIpv4(view, udpAt, ipBytes - IPV4_MIN_HEADER_BYTES, source, destination);
  return bytes;
}

/** Runs passes until the sink has seen so many packets. */
function measure(pass: () => unknown, sink: Sink): Sample {
  while (sink.packets < WARM_UP_PACKETS) pass();
  const from = sink.packets;
  const start = cpuSeconds();
  while (sink.packets < from + MEASURED_PACKETS) pass();
  const used = cpuSeconds() - start;
  return { value: (sink.packets - from) / used / 1e6, cpuSeconds: used };
}

/** Source and sink with nothing between them but the dispatcher and interface-output. */
function sourceSink(flows: number): Sample {
  const arena = new Arena(256 * 2 ** 20);
  const pool = new PacketPool(arena, { slots: 16_384 });
  const interfaces = new InterfaceTable();
  const packets = Array.from({ length: flows }, (_, i) => makePacket(DESTINATION_MAC_LO, SOURCE_MAC_LO + i, i, i));
  const source = new PatternSource(pool, 'ethernet', packets);
  const sink = new Sink(pool, 'ethernet');
  const out = interfaces.create({ name: 'out', stack: NO_STACK, device: sink, mtu: 1500 });
  const patternInput: NodeSpec<LinkContext> = {
    name: 'pattern-input',
    kind: 'input',
    nexts: ['interface-output'],
    counters: [],
    make: () => (frame, next) => {
      frame.count = source.receive(frame.slots, 0, FRAME_PACKETS);
      for (let i = 0; i < frame.count; i++) pool.txInterface[frame.slots[i]!] = out;
      next.fill(0, 0, frame.count);
    },
  };
  const kernels = makeKernelsTypescript(arena.memory);
  const graph = new Graph<LinkContext>({
    pool,
    clock: { nowNs: 0 },
    nodes: [patternInput, interfaceOutput, drop],
    maxInterfaces: interfaces.maxInterfaces,
    context: { interfaces, kernels },
  });
  return measure(() => graph.run(), sink);
}

/** A worker with all its nodes, as every network has it. */
function makeWorker(flows: number): Worker {
  const { memory, tunables } = resolveConfig({ memory: { macAddresses: Math.max(8192, 2 * flows) } });
  return new Worker({ memory, tunables, nowNs: () => NS_PER_S, random: seededRandom(1) });
}

/** A learning switch that knows all stations: each frame is learned from, looked up and sent to its port. */
function l2Switch(flows: number): Sample {
  const worker = makeWorker(flows);
  const { pool, interfaces, bridges } = worker;
  const packets = Array.from({ length: flows }, (_, i) => makePacket(DESTINATION_MAC_LO + i, SOURCE_MAC_LO + i, i, i));
  const source = new PatternSource(pool, 'ethernet', packets);
  const sink = new Sink(pool, 'ethernet');
  const port1 = interfaces.create({ name: 'port1', stack: NO_STACK, device: source, mtu: 1500 });
  const port2 = interfaces.create({ name: 'port2', stack: NO_STACK, device: sink, mtu: 1500 });
  const bridge = bridges.create({ name: 'lan', macLimit: flows });
  bridges.addPort(bridge, port1);
  bridges.addPort(bridge, port2);
  for (let i = 0; i < flows; i++) {
    bridges.macs.add((bridge << 16) | LOCAL_BITS, (DESTINATION_MAC_LO + i) | 0, port2, SEEN_ALWAYS);
  }
  source.onPending();
  return measure(() => worker.run(NS_PER_S), sink);
}

/** Prefixes of 16 to 24 bits, none twice, outside 10/8. */
function makeRoutes(random: Random): { network: number; prefixLength: number }[] {
  const routes = new Map<string, { network: number; prefixLength: number }>();
  while (routes.size < ROUTES) {
    const prefixLength = 16 + randomBelow(random, 9);
    const network = ((random.uint32() >>> 1) & (-1 << (32 - prefixLength))) >>> 0;
    const octet = network >>> 24;
    if (octet > 0 && octet !== 10 && octet !== 127) routes.set(`${network}/${prefixLength}`, { network, prefixLength });
  }
  return [...routes.values()];
}

/** The whole way of a router: link input, header check and checksum, route, TTL, link header, output. */
function ip4Router(flows: number): Sample {
  const worker = makeWorker(flows);
  const { pool, interfaces, l3 } = worker;
  const random = seededRandom(2);
  const routes = makeRoutes(random);
  const packets = Array.from({ length: flows }, (_, i) => {
    const route = routes[randomBelow(random, routes.length)]!;
    const host = randomBelow(random, 2 ** (32 - route.prefixLength));
    return makePacket(ROUTER_MAC_LO, SOURCE_MAC_LO, 0x0a00_0100 + (i & 0xff), (route.network | host) >>> 0);
  });
  const source = new PatternSource(pool, 'ethernet', packets);
  const sink = new Sink(pool, 'ethernet');
  const stack = l3.createStack({ forwarding: true });
  const mac = { hi: LOCAL_BITS, lo: ROUTER_MAC_LO };
  const west = interfaces.create({ name: 'west', stack, device: source, mtu: 1500, mac });
  const east = interfaces.create({ name: 'east', stack, device: sink, mtu: 1500, mac });
  l3.addInterface(west);
  l3.addInterface(east);
  l3.addAddress(west, 0x0a00_0001, 16);
  l3.addAddress(east, 0x0a01_0001, 24);
  for (let i = 0; i < NEXT_HOPS; i++) l3.addNeighbor(east, 0x0a01_0002 + i, LOCAL_BITS, DESTINATION_MAC_LO + i);
  routes.forEach(({ network, prefixLength }, i) => {
    l3.addRoute(l3.stacks.vrf[stack]!, network, prefixLength, { via: 0x0a01_0002 + (i % NEXT_HOPS) });
  });
  source.onPending();
  return measure(() => worker.run(NS_PER_S), sink);
}

function graphCase(name: string, run: (flows: number) => Sample): BenchCase[] {
  return [
    { name, unit: 'Mpps', run: () => run(FLOWS) },
    { name: `${name}-100k-destinations`, unit: 'Mpps', run: () => run(MANY_DESTINATIONS) },
  ];
}

export const graphBench: Bench = {
  name: 'graph',
  cases: [
    ...graphCase('source-sink', sourceSink),
    ...graphCase('l2-switch', l2Switch),
    ...graphCase('ip4-router', ip4Router),
  ],
};
