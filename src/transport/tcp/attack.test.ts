import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TcpScript } from '../testing/tcp-script.js';
import { MAX_RANGES } from './seq-ranges.js';

test('RST: only the exact number resets; in the window it is challenged, outside ignored (RFC 5961 3.2)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('R', { seq: 0 });
  t.receive('R', { seq: 70_000 });
  t.expectNothing();
  t.receive('R', { seq: 100 });
  t.expect('A', { seq: 1, ack: 1, length: 0 });
  assert.equal(t.state, 'ESTABLISHED');
  t.receive('R', { seq: 1 });
  t.expectEvents('failed ECONNRESET');
  t.close();
  t.finish();
});

test('challenge ACKs are limited per connection (RFC 5961 7)', () => {
  const t = new TcpScript();
  t.establish();
  for (let i = 0; i < 100; i++) t.receive('R', { seq: 100 + i });
  assert.equal(t.sent.length, 1);
  t.advance(600);
  t.receive('R', { seq: 100 });
  assert.equal(t.sent.length, 2);
  t.finish();
});

test('SYN on an established connection is challenged (RFC 5961 4.2)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('S', { seq: 100, mss: 1460 });
  t.expect('A', { seq: 1, ack: 1 });
  t.advance(600);
  t.receive('S', { seq: -5000 });
  t.expect('A', { seq: 1, ack: 1 });
  assert.equal(t.state, 'ESTABLISHED');
  t.finish();
});

test('blind data: an ACK number out of range is challenged, the data dropped (RFC 5961 5.2)', () => {
  const t = new TcpScript();
  t.establish({ window: 1000 });
  t.receive('A', { seq: 1, ack: 2, data: 'forged' });
  t.expect('A', { ack: 1 });
  t.advance(600);
  t.receive('A', { seq: 1, ack: -2000, data: 'forged' });
  t.expect('A', { ack: 1 });
  t.expectEvents();
  t.receive('A', { seq: 1, ack: 1, data: 'genuine' });
  assert.equal(t.read(), 'genuine');
  t.finish();
});

test('segments without ACK are dropped (RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('P', { seq: 1, data: 'forged' });
  t.receive('F', { seq: 1 });
  t.expectEvents();
  t.expectNothing();
  t.finish();
});

test('all kinds of flags at once do no harm', () => {
  const t = new TcpScript();
  t.establish();
  for (let flags = 0; flags < 256; flags++) {
    const letters = [...'FSRPAUEC'].filter((_, bit) => flags & (1 << bit)).join('');
    if (flags & 4) continue;
    t.receive(letters, { seq: 40_000, data: flags & 1 });
  }
  assert.equal(t.state, 'ESTABLISHED');
  t.finish();
});

test('two ends that disagree do not answer each other without end (ACK storm)', () => {
  const t = new TcpScript();
  t.establish();
  for (let i = 0; i < 1000; i++) t.receive('A', { seq: -500, ack: 1 });
  assert.ok(t.sent.length <= 1, `${t.sent.length} ACKs`);
  t.finish();
});

test('a tiny MSS does not make us send only headers', () => {
  const t = new TcpScript();
  t.establish({ mss: 1 });
  t.write(1000);
  assert.ok(t.sent.length <= 10);
  assert.ok(t.sent.every((segment) => segment.length >= 52));
  t.finish();
  const stamped = new TcpScript();
  stamped.establish({ mss: 0, timestamps: [1, 0] });
  stamped.write(1000);
  assert.ok(stamped.sent.every((segment) => segment.length >= 52));
  stamped.finish();
});

test('many small SACK blocks: bounded work and memory, the transfer goes on', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 1 << 20 } });
  t.establish({ mss: 536, sackPermitted: true, windowScale: 7 });
  t.receive('A', { window: 8192 });
  t.tcp.core.table.cwnd[t.connection] = 500_000;
  t.write(400_000);
  t.sent.length = 0;
  for (let i = 0; i < 900; i++) t.receive('A', { ack: 1, window: 8192, sack: [[1000 + i * 100, 1001 + i * 100]] });
  assert.ok(t.tcp.core.scoreboard.count[t.connection]! <= MAX_RANGES);
  t.receive('A', { ack: 400_001, window: 8192 });
  assert.equal(t.tcp.info(t.connection).bytesUnacknowledged, 0);
  t.finish();
});

test('many small pieces out of order: bounded work and memory, the transfer goes on', () => {
  const t = new TcpScript();
  t.establish({ sackPermitted: true });
  for (let i = 1; i < 1500; i++) t.receive('A', { seq: 1 + i * 2, data: 'x' });
  assert.ok(t.tcp.core.reassembly.count[t.connection]! <= MAX_RANGES);
  t.receive('A', { seq: 1, data: 1400 });
  t.receive('A', { seq: 1401, data: 1400 });
  t.receive('A', { seq: 2801, data: 1400 });
  assert.equal(t.read().length, 4200);
  t.finish();
});

