/** A host, a router and a host, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../wire/address.js';
import { Icmpv4TimeExceeded, Icmpv4Type, Icmpv4Unreachable } from '../wire/icmpv4.js';
import { Ipv4Flag } from '../wire/ipv4.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { arpFrame, frame, udpPacket } from './testing/packets.js';

interface Net {
  lab: L3Lab;
  left: number;
  router: number;
  right: number;
  rightInterface: number;
}

/** left 10.0.0.2 ── 10.0.0.1 router 10.0.1.1 ── 10.0.1.2 right */
function makeNet(mtu = 1500): Net {
  const lab = new L3Lab();
  const left = lab.l3.createStack();
  const router = lab.l3.createStack({ forwarding: true });
  const right = lab.l3.createStack();
  lab.join(
    { stack: left, name: 'eth0', address: '10.0.0.2/24' },
    { stack: router, name: 'left', address: '10.0.0.1/24' },
  );
  const [, rightInterface] = lab.join(
    { stack: router, name: 'right', address: '10.0.1.1/24', mtu },
    { stack: right, name: 'eth0', address: '10.0.1.2/24', mtu },
  );
  lab.addRoute(left, '0.0.0.0/0', { via: ip('10.0.0.1') });
  lab.addRoute(right, '0.0.0.0/0', { via: ip('10.0.1.1') });
  lab.settle();
  return { lab, left, router, right, rightInterface };
}

test('an echo request crosses the router and is answered (RFC 792, RFC 1122 section 3.2.2.6)', () => {
  const { lab, left } = makeNet();
  const results = lab.ping(left, '10.0.1.2');
  lab.run(10);
  assert.equal(results.length, 1);
  const [result] = results;
  assert.ok(result?.kind === 'reply');
  assert.equal(formatIpv4(result.from), '10.0.1.2');
  assert.equal(result.bytes, 56);
  assert.equal(result.ttl, 63);
  assert.equal(lab.close(), 0);
});

test('ARP is asked once per neighbor, and packets that waited are sent (RFC 1122 section 2.3.2.2)', () => {
  const { lab, left } = makeNet();
  const results = [lab.ping(left, '10.0.1.2'), lab.ping(left, '10.0.1.2'), lab.ping(left, '10.0.1.2')];
  lab.run(10);
  assert.deepEqual(
    results.map((each) => each[0]?.kind),
    ['reply', 'reply', 'reply'],
  );
  // left asks for the router, the router for right; their replies teach the way back.
  assert.equal(lab.count('arp-input', 'replies'), 2);
  assert.equal(lab.close(), 0);
});

test('time exceeded shows each router on the way (RFC 1812 section 5.3.1)', () => {
  const { lab, left } = makeNet();
  const results = lab.ping(left, '10.0.1.2', { ttl: 1 });
  lab.run(10);
  const [result] = results;
  assert.ok(result?.kind === 'error');
  assert.equal(formatIpv4(result.from), '10.0.0.1');
  assert.equal(result.type, Icmpv4Type.timeExceeded);
  assert.equal(result.code, Icmpv4TimeExceeded.ttl);
  assert.equal(lab.close(), 0);
});

test('a packet whose TTL ends at a router asks for no neighbor there (RFC 1812 section 5.3.1)', () => {
  const { lab, left } = makeNet();
  const results = lab.ping(left, '10.0.1.77', { ttl: 1 });
  lab.run(10);
  assert.ok(results[0]?.kind === 'error' && results[0].type === Icmpv4Type.timeExceeded);
  assert.equal(lab.l3.neighbors.requestsSent, 4 + 1, 'four announcements, and one for the way back');
  assert.equal(lab.close(), 0);
});

