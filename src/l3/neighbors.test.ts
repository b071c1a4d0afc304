import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketFlag } from '../mem/packet-pool.js';
import { ArpOperation } from '../wire/arp.js';
import { ip, L3Lab } from './testing/l3-lab.js';
import { arpFrame, frame, stationMac, udpPacket } from './testing/packets.js';

/** One host with 10.0.0.1/24 and a link that the test plays. */
function makeHost(limits = {}) {
  const lab = new L3Lab(limits);
  const stack = lab.l3.createStack();
  const { index, tap } = lab.addTap(stack, 'eth0', ['10.0.0.1/24']);
  lab.settle();
  const state = (address: string): string | undefined =>
    lab.l3.listNeighbors(stack).find((each) => each.address === address)?.state;
  const sendTo = (destination: string): void => lab.send(stack, udpPacket({ source: '10.0.0.1', destination }));
  /** The station answers from `sender`. */
  const reply = (sender: string, station = 1): void => {
    tap.bring(arpFrame({ operation: ArpOperation.reply, sender, target: '10.0.0.1', station, toMac: 1 }));
    lab.settle();
  };
  const request = (sender: string, target: string, station = 1): void => {
    tap.bring(arpFrame({ sender, target, station }));
    lab.settle();
  };
  return { lab, stack, index, tap, state, sendTo, reply, request };
}

/** What an ARP frame says. */
function readArp(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    isArp: view.getUint16(12) === 0x0806,
    isBroadcast: view.getUint16(0) === 0xffff,
    toLo: view.getUint32(2),
    operation: view.getUint16(20),
    sender: view.getUint32(28),
    target: view.getUint32(38),
  };
}

test('an address is announced when it is added (RFC 5227 section 2.3)', () => {
  const { lab, index, tap } = makeHost();
  assert.equal(tap.sent.length, 1);
  const announcement = readArp(tap.sent[0]!.bytes);
  assert.ok(announcement.isArp && announcement.isBroadcast);
  assert.equal(announcement.sender, ip('10.0.0.1'));
  assert.equal(announcement.target, ip('10.0.0.1'));
  lab.l3.setInterfaceUp(index, false);
  lab.addAddress(index, '10.0.0.3/24');
  lab.settle();
  assert.equal(tap.sent.length, 1, 'not while the interface is down');
  lab.l3.setInterfaceUp(index, true);
  lab.settle();
  assert.equal(tap.sent.length, 3);
  assert.equal(lab.close(), 0);
});

test('incomplete: one request, the packets wait; the reply sends them in order (RFC 826, RFC 1122 section 2.3.2.2)', () => {
  const { lab, tap, state, sendTo, reply } = makeHost();
  tap.sent.length = 0;
  sendTo('10.0.0.9');
  sendTo('10.0.0.9');
  assert.equal(tap.sent.length, 1);
  const request = readArp(tap.sent[0]!.bytes);
  assert.deepEqual(
    [request.isBroadcast, request.operation, request.sender, request.target],
    [true, ArpOperation.request, ip('10.0.0.1'), ip('10.0.0.9')],
  );
  assert.equal(state('10.0.0.9'), 'incomplete');
  reply('10.0.0.9');
  assert.equal(state('10.0.0.9'), 'reachable');
  assert.equal(tap.sent.length, 3);
  const view = new DataView(tap.sent[1]!.bytes.buffer);
  assert.equal(view.getUint32(2), stationMac(1));
  assert.equal(view.getUint32(8), 1, 'from the interface');
  assert.equal(lab.close(), 0);
});

test('requests are repeated each second, three in all, however many packets come (RFC 1122 section 2.3.2.1)', () => {
  const { lab, tap, state, sendTo } = makeHost();
  tap.sent.length = 0;
  for (let i = 0; i < 30; i++) {
    sendTo('10.0.0.9');
    lab.run(99);
  }
  assert.equal(tap.sent.length, 3);
  lab.run(100);
  assert.equal(state('10.0.0.9'), 'failed');
  sendTo('10.0.0.9');
  assert.equal(state('10.0.0.9'), 'incomplete', 'the next packet tries again');
  lab.run(40_000);
  assert.equal(state('10.0.0.9'), undefined, 'forgotten when nobody asks');
  assert.equal(lab.close(), 0);
});

