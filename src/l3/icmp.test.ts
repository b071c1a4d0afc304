import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../wire/address.js';
import {
  ICMPV4_MAX_ERROR_BYTES,
  Icmpv4Type,
  Icmpv4Unreachable,
  isIcmpv4ChecksumValid,
  writeIcmpv4Error,
} from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { Ipv4Flag, isIpv4ChecksumValid } from '../wire/ipv4.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { arpFrame, echoPacket, frame, ipv4Packet, udpPacket } from './testing/packets.js';

/** A router; the test is station 10.0.0.9 on its left link. Nothing leads to 192.0.2.0/24. */
function makeRouter(limits = {}) {
  const lab = new L3Lab(limits);
  const stack = lab.l3.createStack({ forwarding: true });
  const { tap } = lab.addTap(stack, 'left', ['10.0.0.1/24']);
  tap.bring(arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' }));
  lab.settle();
  tap.sent.length = 0;
  const bring = (packet: Uint8Array, toMac = 1, toHi = 0x0200): void => {
    tap.bring(frame(packet, toMac, 0x0800, 1, toHi));
    lab.settle();
  };
  /** The last packet sent, without its link header. */
  const last = (): Uint8Array => tap.sent.at(-1)!.bytes.slice(14);
  return { lab, stack, tap, bring, last };
}

const NO_ROUTE = { source: '10.0.0.9', destination: '192.0.2.7' };

/** An ICMP error that quotes `quote`, from 10.0.0.9 to the router. */
function errorPacket(quote: Uint8Array, type: number, code: number, rest = 0, source = '10.0.0.9'): Uint8Array {
  const message = new Uint8Array(8 + quote.length);
  message.set(quote, 8);
  writeIcmpv4Error(new DataView(message.buffer), 0, type, code, rest, message.length);
  return ipv4Packet({ source, destination: '10.0.0.1', protocol: IpProtocol.icmp, payload: message });
}

test('an error quotes the header and as much as fits into 576 bytes (RFC 1812 section 4.3.2.3)', () => {
  const { lab, bring, last } = makeRouter();
  const packet = udpPacket({ ...NO_ROUTE, payload: new Uint8Array(1200).fill(7) });
  bring(packet);
  const error = last();
  const view = new DataView(error.buffer);
  assert.equal(error.length, ICMPV4_MAX_ERROR_BYTES);
  assert.ok(isIpv4ChecksumValid(view, 0));
  assert.ok(isIcmpv4ChecksumValid(view, 20, error.length - 20));
  assert.deepEqual([error[20], error[21]], [Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.network]);
  assert.equal(formatIpv4(view.getUint32(12)), '10.0.0.1');
  assert.equal(formatIpv4(view.getUint32(16)), '10.0.0.9');
  assert.equal(error[1], 0xc0, 'precedence 6 (RFC 1812 section 4.3.2.5)');
  assert.deepEqual(error.subarray(28), packet.subarray(0, 548));
  assert.equal(lab.close(), 0);
});

test('a short packet is quoted whole', () => {
  const { lab, bring, last } = makeRouter();
  const packet = udpPacket(NO_ROUTE);
  bring(packet);
  assert.deepEqual(last().subarray(28), packet);
  assert.equal(lab.close(), 0);
});

const FORBIDDEN: readonly [string, Uint8Array, number?, number?][] = [
  ['an ICMP error message', ipv4Packet({ ...NO_ROUTE, protocol: 1, payload: Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0) })],
  ['a fragment other than the first', ipv4Packet({ ...NO_ROUTE, fragmentField: 5 })],
  [
    'a packet to a broadcast address',
    ipv4Packet({ source: '10.0.0.9', destination: '10.0.0.255' }),
    0xffffffff,
    0xffff,
  ],
  ['a packet to a group', ipv4Packet({ source: '10.0.0.9', destination: '224.0.0.1' }), 0x5e000001, 0x0100],
  ['a packet from a broadcast address', udpPacket({ ...NO_ROUTE, source: '10.0.0.255' })],
];

for (const [name, packet, toMac, toHi] of FORBIDDEN) {
  test(`no error about ${name} (RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.7)`, () => {
    const { lab, tap, bring } = makeRouter();
    bring(packet, toMac, toHi);
    assert.equal(lab.count('ip4-icmp-error', 'not allowed'), 1);
    assert.equal(tap.sent.length, 0);
    assert.equal(lab.close(), 0);
  });
}

test('an echo request that finds no route is answered: it is no error message', () => {
  const { lab, bring, last } = makeRouter();
  bring(echoPacket(NO_ROUTE));
  assert.equal(last()[20], Icmpv4Type.destinationUnreachable);
  assert.equal(lab.close(), 0);
});

