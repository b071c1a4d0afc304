import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Graph } from '../graph/graph.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { isTcpChecksumValidIpv4, TcpFlag, tcpSequence } from '../wire/tcp.js';
import { drop } from './drop.js';
import { interfaceOutput } from './interface-output.js';
import { InterfaceFlag } from './interface-table.js';
import type { LinkContext } from './link-context.js';
import {
  DESTINATION_ADDRESS,
  makeLinkLab,
  packetOf,
  pattern,
  RecordingDevice,
  SOURCE_ADDRESS,
  tcpPacket,
} from './testing/link-lab.js';
import { feederNode } from './testing/recorder-node.js';

function makeOutputLab() {
  const lab = makeLinkLab(4096);
  const { pool, clock, interfaces, kernels } = lab;
  const queue: number[] = [];
  const graph = new Graph<LinkContext>({
    pool,
    clock,
    maxInterfaces: 64,
    context: { interfaces, kernels },
    nodes: [feederNode('interface-output', queue), interfaceOutput, drop],
  });
  const add = (name: string, offload = false) => {
    const device = new RecordingDevice(pool, 'ethernet', offload);
    return { device, index: interfaces.create({ name, stack: 0, device, mtu: 1500 }) };
  };
  const output = (slot: number, index: number) => {
    pool.txInterface[slot] = index;
    queue.push(slot);
  };
  const superSegment = (payloadBytes: number, sequence: number) => {
    const slot = tcpPacket(pool, { payload: pattern(payloadBytes), flags: TcpFlag.ack, sequence });
    pool.flags[slot] = PacketFlag.checksumPartial | PacketFlag.gsoTcp4;
    pool.gsoSize[slot] = 1000;
    return slot;
  };
  const counter = (name: string) => graph.stats.find((stats) => stats.name === 'interface-output')!.count(name);
  return { ...lab, graph, add, output, superSegment, counter };
}

const sequences = (device: RecordingDevice) =>
  device.sent.map(({ bytes }) => tcpSequence(new DataView(bytes.buffer), 34));

function assertChecksums(device: RecordingDevice): void {
  for (const { bytes } of device.sent) {
    const view = new DataView(bytes.buffer);
    assert.ok(isTcpChecksumValidIpv4(view, 34, bytes.length - 34, SOURCE_ADDRESS, DESTINATION_ADDRESS));
  }
}

describe('interface-output', () => {
  it('calls a device once for each run of packets', () => {
    const { pool, graph, interfaces, add, output } = makeOutputLab();
    const a = add('a');
    const b = add('b');
    for (const to of [a, a, a, b, b, a]) output(packetOf(pool, new Uint8Array(60)), to.index);
    graph.run();
    assert.deepEqual(a.device.runs, [3, 1]);
    assert.deepEqual(b.device.runs, [2]);
    assert.equal(interfaces.txPackets[a.index], 4);
    assert.equal(interfaces.txBytes[a.index], 240);
    assert.equal(pool.inUse, 0);
  });

  it('drops what goes to no interface, to one that is down, and what a device has no room for', () => {
    const { pool, graph, interfaces, add, output, counter } = makeOutputLab();
    const full = add('full');
    const down = add('down');
    full.device.txSpace = 2;
    interfaces.setFlags(down.index, InterfaceFlag.up, false);
    for (let i = 0; i < 5; i++) output(packetOf(pool, new Uint8Array(60 + i)), full.index);
    output(packetOf(pool, new Uint8Array(60)), down.index);
    output(packetOf(pool, new Uint8Array(60)), 0);
    output(packetOf(pool, new Uint8Array(60)), 40);
    graph.run();
    assert.equal(counter('sent'), 2);
    assert.equal(counter('queue full'), 3);
    assert.equal(counter('interface down'), 3);
    assert.equal(interfaces.txDrops[full.index], 3);
    assert.equal(interfaces.txBytes[full.index], 121);
    assert.equal(graph.stats.find((stats) => stats.name === 'drop')!.count('packets'), 6);
    assert.equal(pool.inUse, 0);
  });

  it('computes checksums for a device that does not, and keeps the order of packets', () => {
    const { pool, graph, add, output } = makeOutputLab();
    const { device, index } = add('a');
    for (let i = 0; i < 4; i++) {
      const slot = tcpPacket(pool, { payload: pattern(100 + i), flags: TcpFlag.ack, sequence: i });
      if (i % 2 === 0) pool.flags[slot] = 0;
      output(slot, index);
    }
    graph.run();
    assert.deepEqual(sequences(device), [0, 1, 2, 3]);
    assert.deepEqual(
      device.sent.map(({ flags }) => flags),
      [0, PacketFlag.checksumValid, 0, PacketFlag.checksumValid],
    );
    device.sent.splice(2, 1);
    device.sent.splice(0, 1);
    assertChecksums(device);
    assert.equal(pool.inUse, 0);
  });

  it('hands super-segments whole to a device that takes them', () => {
    const { pool, graph, add, output, superSegment } = makeOutputLab();
    const { device, index } = add('a', true);
    output(superSegment(5000, 1), index);
    graph.run();
    assert.equal(device.sent.length, 1);
    assert.equal(device.sent[0]!.bytes.length, 14 + 40 + 5000);
    assert.equal(device.sent[0]!.flags, PacketFlag.checksumPartial | PacketFlag.gsoTcp4);
    assert.equal(pool.inUse, 0);
  });

  it('cuts super-segments for a device that does not, in order with what stands around them', () => {
    const { pool, graph, add, output, superSegment, counter } = makeOutputLab();
    const { device, index } = add('a');
    output(tcpPacket(pool, { payload: pattern(1), flags: TcpFlag.ack, sequence: 0 }), index);
    output(superSegment(2500, 1), index);
    output(superSegment(1000, 2501), index);
    output(tcpPacket(pool, { payload: pattern(1), flags: TcpFlag.fin, sequence: 3501 }), index);
    graph.run();
    assert.deepEqual(sequences(device), [0, 1, 1001, 2001, 2501, 3501]);
    assertChecksums(device);
    assert.equal(counter('segmented'), 2);
    assert.equal(counter('sent'), 6);
    assert.equal(pool.inUse, 0);
  });

  it('drops a super-segment when there are no slots for its pieces', () => {
    const { pool, graph, add, output, superSegment, counter } = makeOutputLab();
    const { device, index } = add('a');
    const slot = superSegment(60_000, 1);
    const rest = new Int32Array(pool.slotCount);
    const hoarded = pool.takeMany(rest, 0, pool.free - 20);
    output(slot, index);
    graph.run();
    assert.equal(device.sent.length, 0);
    assert.equal(counter('super-segment not segmented'), 1);
    assert.equal(pool.inUse, hoarded);
  });
});
