import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NS_PER_MS, NS_PER_S } from '../base/time.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { LinkType } from '../wire/capture.js';
import { parseCapture } from '../wire/capture-reader.js';
import { PCAP_HEADER_BYTES, PCAP_RECORD_HEADER_BYTES, writePcapHeader, writePcapRecordHeader } from '../wire/pcap.js';
import { isTcpChecksumValidIpv4, TcpFlag } from '../wire/tcp.js';
import { CaptureDevice } from './capture-device.js';
import { CaptureTee } from './capture-tee.js';
import { CaptureWriter } from './capture-writer.js';
import {
  DESTINATION_ADDRESS,
  makeLinkLab,
  packetOf,
  pattern,
  RecordingDevice,
  receive,
  receiveBytes,
  SOURCE_ADDRESS,
  send,
  tcpPacket,
} from './testing/link-lab.js';

function makeCaptureLab() {
  const lab = makeLinkLab();
  const pieces: Uint8Array[] = [];
  const writer = new CaptureWriter({
    pool: lab.pool,
    clock: lab.clock,
    sink: (bytes) => pieces.push(bytes),
    epochMs: 1_700_000_000_123,
  });
  const parse = () => {
    const { packets, problem } = parseCapture(Uint8Array.from(pieces.flatMap((piece) => [...piece])));
    assert.equal(problem, undefined);
    return packets;
  };
  return { ...lab, writer, parse };
}

/** A pcap file of Ethernet packets: [seconds, nanoseconds, bytes, original length]. */
function pcapOf(packets: [number, number, Uint8Array, number?][], linkType: number = LinkType.ethernet): Uint8Array {
  const file = new Uint8Array(100_000);
  const view = new DataView(file.buffer);
  writePcapHeader(view, 0, linkType);
  let at = PCAP_HEADER_BYTES;
  for (const [seconds, nanoseconds, bytes, original] of packets) {
    writePcapRecordHeader(view, at, seconds, nanoseconds, bytes.length, original ?? bytes.length);
    file.set(bytes, at + PCAP_RECORD_HEADER_BYTES);
    at += PCAP_RECORD_HEADER_BYTES + bytes.length;
  }
  return file.subarray(0, at);
}

describe('CaptureTee', () => {
  it('writes both directions with the clock’s time, the wall clock’s epoch and the interface', () => {
    const { pool, clock, writer, parse } = makeCaptureLab();
    const inner = new RecordingDevice(pool);
    const tee = new CaptureTee(inner, writer, 'web.eth0');
    const other = new CaptureTee(new RecordingDevice(pool, 'ip'), writer, 'web.lo');
    let pending = 0;
    tee.onPending = () => pending++;
    clock.nowNs = 2 * NS_PER_S + 5.25 * NS_PER_MS;
    inner.bring(pattern(100));
    assert.equal(pending, 1);
    assert.deepEqual(receiveBytes(pool, tee), [pattern(100)]);
    clock.nowNs = 3 * NS_PER_S;
    send(pool, other, packetOf(pool, pattern(5000, 2)));
    assert.equal(pool.inUse, 0);
    const [first, second] = parse();
    assert.deepEqual([first!.seconds, first!.nanoseconds], [1_700_000_002, 128_250_000]);
    assert.equal(first!.interface.name, 'web.eth0');
    assert.equal(first!.interface.linkType, LinkType.ethernet);
    assert.equal(second!.interface.linkType, LinkType.raw);
    assert.equal(second!.interface.name, 'web.lo');
    assert.deepEqual(Uint8Array.from(second!.bytes), pattern(5000, 2));
  });

  it('writes checksums that are still to be computed, and leaves the packet as it is', () => {
    const { pool, writer, parse } = makeCaptureLab();
    const inner = new RecordingDevice(pool, 'ethernet', true);
    const tee = new CaptureTee(inner, writer, 'a');
    assert.deepEqual(tee.capabilities, inner.capabilities);
    const slot = tcpPacket(pool, { payload: pattern(4001), flags: TcpFlag.ack });
    pool.flags[slot] = PacketFlag.checksumPartial | PacketFlag.gsoTcp4;
    send(pool, tee, slot);
    assert.equal(inner.sent[0]!.flags, PacketFlag.checksumPartial | PacketFlag.gsoTcp4);
    const sent = inner.sent[0]!.bytes;
    assert.equal(new DataView(sent.buffer).getUint16(34 + 16), 0);
    const { bytes } = parse()[0]!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    assert.equal(bytes.length, sent.length);
    assert.ok(isTcpChecksumValidIpv4(view, 34, bytes.length - 34, SOURCE_ADDRESS, DESTINATION_ADDRESS));
    assert.equal(pool.inUse, 0);
  });
});

