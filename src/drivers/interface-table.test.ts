import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InterfaceFlag, InterfaceTable, NO_INTERFACE, NO_STACK } from './interface-table.js';
import { makeLinkLab, RecordingDevice } from './testing/link-lab.js';

describe('InterfaceTable', () => {
  it('numbers interfaces from 1 and finds them by stack and name', () => {
    const { pool, interfaces } = makeLinkLab();
    const device = () => new RecordingDevice(pool);
    const a = interfaces.create({
      name: 'eth0',
      stack: 3,
      device: device(),
      mtu: 1500,
      mac: { hi: 0x200, lo: 0xfffffff0 },
    });
    const b = interfaces.create({ name: 'eth0', stack: 4, device: device(), mtu: 9000, up: false });
    assert.deepEqual([a, b], [1, 2]);
    assert.equal(interfaces.find(3, 'eth0'), a);
    assert.equal(interfaces.find(4, 'eth0'), b);
    assert.equal(interfaces.find(4, 'eth1'), NO_INTERFACE);
    assert.equal(interfaces.macLo[a], 0xfffffff0 | 0);
    assert.equal(interfaces.isUp(a), true);
    assert.equal(interfaces.isUp(b), false);
    assert.throws(() => interfaces.create({ name: 'eth0', stack: 3, device: device(), mtu: 1500 }), {
      code: 'USERNET_INTERFACE_EXISTS',
    });
  });

  it('uses removed indexes again and forgets what was there', () => {
    const { pool, interfaces } = makeLinkLab();
    const first = interfaces.create({ name: 'a', stack: 0, device: new RecordingDevice(pool), mtu: 1500 });
    const second = interfaces.create({ name: 'b', stack: 0, device: new RecordingDevice(pool), mtu: 1500 });
    interfaces.rxPackets[first] = 7;
    const removed: number[] = [];
    interfaces.onRemoval((index) => removed.push(index));
    interfaces.remove(first);
    assert.deepEqual(removed, [first]);
    assert.equal(interfaces.find(0, 'a'), NO_INTERFACE);
    assert.equal(interfaces.stack[first], NO_STACK);
    assert.equal(interfaces.create({ name: 'c', stack: 0, device: new RecordingDevice(pool), mtu: 1500 }), first);
    assert.equal(interfaces.rxPackets[first], 0);
    interfaces.remove(second);
    assert.equal(interfaces.end, 2);
  });

  it('refuses more interfaces than it has rows', () => {
    const { pool } = makeLinkLab();
    const interfaces = new InterfaceTable(3);
    const create = (name: string) =>
      interfaces.create({ name, stack: 0, device: new RecordingDevice(pool), mtu: 1500 });
    create('a');
    create('b');
    assert.throws(() => create('c'), { code: 'USERNET_INTERFACE_LIMIT' });
  });

  it('takes super-segments only where checksums may be left out', () => {
    const { pool, interfaces } = makeLinkLab();
    const device = new RecordingDevice(pool, 'ip', true);
    const index = interfaces.create({ name: 'a', stack: 0, device, mtu: 1500 });
    const offloads = InterfaceFlag.gso | InterfaceFlag.checksum;
    assert.equal(interfaces.flags[index]! & offloads, offloads);
    assert.equal(interfaces.flags[index]! & InterfaceFlag.ethernet, 0);
    device.capabilities = { gso: true, checksum: false };
    interfaces.refreshCapabilities(index);
    assert.equal(interfaces.flags[index]! & offloads, 0);
  });

  it('hands out pending interfaces in turn, each once, and wakes the engine only for the first', () => {
    const { pool, interfaces } = makeLinkLab();
    const devices = ['a', 'b', 'c'].map((name) => {
      const device = new RecordingDevice(pool);
      interfaces.create({ name, stack: 0, device, mtu: 1500 });
      return device;
    });
    while (interfaces.takePending() !== NO_INTERFACE);
    let wakes = 0;
    interfaces.wake = () => wakes++;
    devices[2]!.onPending();
    devices[0]!.onPending();
    devices[2]!.onPending();
    assert.equal(wakes, 1);
    assert.equal(interfaces.pendingCount, 2);
    assert.equal(interfaces.takePending(), 3);
    interfaces.keepPending(3);
    assert.equal(interfaces.takePending(), 1);
    assert.equal(interfaces.takePending(), 3);
    assert.equal(interfaces.takePending(), NO_INTERFACE);
    assert.equal(wakes, 1);
  });

  it('is the timer source of all devices that have timers', () => {
    const { pool, interfaces } = makeLinkLab();
    const device = Object.assign(new RecordingDevice(pool), {
      timers: { nextDeadlineNs: () => 500, advance: (nowNs: number) => advanced.push(nowNs) },
    });
    const advanced: number[] = [];
    assert.equal(interfaces.nextDeadlineNs(), Infinity);
    const index = interfaces.create({ name: 'a', stack: 0, device, mtu: 1500 });
    assert.equal(interfaces.nextDeadlineNs(), 500);
    interfaces.advance(501);
    assert.deepEqual(advanced, [501]);
    interfaces.remove(index);
    assert.equal(interfaces.nextDeadlineNs(), Infinity);
  });
});
