import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../base/random.js';
import { NS_PER_MS } from '../base/time.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { isIpv4ChecksumValid } from '../wire/ipv4.js';
import { isTcpChecksumValidIpv4, TcpFlag } from '../wire/tcp.js';
import { FaultInjector, type FaultOptions } from './fault-injector.js';
import {
  DESTINATION_ADDRESS,
  makeLinkLab,
  packetOf,
  pattern,
  RecordingDevice,
  receive,
  SOURCE_ADDRESS,
  send,
  tcpFrame,
  tcpPacket,
} from './testing/link-lab.js';

function makeFaultLab(options: FaultOptions, seed = 1) {
  const lab = makeLinkLab(8192);
  const inner = new RecordingDevice(lab.pool, 'ethernet', true);
  const random = seededRandom(seed);
  const device = new FaultInjector(inner, { ...lab, random }, options);
  /** Transmits frames of 60 bytes with these numbers; gives back what is not taken. */
  const transmit = (...numbers: number[]) =>
    send(
      lab.pool,
      device,
      ...numbers.map((number) => {
        const bytes = new Uint8Array(60);
        new DataView(bytes.buffer).setUint32(20, number);
        return packetOf(lab.pool, bytes);
      }),
    );
  const arrived = () => inner.sent.map(({ bytes }) => new DataView(bytes.buffer).getUint32(20));
  const runTo = (ms: number) => {
    lab.clock.nowNs = ms * NS_PER_MS;
    device.advance(lab.clock.nowNs);
  };
  return { ...lab, inner, device, transmit, arrived, runTo };
}