test('VRFs of one stack have addresses and routes of their own', () => {
  const lab = new L3Lab();
  const stack = lab.l3.createStack({ forwarding: true });
  const red = lab.l3.createVrf(stack);
  const { tap: first } = lab.addTap(stack, 'first', ['10.0.0.1/24']);
  const { tap: second, index } = lab.addTap(stack, 'second', []);
  lab.l3.removeInterface(index);
  lab.l3.addInterface(index, red);
  lab.addAddress(index, '10.0.0.1/24');
  lab.l3.addRoute(red, ip('192.0.2.0'), 24, { kind: 'prohibit' });
  lab.settle();
  const request = arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' });
  for (const tap of [first, second]) {
    tap.bring(request);
    lab.settle();
    tap.sent.length = 0;
  }
  const packet = udpPacket({ source: '10.0.0.9', destination: '192.0.2.1' });
  first.bring(frame(packet, 1));
  second.bring(frame(packet, 2));
  lab.settle();
  const [one, two] = [first, second].map(({ sent }) => sent.map(({ bytes }) => bytes[35]));
  assert.deepEqual(one, [Icmpv4Unreachable.network]);
  assert.deepEqual(two, [Icmpv4Unreachable.administrativelyProhibited]);
  assert.throws(() => lab.addAddress(index, '10.0.0.1/8'), { code: 'USERNET_ADDRESS_IN_USE' });
  for (const each of [1, index]) lab.l3.removeInterface(each);
  lab.l3.removeStack(stack);
  assert.equal(lab.l3.createStack(), stack);
  assert.equal(lab.close(), 0);
});

test('a packet with "do not fragment" for a narrow link is answered with its MTU, which is used from then on (RFC 1191)', () => {
  const { lab, left } = makeNet(1000);
  assert.equal(lab.l3.pathMtu(left, ip('10.0.1.2')), 1500);
  const results = lab.ping(left, '10.0.1.2', { bytes: 1400, dontFragment: true });
  lab.run(10);
  const [result] = results;
  assert.ok(result?.kind === 'error');
  assert.equal(result.type, Icmpv4Type.destinationUnreachable);
  assert.equal(result.code, Icmpv4Unreachable.fragmentationNeeded);
  assert.equal(result.info, 1000);
  assert.equal(lab.l3.pathMtu(left, ip('10.0.1.2')), 1000);
  lab.run(600_001);
  assert.equal(lab.l3.pathMtu(left, ip('10.0.1.2')), 1500, 'forgotten after ten minutes (RFC 1191 section 6.3)');
  assert.equal(lab.close(), 0);
});

test('packets that may be fragmented cross a narrow link and come back whole (RFC 791 section 3.2)', () => {
  const { lab, left } = makeNet(300);
  const results = lab.ping(left, '10.0.1.2', { bytes: 1400 });
  lab.run(10);
  const [result] = results;
  assert.ok(result?.kind === 'reply');
  assert.equal(result.bytes, 1400);
  assert.equal(
    lab.count('ip4-reassembly', 'reassembled'),
    2,
    'the request at the right end, the reply at the left one',
  );
  assert.equal(lab.close(), 0);
});

test('a datagram of 65,507 bytes of data makes the round trip in fragments', () => {
  const { lab, left } = makeNet();
  const results = lab.ping(left, '10.0.1.2', { bytes: 65_507 });
  lab.run(10);
  assert.ok(results[0]?.kind === 'reply');
  assert.equal(results[0].bytes, 65_507);
  assert.equal(lab.close(), 0);
});

test('a neighbor that does not answer three requests is unreachable: ICMP from the router (RFC 1812 section 4.3.3.1)', () => {
  const { lab, left } = makeNet();
  const results = lab.ping(left, '10.0.1.77', { timeoutMs: 10_000 });
  lab.run(2900);
  assert.equal(results.length, 0);
  lab.run(200);
  const [result] = results;
  assert.ok(result?.kind === 'error');
  assert.equal(formatIpv4(result.from), '10.0.0.1');
  assert.equal(result.type, Icmpv4Type.destinationUnreachable);
  assert.equal(result.code, Icmpv4Unreachable.host);
  assert.equal(lab.close(), 0);
});

test('a local sender learns of a dead neighbor without ICMP (RFC 1122 section 3.3.1.4)', () => {
  const { lab, left } = makeNet();
  const told: number[][] = [];
  lab.l3.onIcmpError(17, (stack, type, code, info, quoteAt, quoteBytes, from) => {
    told.push([stack, type, code, info, lab.pool.view.getUint32(quoteAt + 16), quoteBytes, from]);
    return true;
  });
  const packet = udpPacket({ source: '10.0.0.2', destination: '10.0.0.99' });
  lab.send(left, packet);
  lab.run(3100);
  const code = Icmpv4Unreachable.host;
  assert.deepEqual(told, [[left, Icmpv4Type.destinationUnreachable, code, 0, ip('10.0.0.99'), packet.length, 0]]);
  assert.equal(lab.count('ip4-icmp-error', 'sent'), 0);
  assert.equal(lab.close(), 0);
});