describe('CaptureDevice', () => {
  const recorded: [number, number, Uint8Array][] = [
    [100, 999_000_000, pattern(60, 1)],
    [101, 1_000_000, pattern(3000, 2)],
    [103, 0, pattern(60, 3)],
  ];

  it('replays a file as fast as it is taken', () => {
    const { pool, clock } = makeLinkLab();
    const device = new CaptureDevice(pool, clock, { linkType: 'ethernet', replay: pcapOf(recorded) });
    assert.deepEqual(receiveBytes(pool, device, 2), [recorded[0]![2], recorded[1]![2]]);
    assert.equal(device.isReplayed, false);
    assert.deepEqual(receiveBytes(pool, device, 2), [recorded[2]![2]]);
    assert.equal(device.isReplayed, true);
    assert.equal(device.problem, undefined);
    assert.equal(device.counters.replayed, 3);
    assert.equal(device.nextDeadlineNs(), Infinity);
    assert.equal(pool.inUse, 0);
  });

  it('replays a file at its own pace', () => {
    const { pool, clock, interfaces } = makeLinkLab();
    clock.nowNs = 50 * NS_PER_S;
    const device = new CaptureDevice(pool, clock, { linkType: 'ethernet', replay: pcapOf(recorded), pace: 'recorded' });
    interfaces.create({ name: 'pcap', stack: 0, device, mtu: 9000 });
    assert.equal(interfaces.takePending(), 1);
    assert.equal(receiveBytes(pool, device).length, 1);
    assert.equal(interfaces.nextDeadlineNs(), 50 * NS_PER_S + 2 * NS_PER_MS);
    clock.nowNs = interfaces.nextDeadlineNs() - 1;
    interfaces.advance(clock.nowNs);
    assert.equal(interfaces.pendingCount, 0);
    clock.nowNs += 1;
    interfaces.advance(clock.nowNs);
    assert.equal(interfaces.takePending(), 1);
    assert.deepEqual(receiveBytes(pool, device), [recorded[1]![2]]);
    assert.equal(interfaces.nextDeadlineNs(), 50 * NS_PER_S + 2001 * NS_PER_MS);
    interfaces.close();
    assert.equal(device.nextDeadlineNs(), Infinity);
    assert.equal(pool.inUse, 0);
  });

  it('skips packets that are cut short, empty, or of another link type', () => {
    const { pool, clock } = makeLinkLab();
    const replay = pcapOf([
      [1, 0, new Uint8Array(60), 61],
      [1, 0, new Uint8Array(0)],
      [1, 0, pattern(60)],
    ]);
    const device = new CaptureDevice(pool, clock, { linkType: 'ethernet', replay });
    assert.deepEqual(receiveBytes(pool, device), [pattern(60)]);
    assert.equal(device.counters.skipped, 2);
    const ip = new CaptureDevice(pool, clock, { linkType: 'ip', replay });
    assert.equal(ip.isReplayed, true);
    assert.equal(ip.counters.skipped, 3);
    const raw = new CaptureDevice(pool, clock, { linkType: 'ip', replay: pcapOf(recorded, LinkType.raw) });
    assert.equal(receiveBytes(pool, raw).length, 3);
  });

  it('says what is wrong with a file', () => {
    const { pool, clock } = makeLinkLab();
    const options = { linkType: 'ethernet' } as const;
    const make = (replay: Uint8Array) => new CaptureDevice(pool, clock, { ...options, replay });
    assert.throws(() => make(pattern(200)), { code: 'USERNET_CAPTURE' });
    const device = make(pcapOf(recorded).subarray(0, -1));
    assert.equal(receiveBytes(pool, device).length, 2);
    assert.match(device.problem!.message, /ends in the middle/);
  });

  it('waits for slots when the pool is out of them', () => {
    const { pool, clock } = makeLinkLab(64);
    const device = new CaptureDevice(pool, clock, { linkType: 'ethernet', replay: pcapOf(recorded) });
    let pending = 0;
    device.onPending = () => pending++;
    const rest = new Int32Array(64);
    pool.takeMany(rest, 0, 64);
    assert.deepEqual(receive(device), []);
    assert.equal(pending, 1);
    pool.giveMany(rest, 64);
    assert.equal(receiveBytes(pool, device).length, 3);
  });

  it('writes what it is told to transmit, and gives it back', () => {
    const { pool, clock, writer, parse } = makeCaptureLab();
    const device = new CaptureDevice(pool, clock, { linkType: 'ip', writer, name: 'out' });
    assert.equal(send(pool, device, packetOf(pool, pattern(60)), packetOf(pool, pattern(70))), 2);
    assert.equal(device.counters.written, 2);
    assert.deepEqual(
      parse().map(({ bytes, interface: from }) => [bytes.length, from.name]),
      [
        [60, 'out'],
        [70, 'out'],
      ],
    );
    const nowhere = new CaptureDevice(pool, clock, { linkType: 'ip' });
    assert.equal(send(pool, nowhere, packetOf(pool, pattern(60))), 1);
    assert.deepEqual([nowhere.counters.written, nowhere.counters.discarded], [0, 1]);
    assert.equal(pool.inUse, 0);
  });
});