const count = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('FaultInjector', () => {
  it('does nothing to packets by default', () => {
    const { pool, inner, device, transmit, arrived } = makeFaultLab({});
    assert.equal(transmit(...count(0, 600)), 600);
    assert.deepEqual(arrived(), count(0, 600));
    assert.deepEqual(device.capabilities, { gso: true, checksum: true });
    assert.equal(device.counters.passed, 600);
    assert.equal(device.nextDeadlineNs(), Infinity);
    inner.bring(new Uint8Array(60));
    const [slot] = receive(device) as [number];
    pool.give(slot);
    assert.equal(pool.inUse, 0);
  });

  it('does the same again for the same seed, and something else for another', () => {
    const options = { loss: 0.1, duplicate: 0.1, reorder: 0.1, delayMs: 5, jitterMs: 2 };
    const run = (seed: number) => {
      const { transmit, arrived, runTo, pool } = makeFaultLab(options, seed);
      for (let i = 0; i < 500; i++) {
        transmit(i);
        runTo(i / 10);
      }
      runTo(1000);
      assert.equal(pool.inUse, 0);
      return arrived();
    };
    assert.deepEqual(run(7), run(7));
    assert.notDeepEqual(run(7), run(8));
  });

  it('loses, duplicates and holds back as many packets as it is told', () => {
    for (const fault of ['loss', 'duplicate', 'reorder'] as const) {
      const { pool, device, transmit, arrived, runTo } = makeFaultLab({ [fault]: 0.1 });
      for (let i = 0; i < 10_000; i += 100) {
        transmit(...count(i, i + 100));
        runTo(i);
      }
      runTo(20_000);
      const { counters } = device;
      const struck = { loss: counters.lost, duplicate: counters.duplicated, reorder: counters.reordered }[fault];
      // Four standard deviations of a binomial distribution.
      assert.ok(Math.abs(struck - 1000) < 4 * 30, `${fault}: ${struck}`);
      assert.equal(counters.lost + counters.duplicated + counters.reordered, struck);
      const difference = { loss: -struck, duplicate: struck, reorder: 0 }[fault];
      assert.equal(arrived().length, 10_000 + difference);
      assert.equal(new Set(arrived()).size, fault === 'loss' ? 10_000 - struck : 10_000);
      const isSorted = arrived().every((number, i, all) => i === 0 || all[i - 1]! <= number);
      assert.equal(isSorted, fault !== 'reorder');
      assert.deepEqual(device.capabilities, { gso: false, checksum: true });
      assert.equal(pool.inUse, 0);
    }
  });

  it('delays packets by the clock, and is a timer', () => {
    const { interfaces, device, transmit, arrived, runTo } = makeFaultLab({ delayMs: 10 });
    interfaces.create({ name: 'a', stack: 0, device, mtu: 1500 });
    transmit(1, 2);
    assert.equal(interfaces.nextDeadlineNs(), 10 * NS_PER_MS);
    runTo(4);
    transmit(3);
    runTo(9.999);
    assert.deepEqual(arrived(), []);
    interfaces.advance(10 * NS_PER_MS);
    assert.deepEqual(arrived(), [1, 2]);
    assert.equal(interfaces.nextDeadlineNs(), 14 * NS_PER_MS);
    runTo(14);
    assert.deepEqual(arrived(), [1, 2, 3]);
  });

  it('varies the delay within the jitter', () => {
    const { pool, inner, device, transmit, runTo } = makeFaultLab({ delayMs: 10, jitterMs: 3 });
    const times: number[] = [];
    for (let i = 0; i < 300; i++) transmit(i);
    for (let us = 0; us < 20_000; us += 100) {
      runTo(us / 1000);
      while (times.length < inner.sent.length) times.push(us / 1000);
    }
    assert.equal(times.length, 300);
    assert.ok(Math.min(...times) >= 7 && Math.min(...times) < 7.3, `${Math.min(...times)}`);
    assert.ok(Math.max(...times) <= 13.1 && Math.max(...times) > 12.7, `${Math.max(...times)}`);
    assert.equal(device.counters.passed, 300);
    assert.equal(pool.inUse, 0);
  });

  it('limits the rate and refuses what its queue has no room for', () => {
    // 60 bytes take 1 ms.
    const { pool, device, transmit, arrived, runTo } = makeFaultLab({ rateBytesPerSecond: 60_000, queueBytes: 600 });
    assert.equal(device.txSpace, 1);
    assert.equal(transmit(...count(0, 15)), 10);
    assert.equal(device.txSpace, 0);
    assert.equal(device.counters.refused, 5);
    runTo(1);
    assert.deepEqual(arrived(), [0]);
    runTo(5.5);
    assert.deepEqual(arrived(), [0, 1, 2, 3, 4]);
    assert.equal(transmit(...count(20, 30)), 5);
    runTo(15);
    assert.deepEqual(arrived(), [...count(0, 10), ...count(20, 25)]);
    assert.equal(device.nextDeadlineNs(), Infinity);
    assert.equal(pool.inUse, 0);
  });

  it('lets a packet through that is longer than its queue', () => {
    const { device, pool, inner, runTo } = makeFaultLab({ rateBytesPerSecond: 1_000_000, queueBytes: 100 });
    assert.equal(send(pool, device, packetOf(pool, pattern(1500)), packetOf(pool, pattern(1500))), 1);
    runTo(2);
    assert.equal(inner.sent.length, 1);
  });

  it('holds back no more packets than it is told', () => {
    const { pool, device, transmit, runTo, arrived } = makeFaultLab({ delayMs: 10, duplicate: 1, queuePackets: 10 });
    assert.equal(device.txSpace, 10);
    assert.equal(transmit(...count(0, 20)), 5);
    assert.equal(device.txSpace, 0);
    runTo(10);
    assert.deepEqual(arrived(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    assert.equal(pool.inUse, 0);
  });

  it('counts what the inner device has no room for when it is due', () => {
    const { pool, inner, device, transmit, runTo } = makeFaultLab({ delayMs: 1 });
    inner.txSpace = 3;
    assert.equal(device.txSpace, 3);
    transmit(...count(0, 8));
    runTo(1);
    assert.equal(device.counters.passed, 3);
    assert.equal(device.counters.overflowed, 5);
    assert.equal(pool.inUse, 0);
  });

  it('cuts the link in both directions and joins it again', () => {
    const { pool, inner, device, transmit, arrived } = makeFaultLab({ down: true });
    let pending = 0;
    device.onPending = () => pending++;
    assert.equal(transmit(1), 1);
    inner.bring(new Uint8Array(60), new Uint8Array(60));
    assert.deepEqual(receive(device, 1), []);
    assert.equal(pending, 2, 'there is more to throw away');
    assert.deepEqual(receive(device, 2), []);
    assert.equal(device.counters.cutOff, 3);
    device.configure({});
    transmit(2);
    inner.bring(new Uint8Array(60));
    assert.equal(receive(device).length, 1);
    assert.deepEqual(arrived(), [2]);
    assert.equal(pool.inUse, 1);
  });

  it('corrupts IP packets so that a checksum tells', () => {
    const { pool, inner, device } = makeFaultLab({ corrupt: 1 });
    assert.deepEqual(device.capabilities, { gso: false, checksum: false });
    for (let i = 0; i < 500; i++) {
      const slot = tcpPacket(pool, { payload: pattern(i * 20), flags: TcpFlag.ack });
      if (i % 2 === 0) pool.flags[slot] = PacketFlag.checksumPartial;
      else pool.flags[slot] = PacketFlag.checksumValid;
      const { bytes } = tcpFrame({ payload: pattern(i * 20), flags: TcpFlag.ack });
      send(pool, device, slot);
      const sent = inner.sent.pop()!;
      assert.equal(sent.flags, 0);
      assert.deepEqual(sent.bytes.subarray(0, 14), bytes.subarray(0, 14));
      const view = new DataView(sent.bytes.buffer);
      const transportBytes = sent.bytes.length - 34;
      const isValid =
        isIpv4ChecksumValid(view, 14) &&
        isTcpChecksumValidIpv4(view, 34, transportBytes, SOURCE_ADDRESS, DESTINATION_ADDRESS);
      // The packets marked valid have no right TCP checksum: for them only the difference in bits is looked at.
      if (i % 2 === 0) {
        assert.equal(isValid, false);
      } else {
        const flipped = sent.bytes.reduce(
          (sum, byte, k) => sum + (byte ^ bytes[k]!).toString(2).replaceAll('0', '').length,
          0,
        );
        assert.equal(flipped, 1);
      }
    }
    assert.equal(device.counters.corrupted, 500);
    const arp = new Uint8Array(60);
    new DataView(arp.buffer).setUint16(12, 0x0806);
    send(pool, device, packetOf(pool, arp), packetOf(pool, new Uint8Array(5)));
    assert.deepEqual(
      inner.sent.map(({ bytes }) => bytes),
      [arp, new Uint8Array(5)],
    );
    assert.equal(device.counters.corrupted, 500);
    assert.equal(pool.inUse, 0);
  });

  it('gives back what it holds when it is closed', () => {
    const { pool, device, transmit } = makeFaultLab({ delayMs: 1000 });
    transmit(...count(0, 50));
    assert.equal(pool.inUse, 50);
    device.close();
    assert.equal(pool.inUse, 0);
  });
});
