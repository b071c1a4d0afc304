import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TcpScript } from '../testing/tcp-script.js';

test('data is cut into segments of the peer MSS, the last one pushed (RFC 9293 3.7.1, 3.9.1.2)', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000 });
  t.tcp.set(t.connection, 0, 1);
  t.write(2500);
  t.expect('A', { seq: 1, length: 1000 });
  t.expect('A', { seq: 1001, length: 1000 });
  t.expect('PA', { seq: 2001, length: 500 });
  t.expectNothing();
  t.receive('A', { ack: 2501 });
  assert.equal(t.tcp.info(t.connection).bytesUnacknowledged, 0);
  t.finish();
});

test('timestamps take their place from each segment (RFC 7323 3.2, RFC 6691)', () => {
  const t = new TcpScript();
  t.establish({ mss: 1460, timestamps: [10, 0] });
  t.write(3000);
  const first = t.expect('A', { seq: 1, length: 1448 });
  assert.equal(first.timestamps![1], 10);
  t.finish();
});

test('the initial window is ten segments (RFC 6928 2)', () => {
  const t = new TcpScript();
  t.establish();
  t.write(100_000);
  assert.equal(t.sent.length, 10);
  t.sent.length = 0;
  t.receive('A', { ack: 1 + 2 * 1460 });
  assert.equal(t.sent.length, 4, 'two segments acknowledged: slow start sends four');
  t.finish();
});

test('Nagle: a small segment waits while another one is on its way (RFC 9293 3.7.4)', () => {
  const t = new TcpScript();
  t.establish();
  t.write('a');
  t.expect('PA', { text: 'a' });
  t.write('b');
  t.write('c');
  t.expectNothing();
  t.receive('A', { ack: 2 });
  t.expect('PA', { seq: 2, text: 'bc' });
  t.finish();
});

test('Nagle: full segments do not wait, the rest does', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000 });
  t.write('a');
  t.expect('PA', { length: 1 });
  t.write(1500);
  t.expect('A', { seq: 2, length: 1000 });
  t.expectNothing();
  t.receive('A', { ack: 1002 });
  t.expect('PA', { seq: 1002, length: 500 });
  t.finish();
});

test('with noDelay every write goes at once (RFC 9293 3.7.4)', () => {
  const t = new TcpScript();
  t.establish();
  t.tcp.set(t.connection, 0, 1);
  for (const letter of 'abc') {
    t.write(letter);
    t.expect('PA', { text: letter });
  }
  t.finish();
});

test('turning noDelay on lets go what waits', () => {
  const t = new TcpScript();
  t.establish();
  t.write('a');
  t.write('b');
  t.expect('PA', { text: 'a' });
  t.tcp.set(t.connection, 0, 1);
  t.run();
  t.expect('PA', { text: 'b' });
  t.finish();
});

test('data carries the acknowledgment: no ACK of its own (RFC 9293 3.8.6.3)', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('PA', { seq: 1, data: 'ping' });
  t.write('pong');
  t.expect('PA', { ack: 5, text: 'pong' });
  t.advance(100);
  t.expectNothing();
  t.finish();
});

test('no more than the window of the peer is sent (RFC 9293 3.8.6.2.1)', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 3000 });
  t.write(10_000);
  assert.deepEqual(
    t.sent.map((segment) => segment.length),
    [1000, 1000, 1000],
  );
  t.sent.length = 0;
  t.receive('A', { ack: 3001, window: 3000 });
  assert.equal(t.sent.length, 3);
  t.finish();
});

test('a window smaller than a segment is not filled with silly segments (RFC 9293 3.8.6.2.1)', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 4000 });
  t.write(10_000);
  t.sent.length = 0;
  t.receive('A', { ack: 4001, window: 300 });
  t.expectNothing();
  t.advance(250);
  t.expect('A', { seq: 4001, length: 300 });
  t.finish();
});

test('half of the largest window is not silly (RFC 9293 3.8.6.2.1, (3))', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 600 });
  t.write(10_000);
  t.expect('A', { seq: 1, length: 600 });
  t.finish();
});

test('a retransmission stays within the window too', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 600 });
  t.write(5000);
  t.expect('A', { seq: 1, length: 600 });
  t.advance(300);
  assert.deepEqual(
    t.sent.map(({ seq, length }) => [seq, length]),
    [[1, 600]],
  );
  t.finish();
});

test('zero window: probes with doubled waits as long as they are answered (RFC 9293 3.8.6.1)', () => {
  const t = new TcpScript({ config: { userTimeoutMs: 5_000 } });
  t.establish({ mss: 1000, window: 2000 });
  t.write(5000);
  t.sent.length = 0;
  t.receive('A', { ack: 2001, window: 0 });
  t.expectNothing();
  const waits: number[] = [];
  let last = t.nowMs;
  for (let i = 0; i < 8; i++) {
    while (t.sent.length === 0) t.advance(1);
    waits.push(Math.round(t.nowMs - last));
    last = t.nowMs;
    t.expect('A', { seq: 2001, length: 1 });
    t.receive('A', { ack: 2001, window: 0 });
  }
  assert.deepEqual(waits, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600]);
  t.expectEvents();
  t.receive('A', { ack: 2001, window: 2000 });
  t.expect('A', { seq: 2001, length: 1000 });
  t.expect('A', { seq: 3001, length: 1000 });
  t.expectNothing();
  t.finish();
});

test('zero window: a probe that is taken moves on (RFC 9293 3.8.6.1)', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 1000 });
  t.write(3000);
  t.sent.length = 0;
  t.receive('A', { ack: 1001, window: 0 });
  t.advance(250);
  t.expect('A', { seq: 1001, length: 1 });
  t.receive('A', { ack: 1002, window: 1000 });
  t.expect('A', { seq: 1002, length: 1000 });
  t.finish();
});

