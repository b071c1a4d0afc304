import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tcpPacket } from '../drivers/testing/link-lab.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { hasIpv4MoreFragments, Ipv4Flag, ipv4FragmentOffsetBytes, isIpv4ChecksumValid } from '../wire/ipv4.js';
import { isUdpChecksumValidIpv4 } from '../wire/udp.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { ipv4Packet, udpPacket } from './testing/packets.js';

/** A host on a link with this MTU; 10.0.0.9 is known. */
function makeHost(mtu: number) {
  const lab = new L3Lab();
  const stack = lab.l3.createStack();
  const { index, tap } = lab.addTap(stack, 'eth0', ['10.0.0.1/24'], mtu);
  lab.l3.addNeighbor(index, ip('10.0.0.9'), 0x0200, 0x99);
  lab.settle();
  tap.sent.length = 0;
  return { lab, stack, tap };
}

const TO_NEIGHBOR = { source: '10.0.0.1', destination: '10.0.0.9', identification: 77 };

/** Puts fragments together by their offsets; checks each header. */
function join(sent: readonly { bytes: Uint8Array }[], mtu: number): Uint8Array {
  const parts = sent.map(({ bytes }) => {
    const packet = bytes.slice(14);
    const view = new DataView(packet.buffer);
    assert.ok(isIpv4ChecksumValid(view, 0));
    assert.ok(packet.length <= mtu);
    assert.equal(view.getUint16(2), packet.length);
    assert.equal(view.getUint16(4), 77);
    const payload = packet.subarray((packet[0]! & 15) * 4);
    return { at: ipv4FragmentOffsetBytes(view, 0), hasMore: hasIpv4MoreFragments(view, 0), payload };
  });
  const end = parts.at(-1)!;
  const whole = new Uint8Array(end.at + end.payload.length);
  parts.forEach(({ at, hasMore, payload }, i) => {
    assert.equal(hasMore, i < parts.length - 1);
    whole.set(payload, at);
  });
  return whole;
}

for (const [mtu, bytes] of [
  [68, 500],
  [576, 1400],
  [1500, 9000],
  [4000, 30_000],
  [9000, 65_000],
] as const) {
  test(`${bytes} bytes over an MTU of ${mtu} (RFC 791 section 3.2)`, () => {
    const { lab, stack, tap } = makeHost(mtu);
    const payload = Uint8Array.from({ length: bytes }, (_, i) => (i * 13) & 255);
    const packet = udpPacket({ ...TO_NEIGHBOR, payload });
    lab.send(stack, packet);
    const most = (mtu - 20) & ~7;
    assert.equal(tap.sent.length, Math.ceil((bytes + 8) / most));
    assert.deepEqual(join(tap.sent, mtu), packet.subarray(20));
    assert.equal(lab.close(), 0);
  });
}

test('only options with the copied flag stand in later fragments (RFC 791 section 3.1)', () => {
  const { lab, stack, tap } = makeHost(200);
  const options = [7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0];
  const packet = ipv4Packet({ ...TO_NEIGHBOR, options, payload: new Uint8Array(500).fill(3) });
  lab.send(stack, packet);
  assert.deepEqual(join(tap.sent, 200), packet.subarray(32));
  assert.deepEqual([...tap.sent[0]!.bytes.subarray(34, 46)], options);
  assert.equal(tap.sent[1]!.bytes[14], 0x46);
  assert.deepEqual([...tap.sent[1]!.bytes.subarray(34, 38)], [148, 4, 0, 0]);
  assert.equal(lab.close(), 0);
});

test('a fragment can be fragmented again', () => {
  const { lab, stack, tap } = makeHost(100);
  const fragmentField = Ipv4Flag.moreFragments | 10;
  lab.send(stack, ipv4Packet({ ...TO_NEIGHBOR, fragmentField, payload: new Uint8Array(160) }));
  const fields = tap.sent.map(({ bytes }) => new DataView(bytes.buffer).getUint16(20));
  assert.deepEqual(fields, [Ipv4Flag.moreFragments | 10, Ipv4Flag.moreFragments | 20]);
  assert.equal(lab.close(), 0);
});

test('a checksum that was left open is computed before', () => {
  const { lab, stack, tap } = makeHost(600);
  const packet = udpPacket({ ...TO_NEIGHBOR, payload: Uint8Array.from({ length: 1500 }, (_, i) => i) });
  packet[26] = 0;
  packet[27] = 0;
  const slot = lab.pool.take();
  lab.pool.bytes.set(packet, lab.pool.head[slot]!);
  lab.pool.length[slot] = packet.length;
  lab.pool.totalLength[slot] = packet.length;
  lab.pool.stack[slot] = stack;
  lab.pool.network[slot] = lab.pool.head[slot]!;
  lab.pool.transport[slot] = lab.pool.head[slot]! + 20;
  lab.pool.flags[slot] = PacketFlag.checksumPartial;
  lab.graph.inject('ip4-output', slot);
  lab.settle();
  const datagram = join(tap.sent, 600);
  assert.ok(isUdpChecksumValidIpv4(new DataView(datagram.buffer), 0, datagram.length, ip('10.0.0.1'), ip('10.0.0.9')));
  assert.notEqual(datagram[6]! | datagram[7]!, 0);
  assert.equal(lab.close(), 0);
});

test('an MTU that leaves no room for eight bytes drops the packet', () => {
  const { lab, stack, tap } = makeHost(24);
  lab.send(stack, udpPacket(TO_NEIGHBOR));
  assert.equal(lab.count('ip4-fragment', 'mtu too small'), 1);
  assert.equal(tap.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('without slots the packet is dropped, and nothing is lost from the pool', () => {
  const { lab, stack } = makeHost(68);
  const held = new Int32Array(lab.pool.slotCount);
  const count = lab.pool.takeMany(held, 0, lab.pool.free - 20);
  lab.send(stack, udpPacket({ ...TO_NEIGHBOR, payload: new Uint8Array(1400) }));
  assert.equal(lab.count('ip4-fragment', 'no slot'), 1);
  lab.pool.giveMany(held, count);
  assert.equal(lab.close(), 0);
});

for (const [gsoSize, isSent] of [
  [1448, true],
  [1460, true],
  [1461, false],
] as const) {
  test(`a super-segment of pieces of ${gsoSize} bytes over an MTU of 1500 ${isSent ? 'goes whole' : 'is too big'}`, () => {
    const { lab, stack } = makeHost(1500);
    const told: number[] = [];
    lab.l3.onIcmpError(6, (_stack, _type, _code, info) => {
      told.push(info);
      return true;
    });
    const slot = tcpPacket(lab.pool, { payload: new Uint8Array(4000), flags: 0x10, withEthernet: false });
    lab.pool.flags[slot] = PacketFlag.gsoTcp4 | PacketFlag.checksumPartial;
    lab.pool.gsoSize[slot] = gsoSize;
    lab.pool.stack[slot] = stack;
    // The segment goes to 10.0.0.2.
    lab.l3.addNeighbor(1, ip('10.0.0.2'), 0x0200, 0x98);
    lab.graph.inject('ip4-output', slot);
    lab.settle();
    assert.equal(lab.count('interface-output', 'segmented'), isSent ? 1 : 0);
    assert.deepEqual(told, isSent ? [] : [1500]);
    assert.equal(lab.close(), 0);
  });
}
