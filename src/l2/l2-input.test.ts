import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NS_PER_S } from '../base/time.js';
import { InterfaceFlag } from '../drivers/interface-table.js';
import { frameOf, makeSwitchLab } from './testing/switch-lab.js';

function makeThreePorts(options: { ageingSeconds?: number; macLimit?: number } = {}) {
  const lab = makeSwitchLab();
  const bridge = lab.bridges.create({ name: 'lan0', ...options });
  const a = lab.addPort(bridge, 'a');
  const b = lab.addPort(bridge, 'b');
  const c = lab.addPort(bridge, 'c');
  /** Frames that each port has sent since the last call. */
  const sent = () => [a, b, c].map(({ device }) => device.sent.splice(0).length);
  return { ...lab, bridge, a, b, c, sent };
}

describe('l2-input and l2-flood', () => {
  it('floods what it does not know, learns, and then forwards to one port', () => {
    const { pool, graph, a, b, sent, counter } = makeThreePorts();
    a.device.bring(frameOf(2, 1));
    graph.run();
    assert.deepEqual(sent(), [0, 1, 1]);
    b.device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(sent(), [1, 0, 0]);
    a.device.bring(frameOf(2, 1), frameOf(2, 1));
    graph.run();
    assert.deepEqual(sent(), [0, 2, 0]);
    assert.equal(counter('l2-input', 'learned'), 2);
    assert.equal(counter('l2-input', 'forwarded'), 3);
    assert.equal(counter('l2-input', 'flooded'), 1);
    assert.equal(counter('l2-flood', 'copies'), 1);
    assert.equal(pool.inUse, 0);
  });

  it('sends group traffic to all ports but the one it came from, unchanged', () => {
    const { pool, graph, c, a, b, counter } = makeThreePorts();
    const frame = frameOf(0, 3, 1514).map((byte, i) => (i < 14 ? byte : i & 0xff));
    c.device.bring(frame);
    graph.run();
    assert.deepEqual(
      a.device.sent.map(({ bytes }) => bytes),
      [frame],
    );
    assert.deepEqual(
      b.device.sent.map(({ bytes }) => bytes),
      [frame],
    );
    assert.equal(c.device.sent.length, 0);
    assert.equal(counter('l2-input', 'flooded'), 1);
    assert.equal(pool.inUse, 0);
  });

  it('learns a station once when its first packets come in one frame', () => {
    const { graph, bridges, bridge, a, counter } = makeThreePorts();
    a.device.bring(frameOf(0, 1), frameOf(0, 1), frameOf(0, 1));
    graph.run();
    assert.equal(counter('l2-input', 'learned'), 1);
    assert.equal(counter('l2-input', 'moved'), 0);
    assert.equal(bridges.macCount[bridge], 1);
  });

  it('follows a station that moves', () => {
    const { graph, a, b, c, sent, counter } = makeThreePorts();
    a.device.bring(frameOf(0, 1));
    graph.run();
    c.device.bring(frameOf(0, 1));
    graph.run();
    sent();
    b.device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(sent(), [0, 0, 1]);
    assert.equal(counter('l2-input', 'moved'), 1);
  });

  it('forgets stations that are silent for the ageing time, and no earlier', () => {
    const { clock, graph, bridges, bridge, a, b, sent } = makeThreePorts({ ageingSeconds: 300 });
    a.device.bring(frameOf(0, 1));
    graph.run();
    clock.nowNs = 200 * NS_PER_S;
    a.device.bring(frameOf(0, 1));
    graph.run();
    sent();
    clock.nowNs = 499 * NS_PER_S;
    b.device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(sent(), [1, 0, 0]);
    assert.equal(bridges.entries(bridge).length, 2);
    clock.nowNs = 500 * NS_PER_S;
    b.device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(sent(), [1, 0, 1]);
    assert.deepEqual(
      bridges.entries(bridge).map(({ mac, port }) => [mac.lo, port]),
      [[2, b.index]],
    );
    assert.equal(bridges.macs.count, 2);
    bridges.advance(clock.nowNs);
    assert.equal(bridges.macs.count, 1);
    assert.equal(bridges.macCount[bridge], 1);
    clock.nowNs = 2000 * NS_PER_S;
    bridges.advance(clock.nowNs);
    assert.equal(bridges.macs.count, 0);
    assert.equal(bridges.nextDeadlineNs(), Infinity);
  });

  it('learns no more than its limit, and floods to the rest', () => {
    const { graph, bridges, bridge, a, b, sent, counter } = makeThreePorts({ macLimit: 2 });
    a.device.bring(frameOf(0, 1), frameOf(0, 2), frameOf(0, 3), frameOf(0, 1));
    graph.run();
    assert.equal(bridges.macs.count, 2);
    assert.equal(counter('l2-input', 'address limit'), 1);
    sent();
    b.device.bring(frameOf(1, 9), frameOf(3, 9));
    graph.run();
    assert.deepEqual(sent(), [2, 0, 1]);
    bridges.flush(bridge);
    assert.equal(bridges.macCount[bridge], 0);
    assert.equal(bridges.macs.count, 0);
  });

  it('keeps static entries where they are', () => {
    const { clock, graph, bridges, bridge, a, b, c, sent, counter } = makeThreePorts({ macLimit: 0 });
    bridges.addStatic(bridge, { hi: 0x0200, lo: 1 }, a.index);
    c.device.bring(frameOf(0, 1));
    graph.run();
    sent();
    clock.nowNs = 1e6 * NS_PER_S;
    bridges.advance(clock.nowNs);
    bridges.flush(bridge);
    b.device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(sent(), [1, 0, 0]);
    assert.equal(counter('l2-input', 'static elsewhere'), 1);
    const [entry] = bridges.entries(bridge);
    assert.deepEqual(entry, { mac: { hi: 0x0200, lo: 1 }, port: a.index, isStatic: true, ageSeconds: 0 });
    assert.equal(bridges.removeMac(bridge, { hi: 0x0200, lo: 1 }), true);
    assert.equal(bridges.removeMac(bridge, { hi: 0x0200, lo: 1 }), false);
  });

  it('drops what a bridge must not forward, each for a reason of its own', () => {
    const { pool, graph, interfaces, a, b, c, sent, counter } = makeThreePorts();
    b.device.bring(frameOf(0, 2));
    graph.run();
    sent();
    const reserved = frameOf(2, 1);
    reserved.set([0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e]);
    const beyond = frameOf(2, 1);
    beyond.set([0x01, 0x80, 0xc2, 0x00, 0x00, 0x10]);
    const groupSource = frameOf(2, 1);
    groupSource[6] = 0x01;
    interfaces.mtu[b.index] = 1000;
    a.device.bring(reserved, groupSource, new Uint8Array(13), frameOf(2, 1, 1015));
    b.device.bring(frameOf(2, 2));
    graph.run();
    assert.deepEqual(sent(), [0, 0, 0]);
    for (const reason of ['reserved destination', 'group source', 'short', 'too big', 'same port']) {
      assert.equal(counter('l2-input', reason), 1, reason);
    }
    a.device.bring(beyond, frameOf(2, 1, 1014), frameOf(0, 1, 1015));
    graph.run();
    assert.deepEqual(sent(), [0, 2, 2]);
    interfaces.setFlags(b.index, InterfaceFlag.up, false);
    interfaces.setFlags(c.index, InterfaceFlag.up, false);
    a.device.bring(frameOf(0, 1));
    graph.run();
    assert.equal(counter('l2-flood', 'no other port'), 1);
    assert.equal(pool.inUse, 0);
  });

  it('floods to as many ports as there are slots for copies', () => {
    const { pool, graph, a, sent, counter } = makeThreePorts();
    a.device.bring(frameOf(0, 1));
    const hoard = new Int32Array(pool.slotCount);
    const hoarded = pool.takeMany(hoard, 0, pool.free);
    graph.run();
    assert.deepEqual(sent(), [0, 0, 1]);
    assert.equal(counter('l2-flood', 'no memory'), 1);
    assert.equal(pool.inUse, hoarded);
  });
});