test('zero window: probes that nobody answers end the connection (RFC 9293 3.8.3)', () => {
  const t = new TcpScript({ config: { userTimeoutMs: 5_000 } });
  t.establish({ mss: 1000, window: 1000 });
  t.write(3000);
  t.receive('A', { ack: 1001, window: 0 });
  t.advance(30_000);
  t.expectEvents('failed ETIMEDOUT');
  t.close();
  t.finish();
});

test('FIN waits for a window too, and probes', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 1000 });
  t.write(1000);
  t.expect('PA', { length: 1000 });
  t.receive('A', { ack: 1001, window: 0 });
  t.shutdown();
  t.expectNothing();
  t.advance(250);
  t.expect('FA', { seq: 1001, length: 0 });
  t.receive('A', { ack: 1002, window: 0 });
  assert.equal(t.state, 'FIN-WAIT-2');
  t.finish();
});

test('a window that shrinks is obeyed; what is beyond is sent again when it opens (RFC 9293 3.8.6, SHLD-15)', () => {
  const t = new TcpScript();
  t.establish({ mss: 1000, window: 4000 });
  t.write(6000);
  assert.equal(t.sent.length, 4);
  t.sent.length = 0;
  t.receive('A', { ack: 1001, window: 1000 });
  t.expectNothing();
  t.receive('A', { ack: 2001, window: 0 });
  t.advance(300);
  t.expect('A', { seq: 2001, length: 1 });
  t.receive('A', { ack: 2001, window: 4000 });
  t.expect('A', { seq: 2001, length: 1000 });
  t.finish();
});

test('super-segments where the interface takes them, of whole segments', () => {
  const t = new TcpScript({ gso: true });
  t.establish({ mss: 1460, windowScale: 7, window: 65_535 });
  t.receive('A', { window: 60_000 });
  t.write(200_000);
  const first = t.expect('A', { seq: 1, length: 14_600, gsoSize: 1460 });
  assert.equal(first.length % 1460, 0);
  let acked = 14_601;
  for (let i = 0; i < 5; i++) {
    t.receive('A', { ack: acked, window: 60_000 });
    for (const segment of t.sent.splice(0)) {
      assert.ok(segment.length <= 65_535 - 52);
      acked = segment.seq + segment.length;
    }
  }
  t.finish();
});

test('the application is told of room in the send buffer (a quarter of it)', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 8192, maxSendBufferBytes: 8192 } });
  t.establish({ mss: 1000 });
  assert.equal(t.write(10_000), 8192);
  t.receive('A', { ack: 1001 });
  t.expectEvents();
  t.receive('A', { ack: 3001 });
  t.expectEvents('writable');
  t.receive('A', { ack: 5001 });
  t.expectEvents();
  t.finish();
});

test('connections take turns: nobody waits for a long transfer', () => {
  const t = new TcpScript({ slots: 8192, config: { sendBufferBytes: 1 << 20 } });
  t.establish({ windowScale: 7 });
  const long = t.connection;
  t.receive('A', { window: 65_535 });
  t.tcp.core.table.cwnd[long] = 1 << 20;
  t.receive('S', { seq: 0, mss: 1460, sourcePort: 5000 });
  const synAck = t.sent.pop()!;
  t.receive('A', { seq: 1, ack: (synAck.rawSeq - t.iss + 1) | 0, sourcePort: 5000 });
  const short = t.connection;
  assert.notEqual(short, long);
  t.tcp.fifos.write(2 * long + 1, new Uint8Array(1 << 20), 0, 1 << 20);
  t.tcp.fifos.write(2 * short + 1, new Uint8Array(10), 0, 10);
  t.tcp.send(long);
  t.tcp.send(short);
  t.sent.length = 0;
  t.run();
  const place = t.sent.findIndex((segment) => segment.destinationPort === 5000);
  assert.ok(place >= 0 && place <= 64, `place ${place}`);
  t.finish();
});

test('a full interface stops senders without loss, and they go on', () => {
  const t = new TcpScript();
  t.establish();
  t.routes.space = 2;
  t.write(6000);
  assert.ok(t.sent.length <= 2 * 2);
  const before = t.sent.length;
  t.routes.space = 100;
  t.advance(2);
  assert.ok(t.sent.length > before);
  let next = 1;
  for (const segment of t.sent) {
    assert.equal(segment.seq, next);
    next += segment.length;
  }
  t.finish();
});

test('after idle time longer than the RTO the window begins anew (RFC 5681 4.1)', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 1 << 20 } });
  t.establish();
  t.write(200_000);
  let acked = 1;
  for (let i = 0; i < 8; i++) {
    acked = Math.max(acked, ...t.sent.splice(0).map((segment) => segment.seq + segment.length));
    t.receive('A', { ack: acked });
  }
  assert.ok(t.tcp.info(t.connection).congestionWindowBytes > 20 * 1460);
  t.sent.length = 0;
  t.advance(5_000);
  t.write(100_000);
  assert.equal(t.sent.length, 10);
  t.finish();
});

test('a window that is not used does not grow (RFC 7661 4.3)', () => {
  const t = new TcpScript();
  t.establish();
  for (let i = 0; i < 50; i++) {
    t.write('x');
    t.receive('A');
  }
  assert.ok(t.tcp.info(t.connection).congestionWindowBytes <= 10 * 1460);
  t.finish();
});

test('when memory for the send buffer is out, the writer is told to try again', () => {
  const t = new TcpScript({ heapBytes: 4096 });
  t.establish();
  assert.equal(t.write(10), 0, 'the flow table has it all');
  t.expectEvents();
  t.advance(15);
  t.expectEvents('writable');
  t.advance(100);
  t.expectEvents();
  t.finish();
});
