import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, randomBelow, seededRandom } from '../base/random.js';
import { formatIpv4 } from '../wire/address.js';
import { Icmpv4TimeExceeded, Icmpv4Type } from '../wire/icmpv4.js';
import { Ecn, Ipv4Flag, isIpv4ChecksumValid } from '../wire/ipv4.js';
import { isUdpChecksumValidIpv4 } from '../wire/udp.js';
import { REASSEMBLY_TIMEOUT_MS } from './reassembly-table.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { arpFrame, frame, type Ipv4PacketOptions, ipv4Packet, udpPacket } from './testing/packets.js';

const ADDRESSES = { source: '10.0.0.9', destination: '10.0.0.1' };

function makeHost(limits = {}) {
  const lab = new L3Lab(limits);
  const stack = lab.l3.createStack();
  const { tap } = lab.addTap(stack, 'eth0', ['10.0.0.1/24']);
  tap.bring(arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' }));
  lab.settle();
  tap.sent.length = 0;
  const bring = (...packets: Uint8Array[]): void => {
    tap.bring(...packets.map((packet) => frame(packet, 1)));
    lab.settle();
  };
  return { lab, tap, bring };
}

interface Piece {
  from: number;
  to: number;
}

/** A fragment of a payload. */
function fragment(payload: Uint8Array, { from, to }: Piece, options: Partial<Ipv4PacketOptions> = {}): Uint8Array {
  const more = to < payload.length ? Ipv4Flag.moreFragments : 0;
  const fragmentField = more | (from >>> 3);
  return ipv4Packet({ ...ADDRESSES, protocol: 17, fragmentField, ...options, payload: payload.subarray(from, to) });
}

/** A UDP datagram's bytes behind the IP header. */
function datagram(bytes: number, seed = 1): Uint8Array {
  const data = Uint8Array.from({ length: bytes - 8 }, (_, i) => (i * 7 + seed) & 255);
  return udpPacket({ ...ADDRESSES, payload: data }).subarray(20);
}

function randomPieces(random: Random, bytes: number): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < bytes; ) {
    const to = Math.min(bytes, from + 8 * (1 + randomBelow(random, Math.max(4, bytes >> 7))));
    pieces.push({ from, to });
    from = to;
  }
  return pieces;
}

function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}

test('random fragmentations in any order, with duplicates, give the datagram back (RFC 791 section 3.2)', () => {
  const random = seededRandom(11);
  const { lab, bring } = makeHost();
  for (let round = 0; round < 150; round++) {
    const bytes = 16 + randomBelow(random, round % 10 === 0 ? 65_400 : 6000);
    const payload = datagram(bytes, round);
    const pieces = randomPieces(random, bytes);
    const copies = pieces.filter(() => randomBelow(random, 4) === 0);
    const order = shuffle(random, [...pieces, ...copies]);
    // A copy that comes after the last missing piece begins a datagram anew, which is given up by its timeout.
    for (const piece of order) bring(fragment(payload, piece, { identification: round }));
    assert.equal(lab.deliveries.length, 1, `round ${round}`);
    const { bytes: whole, node, transportOffset } = lab.deliveries.pop()!;
    const view = new DataView(whole.buffer);
    assert.equal(node, 'udp4-input');
    assert.equal(transportOffset, 20);
    assert.ok(isIpv4ChecksumValid(view, 0));
    assert.deepEqual(whole.subarray(20), payload);
    assert.ok(isUdpChecksumValidIpv4(view, 20, payload.length, ip('10.0.0.9'), ip('10.0.0.1')));
  }
  lab.run(REASSEMBLY_TIMEOUT_MS + 1);
  assert.equal(lab.l3.reassembly.slotsInUse, 0);
  assert.equal(lab.close(), 0);
});

test('datagrams of different identification, protocol, source or destination are kept apart (RFC 791 section 3.2)', () => {
  const { lab, bring } = makeHost();
  const payload = datagram(64);
  const [head, tail] = [
    { from: 0, to: 32 },
    { from: 32, to: 64 },
  ];
  bring(fragment(payload, head, { identification: 1 }));
  bring(fragment(payload, tail, { identification: 2 }));
  bring(fragment(payload, tail, { identification: 1, protocol: 6 }));
  bring(fragment(payload, tail, { identification: 1, source: '10.0.0.8' }));
  assert.equal(lab.deliveries.length, 0);
  bring(fragment(payload, tail, { identification: 1 }));
  assert.equal(lab.deliveries.length, 1);
  assert.equal(lab.close(), 0);
});

test('an overlapping fragment ends the datagram (RFC 5722 section 4)', () => {
  const { lab, bring } = makeHost();
  const payload = datagram(96);
  bring(fragment(payload, { from: 0, to: 48 }));
  bring(fragment(payload, { from: 40, to: 64 }));
  bring(fragment(payload, { from: 48, to: 96 }));
  assert.equal(lab.count('ip4-reassembly', 'overlap'), 1);
  assert.equal(lab.deliveries.length, 0);
  assert.equal(lab.close(), 0);
});

