import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TcpScript } from '../testing/tcp-script.js';

test('data in order becomes readable; one segment is acknowledged late (RFC 9293 3.8.6.3)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('PA', { seq: 1, data: 'hello ' });
  t.expectEvents('readable');
  t.expectNothing();
  t.advance(39);
  t.expectNothing();
  t.advance(2);
  t.expect('A', { seq: 1, ack: 7 });
  t.receive('PA', { seq: 7, data: 'world' });
  assert.equal(t.read(), 'hello world');
  t.finish();
});

test('at least every second full-sized segment is acknowledged (RFC 5681 4.2)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('A', { seq: 1, data: 1460 });
  t.expectNothing();
  t.receive('A', { seq: 1461, data: 1460 });
  t.expect('A', { ack: 2921 });
  t.receive('A', { seq: 2921, data: 1460 });
  t.expectNothing();
  t.finish();
});

test('segments of one run are acknowledged together', () => {
  const t = new TcpScript();
  t.establish();
  t.receiveMany([0, 1, 2, 3, 4, 5].map((i) => ['A', { seq: 1 + i * 1000, data: 1000 }]));
  t.expect('A', { ack: 6001 });
  t.expectNothing();
  t.expectEvents('readable');
  t.finish();
});

test('a super-segment counts as the segments it stands for (RFC 5681 4.2)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('A', { seq: 1, data: 1460 });
  t.sent.length = 0;
  t.receive('A', { seq: 1461, data: 14_600, gsoSize: 1460 });
  t.expect('A', { ack: 16_061 });
  assert.equal(t.tcp.core.table.rcvMss[t.connection], 1460);
  t.finish();
});

test('data out of order is acknowledged at once and kept (RFC 5681 4.2, RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('A', { seq: 4, data: 'defg' });
  t.expect('A', { ack: 1, sack: [] });
  t.expectEvents();
  t.receive('A', { seq: 1, data: 'abc' });
  t.expect('A', { ack: 8 });
  assert.equal(t.read(), 'abcdefg');
  t.finish();
});

test('SACK: the newest block first, others repeated (RFC 2018 4)', () => {
  const t = new TcpScript();
  t.establish({ sackPermitted: true });
  t.receive('A', { seq: 101, data: 100 });
  t.expect('A', { ack: 1, sack: [[101, 201]] });
  t.receive('A', { seq: 301, data: 100 });
  t.expect('A', {
    ack: 1,
    sack: [
      [301, 401],
      [101, 201],
    ],
  });
  t.receive('A', { seq: 501, data: 100 });
  t.expect('A', {
    ack: 1,
    sack: [
      [501, 601],
      [301, 401],
      [101, 201],
    ],
  });
  t.receive('A', { seq: 201, data: 50 });
  t.expect('A', {
    ack: 1,
    sack: [
      [101, 251],
      [501, 601],
      [301, 401],
    ],
  });
  t.receive('A', { seq: 1, data: 100 });
  t.expect('A', {
    ack: 251,
    sack: [
      [501, 601],
      [301, 401],
    ],
  });
  t.receive('A', { seq: 251, data: 50 });
  t.expect('A', { ack: 401, sack: [[501, 601]] });
  t.finish();
});

test('SACK: three blocks beside timestamps (RFC 2018 3)', () => {
  const t = new TcpScript();
  t.establish({ sackPermitted: true, timestamps: [1, 0] });
  const timestamps = [2, 1000] as const;
  for (let i = 0; i < 5; i++) t.receive('A', { seq: 101 + i * 200, data: 100, timestamps });
  assert.equal(t.sent.at(-1)!.sack.length, 3);
  t.finish();
});

test('a peer without SACK gets one duplicate ACK for each segment out of order, even in one run (RFC 5681 3.2)', () => {
  const t = new TcpScript();
  t.establish();
  t.receiveMany([1, 2, 3, 4].map((i) => ['A', { seq: 1 + i * 100, data: 100 }]));
  for (let i = 0; i < 4; i++) t.expect('A', { ack: 1 });
  t.expectNothing();
  t.finish();
});

test('old data is acknowledged and not delivered again; overlap is cut (RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('A', { seq: 1, data: 'abcdef' });
  t.receive('A', { seq: 1, data: 'abcdef' });
  t.expect('A', { ack: 7 });
  t.receive('A', { seq: 4, data: 'defghi' });
  t.advance(50);
  t.expect('A', { ack: 10 });
  assert.equal(t.read(), 'abcdefghi');
  t.finish();
});

test('data beyond the window is cut off (RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript({ config: { receiveBufferBytes: 4096, maxReceiveBufferBytes: 4096 } });
  t.establish();
  t.receive('A', { seq: 1, data: 4000 });
  t.expect('A', { ack: 4001, window: 96 });
  t.receive('A', { seq: 4001, data: 200 });
  t.advance(50);
  t.expect('A', { ack: 4097, window: 0 });
  assert.equal(t.read().length, 4096);
  t.expect('A', { ack: 4097, window: 4096 });
  t.finish();
});

