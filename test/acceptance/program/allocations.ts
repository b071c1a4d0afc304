/**
 * Counts what the JavaScript heap grows by while packets pass: `node --expose-gc allocations.js`. Prints a line of JSON
 * for each case: `{ name, packets, bytes }`, bytes allocated in all.
 */

import { seededRandom } from '../../../src/base/random.js';
import { NS_PER_S } from '../../../src/base/time.js';
import { resolveConfig } from '../../../src/config/load.js';
import { NO_STACK } from '../../../src/drivers/interface-table.js';
import { PatternSource } from '../../../src/drivers/pattern-source.js';
import { Sink } from '../../../src/drivers/sink.js';
import { Worker } from '../../../src/engine/worker.js';
import { createNetwork, VirtualDriver } from '../../../src/index.js';
import { SEEN_ALWAYS } from '../../../src/l2/mac-table.js';
import { wordsFromIpv4 } from '../../../src/session/address.js';
import { DirectPort } from '../../../src/session/direct-carrier.js';
import { SessionEvent, type SessionMessage } from '../../../src/session/message.js';
import { ETHERNET_HEADER_BYTES, EtherType, writeEthernet } from '../../../src/wire/ethernet.js';
import { IpProtocol } from '../../../src/wire/ip-protocol.js';
import { IPV4_MIN_HEADER_BYTES, writeIpv4 } from '../../../src/wire/ipv4.js';
import { updateUdpChecksumIpv4, writeUdp } from '../../../src/wire/udp.js';

const PACKETS = 1_000_000;
const TCP_PACKETS = 200_000;
const FLOWS = 256;
const PACKET_BYTES = 60;
const LOCAL = 0x0200;
const ROUTER = 0xa;
const SOURCE = 0x100_0000;
const DESTINATION = 0x200_0000;
/**
 * The heap is looked at so often; the median step counts. A collection falls into few of them, and so does code that is
 * compiled late or anew.
 */
const SAMPLES = 51;
const WARM_UPS = 3;

const gc = globalThis.gc ?? fail('run this with --expose-gc');

function fail(message: string): never {
  throw new Error(message);
}

/** `pass` lets packets through until so many have `passed`: some times to warm up, then to measure. */
function measure(name: string, count: number, passed: () => number, pass: (until: number) => void): void {
  pass(passed() + WARM_UPS * count);
  gc();
  const from = passed();
  const steps = Array.from({ length: SAMPLES }, (_, i) => {
    const before = process.memoryUsage().heapUsed;
    pass(from + (count / SAMPLES) * (i + 1));
    return process.memoryUsage().heapUsed - before;
  });
  const median = steps.sort((x, y) => x - y)[SAMPLES >> 1]!;
  console.log(JSON.stringify({ name, packets: passed() - from, bytes: median * SAMPLES }));
}

/** A UDP packet of a flow. */
function makePacket(destinationMac: number, sourceMac: number, flow: number): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  const source = 0x0a00_0100 + flow;
  const destination = 0x0a01_0100 + flow;
  const ipBytes = PACKET_BYTES - ETHERNET_HEADER_BYTES;
  const udpAt = ETHERNET_HEADER_BYTES + IPV4_MIN_HEADER_BYTES;
  writeEthernet(view, 0, LOCAL, destinationMac, LOCAL, sourceMac, EtherType.ipv4);
  writeIpv4(view, ETHERNET_HEADER_BYTES, 0, ipBytes, 0, 0, 64, IpProtocol.udp, source, destination);
  writeUdp(view, udpAt, 1024, 9, ipBytes - IPV4_MIN_HEADER_BYTES);
  updateUdpChecksumIpv4(view, udpAt, ipBytes - IPV4_MIN_HEADER_BYTES, source, destination);
  return bytes;
}

function makeWorker(packets: readonly Uint8Array[]): { worker: Worker; source: PatternSource; sink: Sink } {
  const { memory, tunables } = resolveConfig({});
  const worker = new Worker({ memory, tunables, nowNs: () => NS_PER_S, random: seededRandom(1) });
  return {
    worker,
    source: new PatternSource(worker.pool, 'ethernet', packets),
    sink: new Sink(worker.pool, 'ethernet'),
  };
}

