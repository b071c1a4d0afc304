import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamDevice, type StreamDeviceOptions } from './stream-device.js';
import { makeLinkLab, packetOf, pattern, receive, receiveBytes, send } from './testing/link-lab.js';

function makeStream(options: Partial<StreamDeviceOptions> = {}, slots?: number) {
  const lab = makeLinkLab(slots);
  const out: Uint8Array[] = [];
  const device = new StreamDevice(lab.pool, lab.rings, {
    linkType: 'ethernet',
    mtu: 1500,
    queuePackets: 32,
    onPacket: (bytes) => out.push(bytes) > 0,
    ...options,
  });
  return { ...lab, device, out };
}

describe('StreamDevice', () => {
  it('brings injected bytes in and hands transmitted packets out as bytes', () => {
    const { pool, device, out } = makeStream({ mtu: 9000 });
    let pending = 0;
    device.onPending = () => pending++;
    const bytes = pattern(9014);
    assert.equal(device.inject(bytes), true);
    assert.equal(pending, 1);
    const [slot] = receive(device) as [number];
    bytes.fill(0);
    assert.equal(send(pool, device, slot), 1);
    assert.deepEqual(out, [pattern(9014)]);
    assert.notEqual(out[0]!.buffer, pool.view.buffer);
    assert.equal(pool.inUse, 0);
  });

  it('counts packets of a size that can not be', () => {
    for (const [linkType, least, most] of [['ethernet', 14, 1514] as const, ['ip', 20, 1500] as const]) {
      const { pool, device } = makeStream({ linkType });
      const taken = [0, least - 1, least, most, most + 1].map((length) => device.inject(new Uint8Array(length)));
      assert.deepEqual(taken, [false, false, true, true, false]);
      assert.equal(device.counters.invalidSize, 3);
      assert.equal(device.counters.injected, 2);
      device.close();
      assert.equal(pool.inUse, 0);
    }
  });

  it('refuses packets when its queue is full and says when there is room again', () => {
    let spaces = 0;
    const { pool, device } = makeStream({ onSpace: () => spaces++ });
    const space = device.injectSpace;
    for (let i = 0; i < space; i++) assert.equal(device.inject(new Uint8Array(60)), true);
    assert.equal(device.inject(new Uint8Array(60)), false);
    assert.equal(device.inject(new Uint8Array(60)), false);
    assert.equal(device.counters.queueFull, 2);
    assert.equal(receiveBytes(pool, device, 1).length, 1);
    assert.equal(spaces, 1);
    assert.equal(receiveBytes(pool, device).length, space - 1);
    assert.equal(spaces, 1);
    assert.equal(pool.inUse, 0);
  });

  it('queues a bounded count of packets while the taker is not ready', () => {
    const out: number[] = [];
    const { pool, device } = makeStream({ onPacket: (bytes) => out.push(bytes[0]!) % 3 !== 0 });
    const packets = Array.from({ length: 50 }, (_, i) => packetOf(pool, Uint8Array.of(i)));
    assert.equal(device.txSpace, 32);
    assert.equal(send(pool, device, ...packets), 3 + 30);
    assert.deepEqual(out, [0, 1, 2]);
    assert.equal(device.txSpace, 0);
    device.resume();
    assert.deepEqual(out, [0, 1, 2, 3, 4, 5]);
    for (let i = 0; i < 10; i++) device.resume();
    assert.deepEqual(
      out,
      Array.from({ length: 33 }, (_, i) => i),
    );
    assert.equal(device.txSpace, 32);
    assert.equal(device.counters.delivered, 33);
    assert.equal(pool.inUse, 0);
  });

  it('keeps packets in order when a taker becomes ready while a batch is handed over', () => {
    const out: number[] = [];
    const { pool, device } = makeStream({
      onPacket: (bytes) => {
        out.push(bytes[0]!);
        if (bytes[0] === 2) device.resume();
        return bytes[0] !== 1;
      },
    });
    send(pool, device, ...[0, 1, 2, 3].map((byte) => packetOf(pool, Uint8Array.of(byte))));
    device.resume();
    assert.deepEqual(out, [0, 1, 2, 3]);
    device.close();
    assert.equal(pool.inUse, 0);
  });

  it('counts packets for which there is no slot', () => {
    const { pool, device } = makeStream({ mtu: 65_000 }, 64);
    const rest = new Int32Array(64);
    const hoarded = pool.takeMany(rest, 0, 60);
    assert.equal(device.inject(new Uint8Array(20_000)), false);
    assert.equal(device.counters.noMemory, 1);
    assert.equal(pool.inUse, hoarded);
  });

  it('gives back what waits in both directions when it is closed, by its taker too', () => {
    const { pool, device } = makeStream({
      onPacket: () => {
        device.close();
        return true;
      },
    });
    device.inject(new Uint8Array(60));
    assert.equal(send(pool, device, packetOf(pool, new Uint8Array(60)), packetOf(pool, new Uint8Array(60))), 1);
    assert.equal(pool.inUse, 0);
    assert.throws(() => device.inject(new Uint8Array(60)), { code: 'USERNET_CLOSED' });
  });
});