test('errors are limited by a token bucket per stack (RFC 1812 section 4.3.2.8)', () => {
  const { lab, tap, bring } = makeRouter({ icmpErrorsPerSecond: 100, icmpErrorBurst: 10 });
  for (let i = 0; i < 50; i++) bring(udpPacket(NO_ROUTE));
  assert.equal(tap.sent.length, 10);
  lab.run(100);
  for (let i = 0; i < 50; i++) bring(udpPacket(NO_ROUTE));
  assert.equal(tap.sent.length, 20);
  assert.equal(lab.count('ip4-icmp-error', 'rate limited'), 80);
  assert.equal(lab.close(), 0);
});

test('an unknown protocol is answered from the address that was asked (RFC 1122 sections 3.2.2 and 3.2.2.1)', () => {
  const { lab, bring, last } = makeRouter();
  lab.addAddress(1, '10.0.7.1/24');
  bring(ipv4Packet({ source: '10.0.0.9', destination: '10.0.7.1', protocol: 253 }));
  assert.deepEqual([last()[20], last()[21]], [Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.protocol]);
  assert.equal(formatIpv4(new DataView(last().buffer).getUint32(12)), '10.0.7.1');
  assert.equal(lab.close(), 0);
});

test('an echo request is answered with its data, from the address it was sent to (RFC 1122 section 3.2.2.6)', () => {
  const { lab, bring, last } = makeRouter();
  const data = Uint8Array.from({ length: 101 }, (_, i) => i);
  bring(
    echoPacket({ source: '10.0.0.9', destination: '10.0.0.1', payload: data, ttl: 3, trafficClass: 8 }, 0xbeef, 77),
  );
  const reply = last();
  const view = new DataView(reply.buffer);
  assert.ok(isIpv4ChecksumValid(view, 0));
  assert.ok(isIcmpv4ChecksumValid(view, 20, reply.length - 20));
  assert.deepEqual(
    [reply[20], view.getUint16(24), view.getUint16(26), reply[8]],
    [Icmpv4Type.echoReply, 0xbeef, 77, 64],
  );
  assert.deepEqual(reply.subarray(28), data);
  assert.equal(formatIpv4(view.getUint32(12)), '10.0.0.1');
  assert.equal(lab.close(), 0);
});

