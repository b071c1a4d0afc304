import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PacketFlag } from '../mem/packet-pool.js';
import { LoopbackDevice } from './loopback.js';
import { bytesOf, makeLinkLab, packetOf, receive, receiveBytes, send } from './testing/link-lab.js';
import { makeVethPair, type VethOptions } from './veth.js';

function makePair(options: VethOptions = {}) {
  const lab = makeLinkLab();
  const [a, b] = makeVethPair(lab.pool, lab.rings, options);
  return { ...lab, a, b };
}

const OFFLOADED = PacketFlag.checksumPartial | PacketFlag.gsoTcp4;

describe('veth', () => {
  it('hands packets to the other end, in order, in both directions', () => {
    const { pool, a, b } = makePair();
    let pending = 0;
    b.onPending = () => pending++;
    assert.equal(send(pool, a, ...[1, 2, 3].map((byte) => packetOf(pool, Uint8Array.of(byte)))), 3);
    assert.equal(pending, 1);
    assert.equal(receive(a).length, 0);
    assert.deepEqual(
      receiveBytes(pool, b, 2).map((bytes) => bytes[0]),
      [1, 2],
    );
    assert.deepEqual(
      receiveBytes(pool, b, 2).map((bytes) => bytes[0]),
      [3],
    );
    send(pool, b, packetOf(pool, Uint8Array.of(4)));
    assert.deepEqual(
      receiveBytes(pool, a).map((bytes) => bytes[0]),
      [4],
    );
    assert.equal(pool.inUse, 0);
  });

  it('passes checksum state and super-segments on when it has offload, and nothing else of the sender', () => {
    const { pool, a, b } = makePair();
    assert.deepEqual(a.capabilities, { gso: true, checksum: true });
    const slot = packetOf(pool, new Uint8Array(60));
    pool.flags[slot] = OFFLOADED | PacketFlag.checksumValid | PacketFlag.linkBroadcast | PacketFlag.control;
    pool.gsoSize[slot] = 1448;
    pool.flowHash[slot] = 5;
    pool.mark[slot] = 6;
    send(pool, a, slot);
    assert.deepEqual(receive(b), [slot]);
    assert.equal(pool.flags[slot], OFFLOADED | PacketFlag.checksumValid);
    assert.equal(pool.gsoSize[slot], 1448);
    assert.equal(pool.flowHash[slot], 0);
    assert.equal(pool.mark[slot], 0);
    pool.give(slot);
  });

  it('is like a wire without offload: the receiver has to verify checksums', () => {
    const { pool, a, b } = makePair({ offload: false });
    assert.deepEqual(b.capabilities, { gso: false, checksum: false });
    const slot = packetOf(pool, new Uint8Array(60));
    pool.flags[slot] = PacketFlag.checksumValid;
    send(pool, a, slot);
    receive(b);
    assert.equal(pool.flags[slot], 0);
    pool.give(slot);
  });

  it('tells how many packets it takes, and keeps the last places for control traffic', () => {
    const { pool, a, b } = makePair({ queuePackets: 32 });
    const packets = (count: number, flags = 0) =>
      Array.from({ length: count }, (_, i) => {
        const slot = packetOf(pool, Uint8Array.of(i, flags));
        pool.flags[slot] = flags;
        return slot;
      });
    assert.equal(a.txSpace, 30);
    assert.equal(send(pool, a, ...packets(25)), 25);
    assert.equal(a.txSpace, 5);
    const batch = Int32Array.from([...packets(8), ...packets(1, PacketFlag.control)]);
    assert.equal(a.transmit(batch, 0, batch.length), 6);
    assert.deepEqual([...batch.subarray(6)].map((slot) => bytesOf(pool, slot)[0]).sort(), [5, 6, 7]);
    pool.giveMany(batch, 3, 6);
    assert.equal(a.txSpace, 0);
    assert.equal(send(pool, a, ...packets(5)), 0);
    assert.equal(send(pool, a, ...packets(5, PacketFlag.control)), 1);
    assert.deepEqual(
      receiveBytes(pool, b)
        .slice(25)
        .map((bytes) => bytes[0]),
      [0, 1, 2, 3, 4, 0, 0],
    );
    assert.equal(pool.inUse, 0);
  });

  it('gives back what waits when an end is closed, and loses what is sent to nobody', () => {
    const { pool, a, b } = makePair();
    for (const device of [a, b])
      send(pool, device, ...Array.from({ length: 300 }, () => packetOf(pool, new Uint8Array(60))));
    assert.equal(pool.inUse, 600);
    b.close();
    assert.equal(pool.inUse, 300);
    assert.equal(send(pool, a, packetOf(pool, new Uint8Array(60))), 1);
    assert.equal(pool.inUse, 300);
    assert.equal(a.lost, 1);
    assert.ok(a.txSpace > 0);
    a.close();
    a.close();
    assert.equal(pool.inUse, 0);
    assert.equal(receive(a).length, 0);
  });

  it('takes no new memory for links that come and go', () => {
    const { arena, pool, rings, a, b } = makePair();
    a.close();
    b.close();
    const used = arena.usedBytes;
    for (let i = 0; i < 100; i++) {
      const [c, d] = makeVethPair(pool, rings);
      send(pool, c, packetOf(pool, new Uint8Array(60)));
      c.close();
      d.close();
    }
    assert.equal(arena.usedBytes, used);
    assert.equal(pool.inUse, 0);
  });
});

describe('loopback', () => {
  it('receives what it transmits', () => {
    const { pool, rings } = makeLinkLab();
    const device = new LoopbackDevice(pool, rings);
    let pending = 0;
    device.onPending = () => pending++;
    const slot = packetOf(pool, new Uint8Array(60));
    pool.flags[slot] = OFFLOADED | PacketFlag.linkMulticast;
    const space = device.txSpace;
    send(pool, device, slot);
    assert.equal(pending, 1);
    assert.equal(device.txSpace, space - 1);
    assert.deepEqual(receive(device), [slot]);
    assert.equal(pool.flags[slot], OFFLOADED);
    send(pool, device, slot);
    device.close();
    assert.equal(pool.inUse, 0);
  });
});