test('a window of zero: data is refused, the probe is answered, ACKs count (RFC 9293 3.8.6.1, MUST-66)', () => {
  const t = new TcpScript({ config: { receiveBufferBytes: 4096, maxReceiveBufferBytes: 4096 } });
  t.establish();
  t.receive('A', { seq: 1, data: 4096 });
  t.expect('A', { ack: 4097, window: 0 });
  t.write('xy');
  t.expect('PA', { length: 2 });
  t.receive('A', { seq: 4097, ack: 3, data: 1 });
  t.expect('A', { ack: 4097, window: 0 });
  assert.equal(t.tcp.info(t.connection).bytesUnacknowledged, 0, 'the acknowledgment counted');
  t.finish();
});

test('a window of zero: FIN alone is taken, it needs no room', () => {
  const t = new TcpScript({ config: { receiveBufferBytes: 4096, maxReceiveBufferBytes: 4096 } });
  t.establish();
  t.receive('A', { seq: 1, data: 4096 });
  t.expect('A', { ack: 4097, window: 0 });
  t.expectEvents('readable');
  t.receive('FA', { seq: 4097 });
  t.expect('A', { ack: 4098 });
  t.expectEvents('peer closed');
  t.finish();
});

test('the window opens by no less than a segment, and its edge never moves back (RFC 9293 3.8.6.2.2)', () => {
  const t = new TcpScript({ config: { receiveBufferBytes: 8192, maxReceiveBufferBytes: 8192 } });
  t.establish();
  t.receive('A', { seq: 1, data: 1460 });
  t.sent.length = 0;
  t.receive('A', { seq: 1461, data: 1460 });
  t.receive('A', { seq: 2921, data: 1460 });
  t.receive('A', { seq: 4381, data: 1460 });
  t.receive('A', { seq: 5841, data: 1460 });
  t.receive('A', { seq: 7301, data: 892 });
  t.advance(50);
  assert.equal(t.sent.at(-1)!.window, 0);
  t.sent.length = 0;
  t.read(1000);
  t.expectNothing();
  t.read(400);
  t.expectNothing();
  t.read(100);
  t.expect('A', { ack: 8193, window: 1500 });
  t.finish();
});

test('FIN ahead of missing data is remembered', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('FA', { seq: 4, data: 'def' });
  t.expect('A', { ack: 1 });
  t.expectEvents();
  t.receive('A', { seq: 1, data: 'abc' });
  t.expect('A', { ack: 8 });
  t.expectEvents('readable', 'peer closed');
  assert.equal(t.read(), 'abcdef');
  t.finish();
});

test('nothing is taken behind the FIN', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('FA', { seq: 1, data: 'abc' });
  t.expect('A', { ack: 5 });
  t.receive('A', { seq: 5, data: 'def' });
  t.expect('A', { ack: 5 });
  assert.equal(t.read(), 'abc');
  t.finish();
});

test('a bad checksum is counted and the segment dropped (RFC 9293 MUST-3)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('A', { seq: 1, data: 101, badChecksum: true });
  t.expectEvents();
  assert.equal(t.count('bad checksum'), 1);
  t.finish();
});

test('when memory is out, what does not fit is not acknowledged', () => {
  const t = new TcpScript({ heapBytes: 8192 });
  t.establish();
  t.receive('A', { seq: 1, data: 1000 });
  t.receive('A', { seq: 1001, data: 1400 });
  t.receive('A', { seq: 2401, data: 1400 });
  t.receive('A', { seq: 3801, data: 1400 });
  t.advance(100);
  assert.equal(t.sent.at(-1)!.ack, 4097);
  assert.equal(t.read().length, 4096);
  t.receive('A', { seq: 4097, data: 1000 });
  assert.equal(t.read().length, 1000);
  t.finish();
});

test('the receive buffer grows when a round trip brings more than half of it, and the application reads', () => {
  const t = new TcpScript({ config: { receiveBufferBytes: 65_536 } });
  t.listen();
  t.receive('S', { seq: 0, mss: 1460, windowScale: 7 });
  t.advance(20);
  t.receive('A', { seq: 1, ack: 1 });
  let seq = 1;
  for (let i = 0; i < 200; i++) {
    t.receive('A', { seq, data: 1460 });
    seq += 1460;
    t.read();
    t.advance(0.5);
  }
  assert.ok(t.tcp.fifos.limit(2 * t.connection) >= 131_072);
  t.finish();
});

test('any order and overlap of segments gives the bytes in order', () => {
  const cut = fc.record({ at: fc.nat(999), length: fc.integer({ min: 1, max: 300 }) });
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 60 }), fc.boolean(), (cuts, sackPermitted) => {
      const t = new TcpScript();
      t.establish({ sackPermitted });
      const bytes = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join('');
      for (const { at, length } of cuts) t.receive('A', { seq: 1 + at, data: bytes.slice(at, at + length) });
      for (let at = 0; at < 1000; at += 100) t.receive('A', { seq: 1 + at, data: bytes.slice(at, at + 100) });
      assert.equal(t.read(), bytes);
      t.finish();
    }),
    { seed: 793, numRuns: 40 },
  );
});