test('an echo request to a broadcast or a group is not answered (RFC 1122 section 3.2.2.6)', () => {
  const { lab, tap, bring } = makeRouter();
  bring(echoPacket({ source: '10.0.0.9', destination: '10.0.0.255' }), 0xffffffff, 0xffff);
  bring(echoPacket({ source: '10.0.0.9', destination: '224.0.0.1' }), 0x5e000001, 0x0100);
  assert.equal(lab.count('icmp4-input', 'echo request to a group'), 2);
  assert.equal(tap.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('bad, unknown and unwanted messages are dropped (RFC 1122 section 3.2.2, RFC 6633)', () => {
  const { lab, tap, bring } = makeRouter();
  const broken = echoPacket({ source: '10.0.0.9', destination: '10.0.0.1' });
  broken[30] = 0xff;
  bring(broken);
  bring(errorPacket(new Uint8Array(0), 42, 0));
  bring(errorPacket(udpPacket({ source: '10.0.0.1', destination: '192.0.2.1' }), Icmpv4Type.redirect, 0));
  bring(errorPacket(udpPacket({ source: '10.0.0.1', destination: '192.0.2.1' }), Icmpv4Type.sourceQuench, 0));
  bring(errorPacket(new Uint8Array(20), Icmpv4Type.destinationUnreachable, 1));
  bring(ipv4Packet({ source: '10.0.0.9', destination: '10.0.0.1', protocol: 1, payload: Uint8Array.of(8, 0, 0) }));
  const counters = ['bad checksum', 'unknown type', 'ignored type', 'bad quoted packet', 'short'];
  assert.deepEqual(
    counters.map((name) => lab.count('icmp4-input', name)),
    [1, 1, 2, 1, 1],
  );
  assert.equal(tap.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('errors reach the transport of the packet they quote; only ours are believed (RFC 1122 section 3.2.2, RFC 5927 section 4)', () => {
  const { lab, stack, bring } = makeRouter();
  const told: unknown[] = [];
  lab.l3.onIcmpError(IpProtocol.udp, (toStack, type, code, info, quoteAt, quoteBytes, from) => {
    told.push([toStack, type, code, info, lab.pool.view.getUint16(quoteAt + 20), quoteBytes, formatIpv4(from)]);
    return true;
  });
  const ours = udpPacket({ source: '10.0.0.1', destination: '192.0.2.1' });
  bring(errorPacket(ours, Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.port, 0, '10.0.0.7'));
  bring(errorPacket(udpPacket({ source: '10.0.0.8', destination: '192.0.2.1' }), 3, 3));
  bring(errorPacket(ipv4Packet({ source: '10.0.0.1', destination: '192.0.2.1' }), 3, 2));
  assert.deepEqual(told, [[stack, 3, 3, 0, 4000, ours.length, '10.0.0.7']]);
  assert.equal(lab.count('icmp4-input', 'quoted packet not ours'), 1);
  assert.equal(lab.count('icmp4-input', 'not awaited'), 1, 'nobody registered for the protocol');
  assert.equal(lab.close(), 0);
});

const MTU_CLAIMS: readonly [string, number, number, number][] = [
  ['as claimed', 1400, 1500, 1400],
  ['at least 552', 68, 1500, 552],
  ['from the table of plateaus when the router is old, RFC 1191 section 7.1', 0, 1500, 1492],
  ['the next plateau below', 0, 1492, 1006],
];

for (const [name, claimed, quotedBytes, expected] of MTU_CLAIMS) {
  test(`path MTU: ${name} (RFC 1191)`, () => {
    const { lab, stack, bring } = makeRouter();
    lab.addRoute(stack, '192.0.2.0/24', { via: ip('10.0.0.9') });
    const infos: number[] = [];
    let isGenuine = false;
    lab.l3.onIcmpError(IpProtocol.udp, (_stack, _type, _code, info) => {
      infos.push(info);
      return isGenuine;
    });
    const quote = udpPacket({ source: '10.0.0.1', destination: '192.0.2.1', fragmentField: Ipv4Flag.dontFragment });
    new DataView(quote.buffer).setUint16(2, quotedBytes);
    const error = errorPacket(quote, 3, Icmpv4Unreachable.fragmentationNeeded, claimed);
    bring(error);
    assert.deepEqual(infos, [expected]);
    assert.equal(lab.l3.pathMtu(stack, ip('192.0.2.1')), 1500, 'the transport did not vouch for it');
    isGenuine = true;
    bring(error);
    assert.equal(lab.l3.pathMtu(stack, ip('192.0.2.1')), expected);
    assert.equal(lab.l3.pathMtu(stack, ip('192.0.2.2')), 1500);
    assert.equal(lab.close(), 0);
  });
}

test('echo replies that nobody waits for are dropped, forged ones too', () => {
  const { lab, stack, tap, bring } = makeRouter();
  const results: string[] = [];
  lab.l3.ping(stack, ip('10.0.0.9'), {}, (result) => results.push(result.kind));
  lab.settle();
  const request = tap.sent.at(-1)!.bytes.slice(14);
  const reply = (source: string, change = 0): Uint8Array => {
    const payload = request.slice(20);
    payload[0] = Icmpv4Type.echoReply;
    const view = new DataView(payload.buffer);
    view.setUint16(4, view.getUint16(4) ^ change);
    view.setUint16(2, 0);
    let sum = 0;
    for (let i = 0; i < payload.length; i += 2) sum += view.getUint16(i);
    view.setUint16(2, ~((sum & 0xffff) + (sum >>> 16)));
    return ipv4Packet({ source, destination: '10.0.0.1', protocol: 1, payload });
  };
  bring(reply('10.0.0.9', 1));
  bring(reply('10.0.0.8'));
  assert.deepEqual(results, []);
  bring(reply('10.0.0.9'));
  bring(reply('10.0.0.9'));
  assert.deepEqual(results, ['reply']);
  assert.equal(lab.count('icmp4-input', 'not awaited'), 3);
  assert.equal(lab.close(), 0);
});

test('pings run out of time, and are limited in number', () => {
  const { lab, stack } = makeRouter();
  const kinds: string[] = [];
  lab.addRoute(stack, '192.0.2.0/24', { kind: 'blackhole' });
  let accepted = 0;
  for (let i = 0; i < 1100; i++)
    if (lab.l3.ping(stack, ip('192.0.2.1'), {}, ({ kind }) => kinds.push(kind))) accepted++;
  assert.equal(accepted, 1024);
  lab.run(1001);
  assert.equal(kinds.length, 1024);
  assert.ok(kinds.every((kind) => kind === 'timeout'));
  assert.ok(lab.l3.ping(stack, ip('192.0.2.1'), {}, () => {}));
  assert.equal(lab.close(), 0);
});
