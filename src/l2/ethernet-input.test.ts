import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drop } from '../drivers/drop.js';
import { InterfaceFlag } from '../drivers/interface-table.js';
import type { LinkContext } from '../drivers/link-context.js';
import { makeLinkLab, packetOf, RecordingDevice } from '../drivers/testing/link-lab.js';
import { feederNode, recorderNode } from '../drivers/testing/recorder-node.js';
import { Graph } from '../graph/graph.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { writeEthernet } from '../wire/ethernet.js';
import { ethernetInput } from './ethernet-input.js';

const MAC = { hi: 0x0200, lo: 0xdeadbeef };

function makeEthernetLab() {
  const lab = makeLinkLab();
  const { pool, clock, interfaces, kernels } = lab;
  const queue: number[] = [];
  const reached = { ip4: [] as number[], arp: [] as number[] };
  const graph = new Graph<LinkContext>({
    pool,
    clock,
    maxInterfaces: 64,
    context: { interfaces, kernels },
    nodes: [
      feederNode('ethernet-input', queue),
      ethernetInput,
      recorderNode('ip4-input', reached.ip4),
      recorderNode('arp-input', reached.arp),
      drop,
    ],
  });
  const index = interfaces.create({ name: 'eth0', stack: 0, device: new RecordingDevice(pool), mtu: 1500, mac: MAC });
  /** A frame of 60 bytes. */
  const bring = (hi: number, lo: number, type: number) => {
    const bytes = new Uint8Array(60);
    writeEthernet(new DataView(bytes.buffer), 0, hi, lo, 0x0200, 1, type);
    const slot = packetOf(pool, bytes);
    pool.rxInterface[slot] = index;
    queue.push(slot);
    return slot;
  };
  const counter = (name: string) => graph.stats.find((stats) => stats.name === 'ethernet-input')!.count(name);
  return { ...lab, graph, queue, reached, index, bring, counter };
}

describe('ethernet-input', () => {
  it('takes the header off and sends frames on by their type', () => {
    const { pool, graph, reached, bring, interfaces, index, counter } = makeEthernetLab();
    const ip = bring(MAC.hi, MAC.lo, 0x0800);
    const head = pool.head[ip]!;
    const arp = bring(0xffff, 0xffffffff, 0x0806);
    bring(MAC.hi, MAC.lo, 0x86dd);
    bring(MAC.hi, MAC.lo, 46);
    graph.run();
    assert.deepEqual(reached, { ip4: [ip], arp: [arp] });
    assert.equal(pool.head[ip], head + 14);
    assert.equal(pool.network[ip], head + 14);
    assert.equal(pool.length[ip], 46);
    assert.equal(pool.totalLength[ip], 46);
    assert.equal(counter('unknown type'), 2);
    assert.equal(interfaces.rxDrops[index], 2);
  });

  it('takes frames for its own address and for groups, and says which (RFC 1122 section 3.2.2 needs it)', () => {
    const { pool, graph, reached, bring, counter } = makeEthernetLab();
    const own = bring(MAC.hi, MAC.lo, 0x0800);
    const broadcast = bring(0xffff, 0xffffffff, 0x0800);
    const group = bring(0x0100, 0x5e000001, 0x0800);
    bring(MAC.hi, MAC.lo - 1, 0x0800);
    bring(MAC.hi + 4, MAC.lo, 0x0800);
    graph.run();
    assert.deepEqual(reached.ip4, [own, broadcast, group]);
    const flags = reached.ip4.map((slot) => pool.flags[slot]);
    assert.deepEqual(flags, [0, PacketFlag.linkBroadcast, PacketFlag.linkMulticast]);
    assert.equal(counter('other address'), 2);
    assert.equal(pool.inUse, 3);
  });

  it('takes frames for other addresses when the interface is promiscuous', () => {
    const { graph, reached, bring, interfaces, index } = makeEthernetLab();
    interfaces.setFlags(index, InterfaceFlag.promiscuous, true);
    const other = bring(MAC.hi, 1, 0x0800);
    graph.run();
    assert.deepEqual(reached.ip4, [other]);
  });

  it('drops frames that are shorter than their header', () => {
    const { pool, graph, queue, reached, index, counter } = makeEthernetLab();
    for (const bytes of [0, 13, 14]) {
      const slot = packetOf(pool, new Uint8Array(bytes));
      pool.rxInterface[slot] = index;
      queue.push(slot);
    }
    graph.run();
    assert.equal(counter('short'), 2);
    assert.equal(counter('other address'), 1);
    assert.equal(reached.ip4.length, 0);
    assert.equal(pool.inUse, 0);
  });
});
