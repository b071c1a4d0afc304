import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingDevice } from '../drivers/testing/link-lab.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { formatIpv4 } from '../wire/address.js';
import { Icmpv4Type } from '../wire/icmpv4.js';
import { setIpv4Checksum, updateIpv4Checksum } from '../wire/ipv4.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { arpFrame, frame, type Ipv4PacketOptions, ipv4Packet, udpPacket } from './testing/packets.js';

/** A router between 10.0.0.0/24 and 10.0.1.0/24; the test plays both links. */
function makeRouter() {
  const lab = new L3Lab();
  const stack = lab.l3.createStack({ forwarding: true });
  const { tap: left, index: leftIndex } = lab.addTap(stack, 'left', ['10.0.0.1/24']);
  const { tap: right, index: rightIndex } = lab.addTap(stack, 'right', ['10.0.1.1/24']);
  lab.l3.addNeighbor(rightIndex, ip('10.0.1.9'), 0x0200, 0x77);
  left.bring(arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' }));
  lab.settle();
  left.sent.length = 0;
  right.sent.length = 0;
  const bring = (packet: Uint8Array, options: { toMac?: number; toHi?: number } = {}): void => {
    left.bring(frame(packet, options.toMac ?? 1, 0x0800, 1, options.toHi));
    lab.settle();
  };
  return { lab, stack, left, right, leftIndex, rightIndex, bring };
}

const THROUGH = { source: '10.0.0.9', destination: '10.0.1.9' };

test('the TTL goes down by one and the checksum stays right (RFC 1812 section 5.3.1, RFC 1624)', () => {
  const { lab, right, bring } = makeRouter();
  for (let id = 0; id < 2000; id++) bring(udpPacket({ ...THROUGH, identification: id * 33, ttl: 2 + (id % 250) }));
  assert.equal(right.sent.length, 2000);
  right.sent.forEach(({ bytes }, id) => {
    const packet = bytes.slice(14);
    const view = new DataView(packet.buffer);
    assert.equal(packet[8], 1 + (id % 250));
    const checksum = view.getUint16(10);
    updateIpv4Checksum(view, 0);
    assert.equal(checksum, view.getUint16(10), `identification ${id * 33}`);
  });
  assert.equal(lab.close(), 0);
});

test('link padding behind the datagram is cut off', () => {
  const { lab, right, bring } = makeRouter();
  const packet = udpPacket({ ...THROUGH, payload: new Uint8Array(1) });
  bring(packet);
  assert.equal(right.sent[0]!.bytes.length, 14 + packet.length);
  assert.equal(lab.close(), 0);
});

test('each damage of a header is counted by its name (RFC 1812 section 5.2.2)', () => {
  const { lab, right, bring } = makeRouter();
  const damaged = (change: (view: DataView) => void): Uint8Array => {
    const packet = udpPacket({ ...THROUGH, payload: new Uint8Array(60) });
    const view = new DataView(packet.buffer);
    change(view);
    return packet;
  };
  bring(damaged((view) => view.setUint8(0, 0x65)));
  bring(damaged((view) => view.setUint8(0, 0x44)));
  bring(damaged((view) => view.setUint16(2, 19)));
  bring(damaged((view) => view.setUint16(2, 1400)));
  bring(damaged((view) => setIpv4Checksum(view, 0, view.getUint16(10) ^ 1)));
  assert.deepEqual(
    ['bad version', 'bad header length', 'bad total length', 'bad checksum'].map((name) =>
      lab.count('ip4-input', name),
    ),
    [1, 1, 2, 1],
  );
  assert.equal(right.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('a packet known to be right is taken without its checksum', () => {
  const { lab, right } = makeRouter();
  const packet = udpPacket(THROUGH);
  packet[10] = 0;
  const slot = lab.pool.take();
  lab.pool.bytes.set(packet, lab.pool.head[slot]!);
  lab.pool.length[slot] = packet.length;
  lab.pool.totalLength[slot] = packet.length;
  lab.pool.rxInterface[slot] = 1;
  lab.pool.flags[slot] = PacketFlag.checksumValid;
  lab.graph.inject('ip4-input', slot);
  lab.settle();
  assert.equal(right.sent.length, 1);
  assert.equal(lab.close(), 0);
});

const MARTIANS: readonly [string, Ipv4PacketOptions, string][] = [
  ['a loopback source', { source: '127.0.0.1', destination: '10.0.1.9' }, 'martian source'],
  ['a loopback destination', { source: '10.0.0.9', destination: '127.0.0.1' }, 'martian destination'],
  ['a source on this network', { source: '0.0.0.7', destination: '10.0.1.9' }, 'martian source'],
  ['no source, to one host', { source: '0.0.0.0', destination: '10.0.1.9' }, 'martian source'],
  ['a destination on this network', { source: '10.0.0.9', destination: '0.0.0.0' }, 'martian destination'],
  ['a multicast source', { source: '224.0.0.5', destination: '10.0.1.9' }, 'martian source'],
  ['a class E source', { source: '240.0.0.1', destination: '10.0.1.9' }, 'martian source'],
  ['a broadcast source', { source: '255.255.255.255', destination: '10.0.1.9' }, 'martian source'],
  ['link-local transit, source', { source: '169.254.1.1', destination: '10.0.1.9' }, 'martian destination'],
  ['link-local transit, destination', { source: '10.0.0.9', destination: '169.254.1.1' }, 'martian destination'],
];

for (const [name, options, counter] of MARTIANS) {
  test(`martians: ${name} (RFC 1812 section 5.3.7, RFC 3927 section 2.7)`, () => {
    const { lab, left, right, bring } = makeRouter();
    bring(udpPacket(options));
    assert.equal(lab.count('ip4-input', counter), 1);
    assert.equal(left.sent.length + right.sent.length, 0);
    assert.equal(lab.close(), 0);
  });
}

test('no source is right in a broadcast of a host that learns its address (RFC 1122 section 3.2.1.3 (a))', () => {
  const { lab, bring } = makeRouter();
  bring(udpPacket({ source: '0.0.0.0', destination: '255.255.255.255' }), { toMac: 0xffffffff, toHi: 0xffff });
  assert.equal(lab.deliveries.length, 1);
  assert.equal(lab.close(), 0);
});

test('our own addresses and broadcast addresses are nobody else’s source (RFC 1812 section 5.3.7)', () => {
  const { lab, bring } = makeRouter();
  bring(udpPacket({ source: '10.0.1.1', destination: '10.0.0.1' }));
  bring(udpPacket({ source: '10.0.0.255', destination: '10.0.0.1' }));
  assert.equal(lab.count('ip4-local', 'spoofed source'), 1);
  assert.equal(lab.count('ip4-local', 'broadcast source'), 1);
  assert.equal(lab.deliveries.length, 0);
  assert.equal(lab.close(), 0);
});

test('what came as a link broadcast to one host is dropped (RFC 1122 section 3.3.6, RFC 1812 section 5.3.4)', () => {
  const { lab, right, bring } = makeRouter();
  const everybody = { toMac: 0xffffffff, toHi: 0xffff };
  bring(udpPacket(THROUGH), everybody);
  bring(udpPacket({ source: '10.0.0.9', destination: '10.0.0.1' }), everybody);
  assert.equal(lab.count('ip4-input', 'link broadcast to one host'), 2);
  bring(udpPacket({ source: '10.0.0.9', destination: '10.0.0.255' }), everybody);
  bring(udpPacket({ source: '10.0.0.9', destination: '255.255.255.255' }), everybody);
  assert.equal(lab.deliveries.length, 2);
  assert.equal(right.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('directed broadcasts to other networks are not forwarded (RFC 2644)', () => {
  const { lab, right, bring } = makeRouter();
  bring(udpPacket({ source: '10.0.0.9', destination: '10.0.1.255' }));
  assert.equal(lab.count('ip4-multicast', 'broadcast of another link'), 1);
  assert.equal(right.sent.length, 0);
  assert.equal(lab.deliveries.length, 0);
  assert.equal(lab.close(), 0);
});

test('multicast is heard by members only and never forwarded (RFC 1112 section 7.2)', () => {
  const { lab, leftIndex, right, bring } = makeRouter();
  const toGroup = udpPacket({ source: '10.0.0.9', destination: '239.1.2.3' });
  const group = { toHi: 0x0100, toMac: 0x5e010203 };
  bring(toGroup, group);
  assert.equal(lab.count('ip4-multicast', 'not a member'), 1);
  lab.l3.joinGroup(leftIndex, ip('239.1.2.3'));
  lab.l3.joinGroup(leftIndex, ip('239.1.2.3'));
  lab.l3.leaveGroup(leftIndex, ip('239.1.2.3'));
  bring(toGroup, group);
  assert.equal(lab.deliveries.length, 1);
  lab.l3.leaveGroup(leftIndex, ip('239.1.2.3'));
  assert.ok(!lab.l3.leaveGroup(leftIndex, ip('239.1.2.3')));
  bring(toGroup, group);
  assert.equal(lab.deliveries.length, 1);
  bring(udpPacket({ source: '10.0.0.9', destination: '224.0.0.1' }), { toHi: 0x0100, toMac: 0x5e000001 });
  assert.equal(lab.deliveries.length, 2, 'everybody is in 224.0.0.1');
  assert.equal(right.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('TCP to a group or everybody is dropped (RFC 1122 section 4.2.3.10)', () => {
  const { lab, bring } = makeRouter();
  bring(ipv4Packet({ source: '10.0.0.9', destination: '10.0.0.255', protocol: 6, payload: new Uint8Array(20) }));
  assert.equal(lab.count('ip4-local', 'tcp to a group'), 1);
  assert.equal(lab.close(), 0);
});

test('sent multicasts carry the group’s link address and reach listeners of the same stack (RFC 1112 section 6)', () => {
  const { lab, stack, left, leftIndex } = makeRouter();
  lab.l3.joinGroup(leftIndex, ip('239.129.2.3'));
  lab.send(stack, udpPacket({ source: '10.0.0.1', destination: '239.129.2.3', ttl: 1 }));
  const view = new DataView(left.sent[0]!.bytes.buffer);
  assert.deepEqual([view.getUint16(0), view.getUint32(2), view.getUint8(22)], [0x0100, 0x5e010203, 1]);
  assert.equal(lab.deliveries.length, 1);
  assert.equal(lab.close(), 0);
});

test('sent broadcasts go to everybody on the link of their source address (RFC 1122 section 3.3.6)', () => {
  const { lab, stack, left, right } = makeRouter();
  lab.send(stack, udpPacket({ source: '10.0.1.1', destination: '255.255.255.255' }));
  lab.send(stack, udpPacket({ source: '10.0.0.1', destination: '10.0.0.255' }));
  const [toRight, toLeft] = [right.sent, left.sent].map((sent) => new DataView(sent[0]!.bytes.buffer));
  assert.deepEqual([toRight!.getUint16(0), toRight!.getUint32(2)], [0xffff, 0xffffffff]);
  assert.deepEqual([toLeft!.getUint16(0), toLeft!.getUint32(2)], [0xffff, 0xffffffff]);
  assert.deepEqual([left.sent.length, right.sent.length], [1, 1]);
  assert.equal(lab.deliveries.length, 2, 'and to this stack');
  assert.equal(lab.close(), 0);
});

test('a host without any link cannot send broadcasts', () => {
  const { lab } = makeRouter();
  const lonely = lab.l3.createStack();
  lab.send(lonely, udpPacket({ source: '0.0.0.0', destination: '255.255.255.255' }));
  assert.equal(lab.count('ip4-multicast', 'no interface'), 1);
  assert.equal(lab.close(), 0);
});

test('options travel on; source routes are dropped (RFC 7126 section 4.3), broken ones answered (RFC 1122 section 3.2.2.5)', () => {
  const { lab, left, right, bring } = makeRouter();
  bring(udpPacket({ ...THROUGH, options: [148, 4, 0, 0] }));
  assert.equal(right.sent.length, 1);
  assert.equal(right.sent[0]!.bytes[14], 0x46);
  bring(udpPacket({ ...THROUGH, options: [131, 7, 4, 10, 0, 0, 7, 0] }));
  bring(udpPacket({ ...THROUGH, options: [137, 7, 4, 10, 0, 0, 7, 0] }));
  assert.equal(lab.count('ip4-input', 'source route'), 2);
  bring(udpPacket({ ...THROUGH, options: [68, 40, 0, 0] }));
  assert.equal(lab.count('ip4-input', 'bad options'), 1);
  const view = new DataView(left.sent[0]!.bytes.buffer);
  assert.equal(view.getUint8(34), Icmpv4Type.parameterProblem);
  assert.equal(view.getUint8(38), 20, 'the pointer');
  assert.equal(right.sent.length, 1);
  assert.equal(lab.close(), 0);
});

test('both directions of a flow have the same hash', () => {
  const { lab, bring } = makeRouter();
  bring(udpPacket({ source: '10.0.0.9', destination: '10.0.0.1' }, 1111, 2222));
  bring(udpPacket({ source: '10.0.0.9', destination: '10.0.0.1' }, 1111, 2223));
  const [first, second] = lab.deliveries;
  assert.notEqual(first!.flowHash, 0);
  assert.notEqual(first!.flowHash, second!.flowHash);
  const view = new DataView(first!.bytes.buffer);
  assert.equal(formatIpv4(view.getUint32(12)), '10.0.0.9');
  assert.equal(lab.close(), 0);
});

test('a link without link addresses: packets begin with the IP header on both sides', () => {
  const { lab, stack } = makeRouter();
  const tun = new RecordingDevice(lab.pool, 'ip');
  lab.addInterface(stack, 'tun0', tun, ['10.0.2.1/24']);
  tun.bring(udpPacket({ source: '10.0.2.5', destination: '10.0.1.9' }));
  lab.settle();
  lab.send(stack, udpPacket({ source: '10.0.2.1', destination: '10.0.2.200' }));
  assert.equal(tun.sent.length, 1);
  assert.equal(tun.sent[0]!.bytes[0], 0x45);
  assert.equal(lab.interfaces.txPackets[2], 2, 'the announcement and the packet');
  assert.equal(lab.close(), 0);
});