function runUntil(worker: Worker, sink: Sink): (packets: number) => void {
  return (packets) => {
    while (sink.packets < packets) worker.run(NS_PER_S);
  };
}

function l2Switch(): void {
  const packets = Array.from({ length: FLOWS }, (_, i) => makePacket(DESTINATION + i, SOURCE + i, i));
  const { worker, source, sink } = makeWorker(packets);
  const bridge = worker.bridges.create({ name: 'lan' });
  const ports = [source, sink].map((device, i) =>
    worker.interfaces.create({ name: `port${i}`, stack: NO_STACK, device, mtu: 1500 }),
  );
  for (const port of ports) worker.bridges.addPort(bridge, port);
  for (let i = 0; i < FLOWS; i++) {
    worker.bridges.macs.add((bridge << 16) | LOCAL, (DESTINATION + i) | 0, ports[1]!, SEEN_ALWAYS);
  }
  source.onPending();
  measure('l2-switch', PACKETS, () => sink.packets, runUntil(worker, sink));
}

function ip4Router(): void {
  const packets = Array.from({ length: FLOWS }, (_, i) => makePacket(ROUTER, SOURCE, i));
  const { worker, source, sink } = makeWorker(packets);
  const { interfaces, l3 } = worker;
  const stack = l3.createStack({ forwarding: true });
  const mac = { hi: LOCAL, lo: ROUTER };
  const [west, east] = [source, sink].map((device, i) =>
    interfaces.create({ name: `eth${i}`, stack, device, mtu: 1500, mac }),
  ) as [number, number];
  for (const each of [west, east]) l3.addInterface(each);
  l3.addAddress(west, 0x0a00_0001, 16);
  l3.addAddress(east, 0x0a01_0001, 16);
  for (let i = 0; i < FLOWS; i++) l3.addNeighbor(east, 0x0a01_0100 + i, LOCAL, DESTINATION + i);
  source.onPending();
  measure('ip4-router', PACKETS, () => sink.packets, runUntil(worker, sink));
}

/** One connection in bulk between two hosts, segments of MTU size with real checksums. */
async function tcpBulk(): Promise<void> {
  const driver = new VirtualDriver();
  const network = await createNetwork(
    {
      stacks: {
        a: { interfaces: { eth0: { type: 'veth', peer: 'b.eth0', offload: false, address: '10.0.0.1/24' } } },
        b: { interfaces: { eth0: { type: 'veth', peer: 'a.eth0', offload: false, address: '10.0.0.2/24' } } },
      },
    },
    { driver, random: seededRandom(1) },
  );
  const { worker } = network;
  const [a, b] = ['a', 'b'].map((name) => {
    const row = network.stackRow(name);
    return new DirectPort(worker.sessions, { name, namespace: row, stack: row });
  }) as [DirectPort, DirectPort];
  const bytes = new Uint8Array(65_536);
  a.onEvent = ({ type, session }: SessionMessage) => {
    if (type !== SessionEvent.connected && type !== SessionEvent.writable) return;
    while (a.write(session, bytes, 0, bytes.length) === bytes.length);
  };
  b.onEvent = ({ type, session }: SessionMessage) => {
    if (type !== SessionEvent.readable) return;
    while (b.read(session, bytes, 0, bytes.length) > 0);
  };
  b.listen({ localPort: 80 });
  a.connect({ remote: wordsFromIpv4(0x0a00_0002), remotePort: 80 });
  const eth0 = worker.interfaces.find(network.stackRow('a'), 'eth0');
  const passed = (): number => worker.interfaces.txPackets[eth0]!;
  let target = 0;
  const isThere = (): boolean => passed() >= target;
  measure('tcp-bulk', TCP_PACKETS, passed, (until) => {
    target = until;
    driver.runUntilSync(driver.nowNs() + 3600 * NS_PER_S, isThere);
  });
  await network.close();
}

l2Switch();
ip4Router();
await tcpBulk();