describe('BridgeTable', () => {
  it('keeps domains apart that know the same addresses', () => {
    const { graph, bridges, addPort } = makeSwitchLab();
    const [one, two] = [bridges.create({ name: 'one' }), bridges.create({ name: 'two' })];
    const ports = [addPort(one, 'a'), addPort(one, 'b'), addPort(two, 'c'), addPort(two, 'd')] as const;
    ports[0].device.bring(frameOf(0, 1));
    ports[3].device.bring(frameOf(0, 1));
    graph.run();
    assert.deepEqual(
      ports.map(({ device }) => device.sent.splice(0).length),
      [0, 1, 1, 0],
    );
    ports[1].device.bring(frameOf(1, 2));
    ports[2].device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(
      ports.map(({ device }) => device.sent.length),
      [1, 0, 0, 1],
    );
    assert.throws(() => bridges.create({ name: 'one' }), { code: 'USERNET_BRIDGE_EXISTS' });
    assert.equal(bridges.find('two'), two);
  });

  it('forgets what it learned from a port that is removed', () => {
    const { graph, bridges, interfaces, bridge, a, b, c, sent } = makeThreePorts();
    a.device.bring(frameOf(0, 1));
    b.device.bring(frameOf(0, 2));
    graph.run();
    sent();
    interfaces.remove(a.index);
    assert.deepEqual([...bridges.ports[bridge]!], [b.index, c.index]);
    assert.deepEqual(
      bridges.entries(bridge).map(({ mac }) => mac.lo),
      [2],
    );
    assert.equal(bridges.macCount[bridge], 1);
    b.device.bring(frameOf(1, 2));
    graph.run();
    assert.deepEqual(sent(), [0, 0, 1]);
  });

  it('uses removed domains again and lets go of their ports', () => {
    const { graph, interfaces, bridges, bridge, a, sent, counter } = makeThreePorts();
    bridges.addStatic(bridge, { hi: 2, lo: 1 }, 63);
    bridges.remove(bridge);
    assert.equal(bridges.find('lan0'), -1);
    assert.equal(interfaces.flags[a.index]! & InterfaceFlag.bridged, 0);
    a.device.bring(frameOf(0, 1));
    graph.run();
    assert.deepEqual(sent(), [0, 0, 0]);
    assert.equal(counter('l2-input', 'flooded'), 0);
    assert.equal(bridges.macs.count, 0);
    const created = Array.from({ length: 40 }, (_, i) => bridges.create({ name: `lan${i}`, ageingSeconds: i + 1 }));
    assert.equal(created[0], bridge);
    assert.equal(bridges.ageingSeconds[39], 40);
    bridges.update(created[3]!, { name: 'lan3', macLimit: 5 });
    assert.equal(bridges.ageingSeconds[3], 300);
    assert.equal(bridges.macLimit[3], 5);
  });
});