test('a flood of SYNs: state is bounded, and who answers a cookie gets in (RFC 4987 3.6)', () => {
  const t = new TcpScript({ config: { maxConnections: 64 } });
  t.listen({ backlog: 16 });
  for (let i = 0; i < 5000; i++) t.receive('S', { seq: 0, mss: 1460, source: 0x0b000000 + i });
  assert.equal(t.tcp.core.table.count, 16);
  assert.equal(t.sent.length, 5000, 'everyone gets a SYN-ACK');
  t.sent.length = 0;
  t.receive('S', { seq: 0, mss: 1400, windowScale: 7, sackPermitted: true, timestamps: [500, 0] });
  const synAck = t.expect('SA', { ack: 1, mss: 1460, sackPermitted: true, windowScale: 7 });
  assert.equal(synAck.timestamps![1], 500);
  t.iss = synAck.rawSeq;
  t.advance(30);
  t.receive('PA', { seq: 1, ack: 1, window: 100, timestamps: [501, synAck.timestamps![0]], data: 'hello' });
  t.expectEvents('accepted', 'readable');
  assert.equal(t.read(), 'hello');
  const info = t.tcp.info(t.connection);
  assert.equal(info.mss, 1388);
  assert.equal(info.sendWindowBytes, 100 << 7);
  t.write('welcome');
  t.sent.splice(0, t.sent.length - 1);
  const answer = t.expect('PA', { seq: 1, ack: 6, text: 'welcome' });
  assert.ok(((answer.timestamps![0] - synAck.timestamps![0]) | 0) >= 0, 'our clock does not go back');
  t.finish();
});

test('a forged or old cookie is answered with RST (RFC 4987 3.6)', () => {
  const t = new TcpScript();
  t.listen({ backlog: 1 });
  t.receive('S', { seq: 0, mss: 1460, sourcePort: 1 });
  t.receive('S', { seq: 0, mss: 1460, sourcePort: 2 });
  const cookie = t.sent[1]!;
  const ack = (cookie.rawSeq - t.iss + 1) | 0;
  t.sent.length = 0;
  t.receive('A', { seq: 1, ack: ack + 1, sourcePort: 2 });
  t.receive('A', { seq: 2, ack, sourcePort: 2 });
  t.receive('A', { seq: 1, ack, sourcePort: 3 });
  assert.deepEqual(
    t.sent.splice(0).map((segment) => segment.flags),
    ['R', 'R', 'R'],
  );
  t.advance(129_000);
  t.sent.length = 0;
  t.receive('A', { seq: 1, ack, sourcePort: 2 });
  t.expect('R');
  t.expectEvents();
  t.finish();
});

test('when the table is full, the oldest TIME-WAIT makes room', () => {
  const t = new TcpScript({ config: { maxConnections: 4 } });
  for (let i = 0; i < 12; i++) {
    t.iss = 0;
    t.receive('S', { seq: 0, mss: 1460, sourcePort: 100 + i });
    if (i === 0) t.listen();
    if (i === 0) t.receive('S', { seq: 0, mss: 1460, sourcePort: 100 });
    const iss = t.sent.at(-1)!.rawSeq;
    t.receive('A', { seq: 1, ack: (iss + 1 - t.iss) | 0, sourcePort: 100 + i });
    t.shutdown();
    t.receive('FA', { seq: 1, ack: (iss + 2 - t.iss) | 0, sourcePort: 100 + i });
    assert.equal(t.state, 'TIME-WAIT');
    t.close();
  }
  assert.equal(t.tcp.core.table.count, 4);
  t.finish();
});

test('PAWS: an old timestamp is not believed (RFC 7323 5.3)', () => {
  const t = new TcpScript();
  t.establish({ timestamps: [1000, 0] });
  t.receive('A', { seq: 1, data: 'old', timestamps: [999, 1] });
  t.expect('A', { ack: 1 });
  t.expectEvents();
  assert.equal(t.count('old timestamp'), 1);
  t.receive('A', { seq: 1, data: 'new', timestamps: [1000, 1] });
  assert.equal(t.read(), 'new');
  t.finish();
});

test('PAWS: after 24 days any timestamp is new (RFC 7323 5.5)', () => {
  const t = new TcpScript();
  t.establish({ timestamps: [1000, 0] });
  t.advance(24 * 24 * 3_600_000 + 1000);
  t.receive('A', { seq: 1, data: 'x', timestamps: [1, 1] });
  assert.equal(t.read(), 'x');
  t.finish();
});

test('timestamps that were agreed on must be there (RFC 7323 3.2)', () => {
  const t = new TcpScript();
  t.establish({ timestamps: [1000, 0] });
  t.receive('A', { seq: 1, data: 'x' });
  t.expectEvents();
  t.receive('R', { seq: 1 });
  t.expectEvents('failed ECONNRESET');
  t.close();
  t.finish();
});

test('random segments never break anything, and everything comes back', () => {
  const segment = fc.record({
    flags: fc.subarray([...'FSRPA']),
    seq: fc.integer({ min: -50, max: 3000 }),
    ack: fc.integer({ min: -50, max: 3000 }),
    window: fc.nat(65_535),
    data: fc.nat(200),
    sack: fc.array(fc.tuple(fc.nat(3000), fc.nat(3000)), { maxLength: 3 }),
    next: fc.nat(8),
  });
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 60 }), (segments) => {
      const t = new TcpScript({ slots: 512 });
      t.establish({ sackPermitted: true });
      const held = t.connection;
      const isOurs = () => t.tcp.core.table.context[held] === 77;
      t.tcp.setContext(held, 77);
      t.write(2000);
      for (const each of segments) {
        t.receive(each.flags.join(''), { ...each, sack: each.sack.length > 0 ? each.sack : [[1, 2]] });
        t.connection = held;
        if (each.next === 0) t.advance(300);
        if (each.next === 1 && isOurs()) t.read();
        if (each.next === 2 && isOurs()) t.shutdown();
        if (each.next === 3 && isOurs() && t.state !== 'CLOSED') t.write(100);
        t.sent.length = 0;
      }
      t.finish();
    }),
    { seed: 5961, numRuns: 150 },
  );
});