test('routes of the kinds blackhole, unreachable and prohibit (RFC 1812 sections 5.2.7.1 and 5.3.9)', () => {
  const { lab, left, router } = makeNet();
  lab.addRoute(router, '192.0.2.0/26', { kind: 'blackhole' });
  lab.addRoute(router, '192.0.2.64/26', { kind: 'unreachable' });
  lab.addRoute(router, '192.0.2.128/26', { kind: 'prohibit' });
  const results = ['192.0.2.1', '192.0.2.65', '192.0.2.129', '192.0.2.193'].map((to) => lab.ping(left, to));
  lab.run(2000);
  assert.deepEqual(
    results.map(([each]) => (each?.kind === 'error' ? each.code : each?.kind)),
    ['timeout', Icmpv4Unreachable.host, Icmpv4Unreachable.administrativelyProhibited, Icmpv4Unreachable.network],
  );
  assert.equal(lab.count('ip4-null', 'blackhole'), 1);
  assert.equal(lab.close(), 0);
});

test('a host drops silently what is not for it (RFC 1122 section 3.2.1.3)', () => {
  const { lab, left, right, rightInterface } = makeNet();
  const results = lab.ping(left, '10.0.1.2');
  lab.run(10);
  assert.equal(results[0]?.kind, 'reply');
  // right has lost its address, but the router still knows the station.
  lab.l3.removeAddress(rightInterface, ip('10.0.1.2'));
  lab.addAddress(rightInterface, '10.0.1.3/24');
  lab.addRoute(right, '0.0.0.0/0', { via: ip('10.0.1.1') });
  const again = lab.ping(left, '10.0.1.2');
  lab.run(2000);
  assert.equal(again[0]?.kind, 'timeout');
  assert.equal(lab.count('ip4-lookup', 'not forwarding'), 1);
  assert.equal(lab.close(), 0);
});

test('a stack reaches itself through its loopback interface, by any of its addresses (RFC 1122 section 3.2.1.3)', () => {
  const { lab, left } = makeNet();
  const lo = lab.addLoopback(left);
  const results = ['127.0.0.1', '127.1.2.3', '10.0.0.2'].map((to) => lab.ping(left, to));
  lab.run(10);
  assert.deepEqual(
    results.map(([each]) => each?.kind),
    ['reply', 'reply', 'reply'],
  );
  assert.equal(lab.interfaces.txPackets[lo], 6);
  assert.equal(lab.l3.selectSource(left, ip('127.0.0.1')), ip('127.0.0.1'));
  assert.equal(lab.close(), 0);
});

test('without a loopback interface own addresses work as well', () => {
  const { lab, left } = makeNet();
  const results = lab.ping(left, '10.0.0.2');
  lab.run(10);
  assert.equal(results[0]?.kind, 'reply');
  assert.equal(lab.close(), 0);
});

test('routes go with an interface that is switched off and come back with it', () => {
  const { lab, left, router } = makeNet();
  const index = lab.interfaces.find(router, 'right');
  lab.l3.setInterfaceUp(index, false);
  const down = lab.ping(left, '10.0.1.2');
  lab.run(10);
  assert.ok(down[0]?.kind === 'error' && down[0].code === Icmpv4Unreachable.network);
  lab.l3.setInterfaceUp(index, true);
  const up = lab.ping(left, '10.0.1.2');
  lab.run(10);
  assert.equal(up[0]?.kind, 'reply');
  assert.equal(lab.close(), 0);
});