test('reachable, stale, delay, probe and back (RFC 4861 section 7.3.3)', () => {
  const { lab, tap, state, sendTo, reply } = makeHost();
  sendTo('10.0.0.9');
  reply('10.0.0.9');
  lab.run(14_000);
  assert.equal(state('10.0.0.9'), 'reachable');
  lab.run(32_000);
  assert.equal(state('10.0.0.9'), 'stale');
  tap.sent.length = 0;
  sendTo('10.0.0.9');
  assert.equal(tap.sent.length, 1, 'sent at once, without a request');
  assert.equal(state('10.0.0.9'), 'delay');
  lab.run(5001);
  assert.equal(state('10.0.0.9'), 'probe');
  const probe = readArp(tap.sent[1]!.bytes);
  assert.deepEqual([probe.isArp, probe.isBroadcast, probe.toLo], [true, false, stationMac(1)]);
  sendTo('10.0.0.9');
  assert.equal(tap.sent.length, 3, 'packets go on meanwhile');
  reply('10.0.0.9');
  assert.equal(state('10.0.0.9'), 'reachable');
  assert.equal(lab.close(), 0);
});

test('a neighbor that does not answer probes has failed (RFC 4861 section 7.3.3)', () => {
  const { lab, tap, state, sendTo, reply } = makeHost();
  sendTo('10.0.0.9');
  reply('10.0.0.9');
  lab.run(46_000);
  sendTo('10.0.0.9');
  tap.sent.length = 0;
  lab.run(5000 + 3001);
  assert.equal(tap.sent.length, 3);
  assert.equal(state('10.0.0.9'), 'failed');
  assert.equal(lab.close(), 0);
});

test('progress of a transport confirms a neighbor without probes (RFC 4861 section 7.3.1)', () => {
  const { lab, stack, tap, state, sendTo, reply } = makeHost();
  sendTo('10.0.0.9');
  reply('10.0.0.9');
  lab.run(46_000);
  sendTo('10.0.0.9');
  assert.equal(state('10.0.0.9'), 'delay');
  lab.l3.confirmReachable(stack, ip('10.0.0.9'));
  assert.equal(state('10.0.0.9'), 'reachable');
  tap.sent.length = 0;
  for (let i = 0; i < 10; i++) {
    lab.run(10_000);
    lab.l3.confirmReachable(stack, ip('10.0.0.9'));
  }
  assert.equal(state('10.0.0.9'), 'reachable');
  assert.equal(tap.sent.length, 0);
  assert.equal(lab.close(), 0);
});

test('a request for us teaches the sender and is answered (RFC 826)', () => {
  const { lab, tap, state, request } = makeHost();
  tap.sent.length = 0;
  request('10.0.0.9', '10.0.0.1');
  assert.equal(state('10.0.0.9'), 'stale');
  const reply = readArp(tap.sent[0]!.bytes);
  assert.deepEqual(
    [reply.operation, reply.sender, reply.target, reply.toLo],
    [ArpOperation.reply, ip('10.0.0.1'), ip('10.0.0.9'), stationMac(1)],
  );
  assert.equal(tap.sent[0]!.bytes.length, 42);
  request('10.0.0.8', '10.0.0.2', 2);
  assert.equal(state('10.0.0.8'), undefined, 'not by a request for somebody else');
  assert.equal(tap.sent.length, 1);
  assert.equal(lab.close(), 0);
});

test('any message of a known neighbor updates it (RFC 826 "Merge_flag")', () => {
  const { lab, tap, state, sendTo, reply, request } = makeHost();
  sendTo('10.0.0.9');
  reply('10.0.0.9');
  request('10.0.0.9', '10.0.0.9', 5);
  assert.equal(state('10.0.0.9'), 'stale');
  tap.sent.length = 0;
  sendTo('10.0.0.9');
  assert.equal(new DataView(tap.sent[0]!.bytes.buffer).getUint32(2), stationMac(5));
  assert.equal(lab.close(), 0);
});