test('bytes behind the end, or two ends, end the datagram', () => {
  const { lab, bring } = makeHost();
  const payload = datagram(96);
  bring(fragment(payload.subarray(0, 64), { from: 48, to: 64 }, { identification: 1 }));
  bring(fragment(payload, { from: 64, to: 80 }, { identification: 1 }));
  bring(fragment(payload.subarray(0, 64), { from: 48, to: 64 }, { identification: 2 }));
  bring(fragment(payload.subarray(0, 40), { from: 32, to: 40 }, { identification: 2 }));
  assert.equal(lab.count('ip4-reassembly', 'overlap'), 2);
  assert.equal(lab.l3.reassembly.slotsInUse, 0);
  assert.equal(lab.close(), 0);
});

test('fragments that reach beyond 65,535 bytes or have an odd length are dropped (RFC 791 section 3.1)', () => {
  const { lab, bring } = makeHost();
  const payload = new Uint8Array(100);
  bring(ipv4Packet({ ...ADDRESSES, protocol: 17, fragmentField: 0x1fff, payload }));
  bring(
    ipv4Packet({ ...ADDRESSES, protocol: 17, fragmentField: Ipv4Flag.moreFragments, payload: payload.subarray(0, 9) }),
  );
  assert.equal(lab.count('ip4-reassembly', 'malformed'), 2);
  assert.equal(lab.close(), 0);
});

test('after 30 s the first fragment is answered with "time exceeded" (RFC 1122 section 3.3.2, RFC 792)', () => {
  const { lab, tap, bring } = makeHost();
  const payload = datagram(96);
  bring(fragment(payload, { from: 0, to: 48 }));
  lab.run(REASSEMBLY_TIMEOUT_MS - 10);
  assert.equal(tap.sent.length, 0);
  lab.run(20);
  assert.equal(lab.l3.reassembly.timeouts, 1);
  const view = new DataView(tap.sent.at(-1)!.bytes.buffer);
  assert.equal(formatIpv4(view.getUint32(30)), '10.0.0.9');
  assert.deepEqual([view.getUint8(34), view.getUint8(35)], [Icmpv4Type.timeExceeded, Icmpv4TimeExceeded.reassembly]);
  assert.equal(view.getUint16(42 + 2), 68, 'quotes the first fragment');
  assert.equal(lab.close(), 0);
});

test('without the first fragment nothing is sent after the timeout (RFC 1122 section 3.3.2)', () => {
  const { lab, tap, bring } = makeHost();
  bring(fragment(datagram(96), { from: 48, to: 96 }));
  lab.run(REASSEMBLY_TIMEOUT_MS + 10);
  assert.equal(lab.l3.reassembly.timeouts, 1);
  assert.equal(tap.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('one source cannot take all the room, and slots stay bounded', () => {
  const { lab, bring } = makeHost({ reassemblies: 64, reassemblySlots: 40 });
  const payload = datagram(96);
  for (let id = 0; id < 500; id++) bring(fragment(payload, { from: 0, to: 48 }, { identification: id }));
  assert.equal(lab.l3.reassembly.slotsInUse, 32);
  bring(fragment(payload, { from: 0, to: 48 }, { identification: 9000, source: '10.0.0.7' }));
  bring(fragment(payload, { from: 48, to: 96 }, { identification: 9000, source: '10.0.0.7' }));
  assert.equal(lab.deliveries.length, 1);
  for (let source = 20; source < 220; source++) {
    bring(fragment(payload, { from: 0, to: 48 }, { source: `10.0.0.${source}` }));
    assert.ok(lab.l3.reassembly.slotsInUse <= 40);
  }
  assert.ok(lab.l3.reassembly.evictions > 600);
  assert.equal(lab.close(), 0);
});

test('very many small pieces end the datagram', () => {
  const { lab, bring } = makeHost();
  const payload = datagram(2048);
  for (let from = 0; from < 1040; from += 8) bring(fragment(payload, { from, to: from + 8 }));
  assert.equal(lab.count('ip4-reassembly', 'too many pieces'), 1);
  assert.equal(lab.close(), 0);
});

test('congestion marks survive; together with "not capable" they end the datagram (RFC 3168 section 5.3)', () => {
  const { lab, bring } = makeHost();
  const payload = datagram(64);
  const [head, tail] = [
    { from: 0, to: 32 },
    { from: 32, to: 64 },
  ];
  bring(fragment(payload, head, { identification: 1, trafficClass: Ecn.capable0 }));
  bring(fragment(payload, tail, { identification: 1, trafficClass: Ecn.congestionExperienced }));
  assert.equal(lab.deliveries[0]!.bytes[1], Ecn.congestionExperienced);
  bring(fragment(payload, head, { identification: 2, trafficClass: Ecn.notCapable }));
  bring(fragment(payload, tail, { identification: 2, trafficClass: Ecn.congestionExperienced }));
  assert.equal(lab.count('ip4-reassembly', 'bad ecn'), 1);
  assert.equal(lab.close(), 0);
});
