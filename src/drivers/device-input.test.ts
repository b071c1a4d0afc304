import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Graph } from '../graph/graph.js';
import { deviceInput } from './device-input.js';
import { drop } from './drop.js';
import { InterfaceFlag } from './interface-table.js';
import type { LinkContext } from './link-context.js';
import { makeLinkLab, RecordingDevice } from './testing/link-lab.js';
import { recorderNode } from './testing/recorder-node.js';

function makeInputLab() {
  const lab = makeLinkLab(2048);
  const { pool, clock, interfaces, kernels } = lab;
  const reached = { ethernet: [] as number[], l2: [] as number[], ip4: [] as number[] };
  const graph = new Graph<LinkContext>({
    pool,
    clock,
    maxInterfaces: 64,
    context: { interfaces, kernels },
    nodes: [
      deviceInput,
      recorderNode('ethernet-input', reached.ethernet),
      recorderNode('l2-input', reached.l2),
      recorderNode('ip4-input', reached.ip4),
      drop,
    ],
  });
  const add = (name: string, linkType: 'ethernet' | 'ip', stack = 5) => {
    const device = new RecordingDevice(pool, linkType);
    return { device, index: interfaces.create({ name, stack, vrf: 2, device, mtu: 1500 }) };
  };
  const counter = (name: string) => graph.stats.find((stats) => stats.name === 'device-input')!.count(name);
  return { ...lab, graph, reached, add, counter };
}

describe('device-input', () => {
  it('notes where and when packets came in, and counts them', () => {
    const { pool, clock, graph, interfaces, reached, add } = makeInputLab();
    const { device, index } = add('eth0', 'ethernet');
    clock.nowNs = 1234;
    device.bring(new Uint8Array(60), new Uint8Array(40));
    graph.run();
    assert.equal(reached.ethernet.length, 2);
    const [slot] = reached.ethernet as [number];
    assert.equal(pool.rxInterface[slot], index);
    assert.equal(pool.stack[slot], 5);
    assert.equal(pool.vrf[slot], 2);
    assert.equal(pool.timestamp[slot], 1234);
    assert.equal(interfaces.rxPackets[index], 2);
    assert.equal(interfaces.rxBytes[index], 100);
    assert.equal(graph.run(), 0);
  });

  it('sends packets on by what their interface is', () => {
    const { pool, graph, interfaces, reached, add, counter } = makeInputLab();
    const ip = add('tun', 'ip');
    const port = add('port', 'ethernet');
    const down = add('down', 'ethernet');
    interfaces.setFlags(port.index, InterfaceFlag.bridged, true);
    interfaces.setFlags(down.index, InterfaceFlag.up, false);
    ip.device.bring(Uint8Array.of(0x45, 0), Uint8Array.of(0x60, 0), Uint8Array.of(0x46));
    port.device.bring(new Uint8Array(60));
    down.device.bring(new Uint8Array(60));
    graph.run();
    assert.equal(reached.ip4.length, 2);
    assert.equal(pool.network[reached.ip4[0]!], pool.head[reached.ip4[0]!]);
    assert.equal(reached.l2.length, 1);
    assert.equal(counter('unknown version'), 1);
    assert.equal(counter('interface down'), 1);
    assert.equal(interfaces.rxDrops[ip.index], 1);
    assert.equal(interfaces.rxDrops[down.index], 1);
    assert.equal(pool.inUse, 3);
  });

  it('takes from busy devices in turn', () => {
    const { graph, interfaces, add } = makeInputLab();
    const busy = [add('a', 'ethernet'), add('b', 'ethernet'), add('c', 'ethernet')];
    graph.run();
    for (const { device } of busy) device.bring(...Array.from({ length: 300 }, () => new Uint8Array(60)));
    for (let pass = 1; pass <= 2; pass++) {
      graph.run();
      for (const { index } of busy) assert.equal(interfaces.rxPackets[index], pass * 85);
    }
    for (let pass = 0; pass < 4; pass++) graph.run();
    for (const { index } of busy) assert.equal(interfaces.rxPackets[index], 300);
  });

  it('polls each of many pending devices in time', () => {
    const { graph, interfaces, add } = makeInputLab();
    const many = Array.from({ length: 40 }, (_, i) => add(`eth${i}`, 'ethernet'));
    graph.run();
    for (const { device } of many) device.bring(...Array.from({ length: 20 }, () => new Uint8Array(60)));
    graph.run();
    const polled = many.filter(({ index }) => interfaces.rxPackets[index]! > 0).length;
    assert.equal(polled, 16);
    for (let pass = 0; pass < 4; pass++) graph.run();
    for (const { index } of many) assert.equal(interfaces.rxPackets[index], 20);
  });

  it('passes over an interface that was removed while its packets waited', () => {
    const { pool, graph, interfaces, add } = makeInputLab();
    const gone = add('a', 'ethernet');
    const stays = add('b', 'ethernet');
    gone.device.bring(new Uint8Array(60));
    stays.device.bring(new Uint8Array(60));
    interfaces.remove(gone.index);
    assert.equal(graph.run(), 1);
    assert.equal(pool.inUse, 1);
  });
});