test('an unasked reply makes no entry (RFC 4861 section 7.2.5)', () => {
  const { lab, state, request } = makeHost();
  request('10.0.0.9', '10.0.0.9');
  assert.equal(state('10.0.0.9'), undefined);
  assert.equal(lab.close(), 0);
});

test('senders on a foreign network, with a group address or a broadcast address teach nothing (RFC 1812 section 3.3.2)', () => {
  const { lab, tap, stack, request } = makeHost();
  request('192.0.2.1', '10.0.0.1');
  request('10.0.0.255', '10.0.0.1');
  request('224.0.0.1', '10.0.0.1');
  const group = arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' });
  new DataView(group.buffer).setUint16(22, 0x0300);
  tap.bring(group);
  lab.settle();
  assert.deepEqual(lab.l3.listNeighbors(stack), []);
  assert.equal(lab.count('arp-input', 'sender on a foreign network'), 1);
  assert.equal(lab.count('arp-input', 'bad sender address'), 2);
  assert.equal(lab.count('arp-input', 'bad sender link address'), 1);
  assert.equal(lab.close(), 0);
});

test('a claim of our own address is noted and not believed (RFC 5227 section 2.4)', () => {
  const { lab, stack, request } = makeHost();
  request('10.0.0.1', '10.0.0.1', 6);
  assert.equal(lab.count('arp-input', 'duplicate address'), 1);
  assert.equal(lab.l3.listAddresses(stack)[0]!.duplicates, 1);
  assert.deepEqual(lab.l3.listNeighbors(stack), []);
  assert.equal(lab.close(), 0);
});

test('a probe from 0.0.0.0 is answered and teaches nothing (RFC 5227 section 2.1.1)', () => {
  const { lab, stack, tap, request } = makeHost();
  tap.sent.length = 0;
  request('0.0.0.0', '10.0.0.1');
  assert.equal(tap.sent.length, 1);
  assert.deepEqual(lab.l3.listNeighbors(stack), []);
  assert.equal(lab.close(), 0);
});

test('malformed messages are counted by what is wrong', () => {
  const { lab, tap } = makeHost();
  const right = arpFrame({ sender: '10.0.0.9', target: '10.0.0.1' });
  const wrong = (at: number, value: number): Uint8Array => {
    const bytes = right.slice();
    new DataView(bytes.buffer).setUint16(at, value);
    return bytes;
  };
  tap.bring(wrong(14, 6), wrong(16, 0x86dd), wrong(18, 0x0606), wrong(20, 3), right.subarray(0, 30));
  lab.settle();
  const names = ['bad hardware type', 'bad protocol type', 'bad address length', 'bad operation', 'short'];
  assert.deepEqual(
    names.map((name) => lab.count('arp-input', name)),
    [1, 1, 1, 1, 1],
  );
  assert.equal(lab.close(), 0);
});

test('the queue of a neighbor keeps the latest packets, and control traffic before others (RFC 1122 section 2.3.2.2)', () => {
  const { lab, stack, tap, reply } = makeHost({ neighborQueuePackets: 3 });
  const marks: number[] = [];
  const send = (mark: number, isControl: boolean): void => {
    const packet = udpPacket({ source: '10.0.0.1', destination: '10.0.0.9', identification: mark });
    const slot = lab.pool.take();
    lab.pool.bytes.set(packet, lab.pool.head[slot]!);
    lab.pool.length[slot] = packet.length;
    lab.pool.totalLength[slot] = packet.length;
    lab.pool.stack[slot] = stack;
    if (isControl) lab.pool.flags[slot] = PacketFlag.control;
    lab.graph.inject('ip4-output', slot);
    lab.settle();
  };
  send(1, true);
  for (const mark of [2, 3, 4, 5]) send(mark, false);
  send(6, true);
  tap.sent.length = 0;
  reply('10.0.0.9');
  for (const { bytes } of tap.sent) marks.push(new DataView(bytes.buffer).getUint16(18));
  assert.deepEqual(marks, [1, 5, 6]);
  assert.equal(lab.l3.neighbors.queues.drops, 3);
  for (const mark of [1, 2, 3]) send(mark, true);
  assert.equal(lab.close(), 0);
});