test('interfaces and stacks leave nothing behind', () => {
  const { lab, left, router, right } = makeNet();
  const results = lab.ping(left, '10.0.1.2');
  lab.run(10);
  assert.equal(results[0]?.kind, 'reply');
  for (const stack of [left, router, right]) {
    for (let index = lab.interfaces.end - 1; index > 0; index--) {
      if (lab.interfaces.devices[index] === undefined || lab.interfaces.stack[index] !== stack) continue;
      lab.l3.removeInterface(index);
      lab.interfaces.remove(index);
    }
    lab.l3.removeStack(stack);
  }
  lab.settle();
  // Only the shared rows are left, and no entry of the tables.
  assert.equal(lab.l3.adjacencies.count, 8);
  assert.equal(lab.l3.fib.blockBytes, 0);
  const again = lab.l3.createStack();
  assert.equal(again, left);
  assert.equal(lab.l3.routeErrno(again, ip('10.0.1.2')), 'ENETUNREACH');
  assert.equal(lab.close(), 0);
});

test('what a stack may send where: errors for connect (RFC 1122 section 3.3.1)', () => {
  const { lab, left, router } = makeNet();
  lab.addRoute(router, '192.0.2.64/26', { kind: 'unreachable' });
  lab.addRoute(router, '192.0.2.128/26', { kind: 'prohibit' });
  lab.addRoute(router, '192.0.2.0/26', { kind: 'blackhole' });
  const errnos = ['10.0.0.2', '198.51.100.1', '192.0.2.65', '192.0.2.129', '192.0.2.1', '240.0.0.1'];
  assert.deepEqual(
    errnos.map((to) => lab.l3.routeErrno(router, ip(to))),
    [undefined, 'ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL', 'EINVAL'],
  );
  assert.equal(lab.l3.routeErrno(left, ip('198.51.100.1')), undefined, 'left has a default route');
  assert.equal(lab.l3.selectSource(left, ip('198.51.100.1')), ip('10.0.0.2'));
  assert.equal(lab.l3.selectSource(router, ip('10.0.1.9')), ip('10.0.1.1'));
  assert.ok(lab.l3.isLocal(router, ip('10.0.1.1')));
  assert.ok(!lab.l3.isLocal(router, ip('10.0.1.2')));
  assert.ok(lab.l3.isBroadcast(router, ip('10.0.1.255')));
  assert.equal(lab.close(), 0);
});

test('a local packet that must not be fragmented and does not fit its own link is reported with the MTU (RFC 1191)', () => {
  const { lab, left } = makeNet();
  const told: number[][] = [];
  lab.l3.onIcmpError(17, (_stack, type, code, info, _at, _bytes, from) => {
    told.push([type, code, info, from]);
    return true;
  });
  const payload = new Uint8Array(1600);
  lab.ping(left, '10.0.0.1');
  lab.run(10);
  lab.send(
    left,
    udpPacket({ source: '10.0.0.2', destination: '10.0.0.1', payload, fragmentField: Ipv4Flag.dontFragment }),
  );
  const code = Icmpv4Unreachable.fragmentationNeeded;
  assert.deepEqual(told, [[Icmpv4Type.destinationUnreachable, code, 1500, 0]]);
  assert.equal(lab.close(), 0);
});

test('addresses, routes and neighbors as plain objects', () => {
  const { lab, left } = makeNet();
  lab.addRoute(left, '192.0.2.0/24', { via: ip('172.16.0.1') });
  lab.ping(left, '10.0.1.2');
  // The announcement of the router's address was used first and is confirmed after five seconds.
  lab.run(6000);
  assert.deepEqual(lab.l3.listAddresses(left), [{ interface: 'eth0', address: '10.0.0.2/24', duplicates: 0 }]);
  const routes = lab.l3
    .listRoutes(lab.l3.stacks.vrf[left]!)
    .map(({ to, kind, via, isActive }) => [to, kind, via, isActive]);
  assert.deepEqual(routes, [
    ['default', 'unicast', '10.0.0.1', true],
    ['10.0.0.0/24', 'unicast', undefined, true],
    ['10.0.0.2/32', 'local', undefined, true],
    ['10.0.0.255/32', 'broadcast', undefined, true],
    ['192.0.2.0/24', 'unicast', '172.16.0.1', false],
  ]);
  assert.deepEqual(lab.l3.listNeighbors(left), [
    { interface: 'eth0', address: '10.0.0.1', linkAddress: '02:00:00:00:00:02', state: 'reachable', queued: 0 },
  ]);
  assert.equal(lab.close(), 0);
});
