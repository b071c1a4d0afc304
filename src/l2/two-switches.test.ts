import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { medianHeapGrowth } from '../base/testing/heap-growth.js';
import { NO_STACK } from '../drivers/interface-table.js';
import { makeVethPair } from '../drivers/veth.js';
import { frameOf, makeSwitchLab } from './testing/switch-lab.js';

/** a, b ── switch left ══ veth ══ switch right ── c */
function makeTwoSwitches(queuePackets = 1024) {
  const lab = makeSwitchLab(4096);
  const { pool, rings, interfaces, bridges } = lab;
  const left = bridges.create({ name: 'left' });
  const right = bridges.create({ name: 'right' });
  const a = lab.addPort(left, 'a');
  const b = lab.addPort(left, 'b');
  const c = lab.addPort(right, 'c');
  const trunk = makeVethPair(pool, rings, { queuePackets }).map((device, i) => {
    const index = interfaces.create({ name: `trunk${i}`, stack: NO_STACK, device, mtu: 1500 });
    bridges.addPort(i === 0 ? left : right, index);
    return index;
  });
  const settle = () => {
    while (lab.graph.run() > 0 || interfaces.pendingCount > 0);
  };
  return { ...lab, left, right, a, b, c, trunk, settle };
}

describe('two switches joined by a veth pair', () => {
  it('reach each other’s stations, by flooding first and then by what was learned', () => {
    const { pool, a, b, c, settle, counter } = makeTwoSwitches();
    a.device.bring(frameOf(3, 1));
    settle();
    assert.deepEqual([b.device.sent.length, c.device.sent.length], [1, 1]);
    c.device.bring(frameOf(1, 3));
    settle();
    a.device.bring(frameOf(3, 1));
    settle();
    assert.deepEqual([a.device.sent.length, b.device.sent.length, c.device.sent.length], [1, 1, 2]);
    assert.equal(counter('l2-input', 'learned'), 4);
    assert.equal(pool.inUse, 0);
  });

  it('carry thousands of packets in order and lose none while the queue has room', () => {
    const { pool, interfaces, a, c, trunk, settle } = makeTwoSwitches();
    c.device.bring(frameOf(0, 3));
    settle();
    for (let round = 0; round < 10; round++) {
      const frames = Array.from({ length: 700 }, (_, i) => {
        const frame = frameOf(3, 1);
        new DataView(frame.buffer).setUint32(20, round * 700 + i);
        return frame;
      });
      a.device.bring(...frames);
      settle();
    }
    const numbers = c.device.sent.map(({ bytes }) => new DataView(bytes.buffer).getUint32(20));
    assert.deepEqual(
      numbers,
      Array.from({ length: 7000 }, (_, i) => i),
    );
    assert.equal(interfaces.txPackets[trunk[0]!], 7000);
    assert.equal(interfaces.rxPackets[trunk[1]!], 7000);
    assert.equal(interfaces.txDrops[trunk[0]!], 0);
    assert.equal(pool.inUse, 0);
  });

  it('have all their slots back when they are closed with packets under way', () => {
    const { pool, graph, interfaces, a, c } = makeTwoSwitches();
    a.device.bring(...Array.from({ length: 500 }, () => frameOf(0, 1)));
    c.device.bring(...Array.from({ length: 500 }, () => frameOf(0, 3)));
    graph.run();
    assert.ok(pool.inUse > 0);
    interfaces.close();
    graph.close();
    assert.equal(pool.inUse, 0);
  });

  it('allocate nothing per packet', () => {
    const { interfaces, bridges, graph, a, c, left, right, trunk } = makeTwoSwitches();
    // Packets go round: what c sends comes back to a's port as a packet from a to c.
    bridges.addStatic(left, { hi: 0x0200, lo: 3 }, trunk[0]!);
    bridges.addStatic(right, { hi: 0x0200, lo: 3 }, c.index);
    a.device.bring(...Array.from({ length: 256 }, () => frameOf(3, 1)));
    const circle = makeCircle(interfaces, a.index, c.index);
    for (let i = 0; i < 2000; i++) graph.run();
    const bytes = medianHeapGrowth(() => {
      const start = circle.packets;
      while (circle.packets < start + 100_000) graph.run();
    });
    assert.ok(bytes < 400_000, `${bytes} bytes for 100,000 packets`);
  });
});

/** Makes the device of interface `to` hand its packets to the receiving side of interface `from`. */
function makeCircle(interfaces: ReturnType<typeof makeTwoSwitches>['interfaces'], from: number, to: number) {
  const waiting = new Int32Array(4096);
  let count = 0;
  const circle = { packets: 0 };
  const source = interfaces.devices[from]!;
  const first = new Int32Array(256);
  const brought = source.receive(first, 0, 256);
  waiting.set(first.subarray(0, brought));
  count = brought;
  source.receive = (into, at, max) => {
    const taken = Math.min(max, count);
    for (let i = 0; i < taken; i++) into[at + i] = waiting[--count]!;
    return taken;
  };
  interfaces.devices[to]!.transmit = (slots, at, many) => {
    for (let i = 0; i < many; i++) waiting[count++] = slots[at + i]!;
    circle.packets += many;
    source.onPending();
    return many;
  };
  source.onPending();
  return circle;
}