test('a full queue of control traffic takes no other', () => {
  const { lab, stack, sendTo } = makeHost({ neighborQueuePackets: 1 });
  const packet = udpPacket({ source: '10.0.0.1', destination: '10.0.0.9' });
  const slot = lab.pool.take();
  lab.pool.bytes.set(packet, lab.pool.head[slot]!);
  lab.pool.length[slot] = packet.length;
  lab.pool.totalLength[slot] = packet.length;
  lab.pool.stack[slot] = stack;
  lab.pool.flags[slot] = PacketFlag.control;
  lab.graph.inject('ip4-output', slot);
  lab.settle();
  sendTo('10.0.0.9');
  assert.equal(lab.l3.neighbors.queues.drops, 1);
  assert.equal(lab.l3.neighbors.queues.total, 1);
  assert.equal(lab.close(), 0);
});

test('the table is bounded: unresolved and unused neighbors make room, those of routes and permanent ones stay', () => {
  const { lab, stack, index, sendTo, reply, state } = makeHost({ neighbors: 8 });
  lab.addRoute(stack, '0.0.0.0/0', { via: ip('10.0.0.254') });
  lab.l3.addNeighbor(index, ip('10.0.0.253'), 0x0200, 0x77);
  for (let host = 10; host < 100; host++) {
    sendTo(`10.0.0.${host}`);
    if (host % 3 === 0) reply(`10.0.0.${host}`);
  }
  assert.equal(lab.l3.neighbors.table.count(index), 8);
  assert.ok(lab.l3.neighbors.table.evictions > 80);
  assert.equal(state('10.0.0.254'), 'idle');
  assert.equal(state('10.0.0.253'), 'permanent');
  assert.equal(lab.l3.neighbors.queues.total <= 8, true);
  assert.equal(lab.close(), 0);
});

test('a table full of rows that must stay drops packets to others', () => {
  const { lab, index, sendTo } = makeHost({ neighbors: 2 });
  lab.l3.addNeighbor(index, ip('10.0.0.2'), 0x0200, 0x72);
  lab.l3.addNeighbor(index, ip('10.0.0.3'), 0x0200, 0x73);
  assert.equal(lab.l3.addNeighbor(index, ip('10.0.0.4'), 0x0200, 0x74), false);
  sendTo('10.0.0.5');
  assert.equal(lab.count('ip4-arp', 'neighbor table full'), 1);
  assert.equal(lab.close(), 0);
});

test('a packet whose neighbor has just made room for another one is dropped', () => {
  const { lab, stack, sendTo } = makeHost({ neighbors: 1 });
  sendTo('10.0.0.2');
  for (const destination of ['10.0.0.3', '10.0.0.2']) {
    const packet = udpPacket({ source: '10.0.0.1', destination });
    const slot = lab.pool.take();
    lab.pool.bytes.set(packet, lab.pool.head[slot]!);
    lab.pool.length[slot] = packet.length;
    lab.pool.totalLength[slot] = packet.length;
    lab.pool.stack[slot] = stack;
    lab.graph.inject('ip4-output', slot);
  }
  lab.settle();
  assert.equal(lab.count('ip4-arp', 'neighbor evicted'), 1);
  sendTo('10.0.0.4');
  lab.run(40_000);
  assert.equal(lab.close(), 0);
});

test('when all adjacencies are in use, packets to new neighbors are dropped until one is free', () => {
  const { lab, index, sendTo } = makeHost({ adjacencies: 14 });
  for (let host = 2; host < 60; host++) sendTo(`10.0.0.${host}`);
  assert.equal(lab.l3.neighbors.table.count(index), 4);
  assert.ok(lab.count('ip4-arp', 'neighbor table full') > 20);
  assert.ok(lab.l3.neighbors.table.evictions > 20);
  assert.equal(lab.close(), 0);
});

test('requests caused by packets are limited per stack', () => {
  const { lab, tap, sendTo } = makeHost({ neighbors: 1024 });
  lab.addAddress(1, '10.9.0.1/16');
  lab.settle();
  tap.sent.length = 0;
  for (let i = 0; i < 600; i++) sendTo(`10.9.${1 + (i >> 8)}.${i & 255}`);
  assert.equal(tap.sent.length, 256);
  assert.equal(lab.close(), 0);
});

test('a permanent neighbor is not changed by ARP and sends what waits', () => {
  const { lab, index, tap, state, sendTo, reply } = makeHost();
  sendTo('10.0.0.9');
  tap.sent.length = 0;
  lab.l3.addNeighbor(index, ip('10.0.0.9'), 0x0200, 0x42);
  lab.settle();
  assert.equal(tap.sent.length, 1);
  reply('10.0.0.9', 3);
  sendTo('10.0.0.9');
  assert.equal(new DataView(tap.sent[1]!.bytes.buffer).getUint32(2), 0x42);
  lab.run(700_000);
  assert.equal(state('10.0.0.9'), 'permanent');
  assert.ok(lab.l3.removeNeighbor(index, ip('10.0.0.9')));
  assert.ok(!lab.l3.removeNeighbor(index, ip('10.0.0.9')));
  assert.equal(lab.close(), 0);
});

test('a more specific route takes destinations from their neighbors, and its removal gives them back', () => {
  const { lab, stack, tap, sendTo, reply } = makeHost();
  const lastTo = (): number => new DataView(tap.sent.at(-1)!.bytes.buffer).getUint32(2);
  sendTo('10.0.0.9');
  reply('10.0.0.9', 1);
  sendTo('10.0.0.250');
  reply('10.0.0.250', 2);
  sendTo('10.0.0.9');
  assert.equal(lastTo(), stationMac(1));
  lab.addRoute(stack, '10.0.0.8/29', { via: ip('10.0.0.250') });
  sendTo('10.0.0.9');
  assert.equal(lastTo(), stationMac(2));
  lab.l3.removeRoute(lab.l3.stacks.vrf[stack]!, ip('10.0.0.8'), 29);
  sendTo('10.0.0.9');
  assert.equal(lastTo(), stationMac(1));
  assert.equal(lab.close(), 0);
});

test('several addresses on one interface: requests come from the address of the target network', () => {
  const { lab, stack, index, tap } = makeHost();
  lab.addAddress(index, '172.16.0.1/16');
  lab.settle();
  tap.sent.length = 0;
  lab.send(stack, udpPacket({ source: '172.16.0.1', destination: '172.16.3.4' }));
  assert.equal(readArp(tap.sent[0]!.bytes).sender, ip('172.16.0.1'));
  assert.equal(lab.l3.selectSource(stack, ip('172.16.3.4')), ip('172.16.0.1'));
  assert.equal(lab.l3.selectSource(stack, ip('10.0.0.77')), ip('10.0.0.1'));
  assert.throws(() => lab.addAddress(index, '172.16.0.1/16'), { code: 'USERNET_ADDRESS_IN_USE' });
  assert.throws(() => lab.addAddress(index, '224.0.0.1/16'), { code: 'USERNET_ADDRESS_INVALID' });
  assert.throws(() => lab.addAddress(index, '10.7.0.0/0'), { code: 'USERNET_ADDRESS_INVALID' });
  assert.equal(lab.close(), 0);
});

test('frames of other types than IPv4 and ARP are dropped before they come here', () => {
  const { lab, tap } = makeHost();
  tap.bring(frame(new Uint8Array(46), 1, 0x86dd));
  lab.settle();
  assert.equal(lab.count('ethernet-input', 'unknown type'), 1);
  assert.equal(lab.close(), 0);
});
