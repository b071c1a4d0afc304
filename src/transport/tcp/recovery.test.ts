import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Incoming, TcpScript } from '../testing/tcp-script.js';

/** An established connection with `segments` full segments of 1000 bytes in the network. */
function inFlight(segments: number, syn: Incoming = {}, config: object = {}): TcpScript {
  const t = new TcpScript({ config: { sendBufferBytes: 1 << 20, ...config } });
  t.establish({ mss: 1000, ...syn });
  t.tcp.core.table.cwnd[t.connection] = segments * 1000;
  t.write(segments * 1000 + 20_000);
  assert.equal(t.sent.length, segments);
  t.sent.length = 0;
  return t;
}

/** What was sent since: first byte of each segment. */
function starts(t: TcpScript): number[] {
  return t.sent.splice(0).map((segment) => segment.seq);
}

test('limited transmit: each of the first two duplicate ACKs lets a new segment out (RFC 3042 2)', () => {
  const t = inFlight(5);
  t.receive('A', { ack: 1 });
  assert.deepEqual(starts(t), [5001]);
  t.receive('A', { ack: 1 });
  assert.deepEqual(starts(t), [6001]);
  t.finish();
});

test('fast retransmit after three duplicate ACKs (RFC 5681 3.2)', () => {
  const t = inFlight(10, {}, { congestionControl: 'reno' });
  t.receive('A', { ack: 1 });
  t.receive('A', { ack: 1 });
  t.sent.length = 0;
  t.receive('A', { ack: 1 });
  assert.deepEqual(starts(t), [1]);
  const { table } = t.tcp.core;
  assert.equal(table.ssthresh[t.connection], 6000, 'half of the 12 segments in flight');
  assert.equal(table.cwnd[t.connection], 9000, 'ssthresh and three segments that have left');
  t.receive('A', { ack: 12_001 });
  assert.equal(t.tcp.info(t.connection).congestionWindowBytes <= 6000, true);
  t.finish();
});

test('NewReno: a partial acknowledgment retransmits the next hole (RFC 6582 3.2 step 3)', () => {
  const t = inFlight(8);
  for (let i = 0; i < 3; i++) t.receive('A', { ack: 1 });
  assert.ok(starts(t).includes(1));
  t.receive('A', { ack: 3001 });
  assert.ok(starts(t).includes(3001));
  t.receive('A', { ack: 5001 });
  assert.ok(starts(t).includes(5001));
  const recovered = t.tcp.core.table.recover[t.connection]! - t.iss;
  t.receive('A', { ack: recovered });
  assert.ok(!starts(t).includes(recovered - 1000));
  t.finish();
});

test('NewReno: after a timeout duplicates of what was sent before it start no recovery (RFC 6582 3.2 step 1)', () => {
  const t = inFlight(8);
  t.advance(300);
  starts(t);
  const before = t.tcp.info(t.connection).retransmits;
  for (let i = 0; i < 5; i++) t.receive('A', { ack: 1 });
  assert.equal(t.tcp.info(t.connection).retransmits, before);
  t.finish();
});

test('an ACK with a new window, or with data, is no duplicate (RFC 5681 2)', () => {
  const t = inFlight(8);
  const before = t.tcp.info(t.connection).retransmits;
  for (let i = 0; i < 6; i++) t.receive('A', { ack: 1, window: 60_000 + i });
  for (let i = 0; i < 6; i++) t.receive('A', { ack: 1, window: 60_005, seq: 1 + i, data: 1 });
  assert.equal(t.tcp.info(t.connection).retransmits, before);
  t.finish();
});

test('SACK: only what is missing is retransmitted (RFC 6675 5)', () => {
  const t = inFlight(10, { sackPermitted: true });
  // Segments 1 and 4 are lost.
  t.receive('A', { ack: 1, sack: [[1001, 2001]] });
  t.receive('A', { ack: 1, sack: [[1001, 3001]] });
  starts(t);
  t.receive('A', {
    ack: 1,
    sack: [
      [4001, 5001],
      [1001, 3001],
    ],
  });
  assert.deepEqual(starts(t).slice(0, 1), [1]);
  t.receive('A', {
    ack: 1,
    sack: [
      [4001, 7001],
      [1001, 3001],
    ],
  });
  assert.ok(starts(t).includes(3001));
  t.receive('A', { ack: 3001, sack: [[4001, 10_001]] });
  t.receive('A', { ack: 10_001 });
  const resent = t.tcp.info(t.connection).retransmits;
  assert.equal(resent, 2);
  t.finish();
});

test('SACK: more than two segments above make a loss, one ACK is enough (RFC 6675 4, IsLost)', () => {
  const t = inFlight(10, { sackPermitted: true });
  t.receive('A', { ack: 1, sack: [[1001, 4001]] });
  assert.equal(starts(t)[0], 1);
  t.finish();
});

test('SACK: two segments above do not', () => {
  const t = inFlight(10, { sackPermitted: true });
  t.receive('A', { ack: 1, sack: [[1001, 3001]] });
  assert.ok(!starts(t).includes(1));
  t.finish();
});

test('SACK: the window follows what is delivered (RFC 6937 3)', () => {
  const t = inFlight(20, { sackPermitted: true }, { congestionControl: 'reno' });
  let out = 0;
  for (let i = 1; i < 20; i++) {
    t.receive('A', { ack: 1, sack: [[1001, 1001 + i * 1000]] });
    out += starts(t).length;
  }
  // 20 in flight, ssthresh 10: about half of the 19 delivered segments are answered by new ones.
  assert.ok(out >= 9 && out <= 12, `${out} segments`);
  t.receive('A', { ack: 20_001 });
  assert.ok(t.tcp.info(t.connection).congestionWindowBytes <= 11_000);
  t.finish();
});

test('SACK: blocks that make no sense are ignored (RFC 2018, RFC 2883)', () => {
  const t = inFlight(10, { sackPermitted: true });
  t.receive('A', { ack: 2001, sack: [[1, 1001]] });
  t.receive('A', {
    ack: 2001,
    sack: [
      [50_001, 60_001],
      [4001, 3001],
      [1001, 1501],
    ],
  });
  assert.equal(t.tcp.core.scoreboard.count[t.connection], 0);
  t.finish();
});

test('SACK: new data goes out when nothing is known to be lost, then the tail once (RFC 6675 4, NextSeg 2 and 4)', () => {
  const t = inFlight(10, { sackPermitted: true });
  t.receive('A', { ack: 1, sack: [[1001, 9001]] });
  const sent = starts(t);
  assert.equal(sent[0], 1);
  assert.ok(
    sent.slice(1).every((seq) => seq >= 9001),
    `${sent}`,
  );
  t.finish();
});

test('SACK: the rescue retransmission does not stop the repair of holes (RFC 6675 4, NextSeg 4)', () => {
  const t = inFlight(20, { sackPermitted: true });
  // The window has no room for new data; segments 1 and 16 are lost.
  const window = 20_000;
  const sent: number[] = [];
  for (let right = 4001; right <= 15_001; right += 1000) {
    t.receive('A', { ack: 1, window, sack: [[1001, right]] });
    sent.push(...starts(t));
  }
  assert.deepEqual(sent, [1, 19_001], 'the first segment, then the tail');
  t.receive('A', {
    ack: 1,
    window,
    sack: [
      [16_001, 20_001],
      [1001, 15_001],
    ],
  });
  assert.deepEqual(starts(t), [15_001]);
  t.finish();
});

test('a retransmission that was not needed is taken back (RFC 3522 3, RFC 4015 3)', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 1 << 20 } });
  t.establish({ mss: 1012, timestamps: [1, 0], sackPermitted: true });
  t.tcp.core.table.cwnd[t.connection] = 20_000;
  t.write(60_000);
  const original = t.sent[0]!.timestamps![0];
  starts(t);
  t.advance(20);
  const timestamps = [2, original] as const;
  t.receive('A', { ack: 1, timestamps, sack: [[1001, 5001]] });
  assert.equal(t.sent[0]!.seq, 1, 'retransmitted');
  assert.ok(t.tcp.info(t.connection).slowStartThresholdBytes < 20_000);
  starts(t);
  // The first segment had only been overtaken: its own timestamp comes back.
  t.receive('A', { ack: 5001, timestamps });
  const info = t.tcp.info(t.connection);
  assert.ok(info.congestionWindowBytes >= 19_000, `${info.congestionWindowBytes}`);
  assert.ok(info.slowStartThresholdBytes >= 20_000);
  t.finish();
});

test('a retransmission that was needed is not (RFC 3522 3)', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 1 << 20 } });
  t.establish({ mss: 1012, timestamps: [1, 0], sackPermitted: true });
  t.tcp.core.table.cwnd[t.connection] = 20_000;
  t.write(60_000);
  const original = t.sent[0]!.timestamps![0];
  starts(t);
  t.advance(20);
  t.receive('A', { ack: 1, timestamps: [2, original], sack: [[1001, 5001]] });
  const again = t.sent[0]!;
  assert.equal(again.seq, 1);
  t.receive('A', { ack: 5001, timestamps: [2, again.timestamps![0]] });
  assert.ok(t.tcp.info(t.connection).slowStartThresholdBytes < 20_000);
  t.finish();
});

test('a timeout that was not needed is taken back: what is in the network is not sent again (RFC 4015 3)', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 1 << 20 } });
  t.establish({ mss: 1012, timestamps: [1, 0] });
  t.write(10_000);
  const original = t.sent[0]!.timestamps![0];
  starts(t);
  t.advance(210);
  assert.deepEqual(starts(t), [1]);
  t.receive('A', { ack: 2001, timestamps: [2, original] });
  assert.deepEqual(starts(t), [], 'nothing again');
  assert.ok(t.tcp.info(t.connection).congestionWindowBytes >= 8000);
  t.finish();
});

test('timeout: the first segment alone, the window is one segment (RFC 6298 5.4, RFC 5681 3.1)', () => {
  const t = inFlight(10, {}, { congestionControl: 'reno' });
  t.advance(220);
  assert.deepEqual(starts(t), [1]);
  const info = t.tcp.info(t.connection);
  assert.equal(info.congestionWindowBytes, 1000);
  assert.equal(info.slowStartThresholdBytes, 5000);
  t.receive('A', { ack: 1001 });
  assert.deepEqual(starts(t), [1001, 2001], 'slow start from there');
  t.finish();
});

test('timeout: waits double and are forgotten with the next acknowledgment (RFC 6298 5.5 to 5.7)', () => {
  const t = inFlight(1);
  const times: number[] = [];
  const start = t.nowMs;
  for (let i = 0; i < 6; i++) {
    while (t.sent.length === 0) t.advance(1);
    times.push(t.nowMs - start);
    t.sent.length = 0;
  }
  assert.deepEqual(times, [200, 600, 1400, 3000, 6200, 12_600]);
  t.receive('A', { ack: 1001 });
  t.sent.length = 0;
  const restart = t.nowMs;
  while (t.sent.length === 0) t.advance(1);
  assert.equal(t.nowMs - restart, 200);
  t.finish();
});

test('timeout: at last the connection fails with ETIMEDOUT (RFC 9293 3.8.3)', () => {
  const t = inFlight(3, {}, { userTimeoutMs: 30_000 });
  t.advance(100_000);
  t.expectEvents('failed ETIMEDOUT');
  assert.equal(t.state, 'CLOSED');
  t.close();
  t.finish();
});

test('timeout with SACK: what was acknowledged selectively is not sent again (RFC 6675 5.1)', () => {
  const t = inFlight(6, { sackPermitted: true });
  t.receive('A', { ack: 1, sack: [[2001, 3001]] });
  starts(t);
  t.advance(220);
  assert.deepEqual(starts(t), [1]);
  t.receive('A', { ack: 1001, sack: [[2001, 3001]] });
  const sent = starts(t);
  assert.equal(sent[0], 1001);
  assert.ok(!sent.includes(2001), `${sent}`);
  t.finish();
});

test('timeout with SACK: a peer that reneges is believed no more (RFC 2018 8)', () => {
  const t = inFlight(4, { sackPermitted: true });
  t.receive('A', { ack: 1, sack: [[1001, 2001]] });
  t.receive('A', { ack: 1001 });
  starts(t);
  t.tcp.core.scoreboard.add(t.connection, (t.iss + 1001) | 0, (t.iss + 2001) | 0);
  t.advance(500);
  assert.equal(t.sent[0]!.seq, 1001);
  assert.equal(t.tcp.core.scoreboard.count[t.connection], 0);
  t.finish();
});

test('retransmitted segments are not timed; timestamps are (RFC 6298 3, RFC 7323 4)', () => {
  const plain = inFlight(1);
  plain.advance(250);
  plain.receive('A', { ack: 1001 });
  assert.ok(plain.tcp.info(plain.connection).smoothedRttMs < 1, 'only the handshake was measured');
  plain.finish();
  const stamped = new TcpScript();
  stamped.establish({ mss: 1000, timestamps: [1, 0] });
  stamped.write(500);
  stamped.sent.length = 0;
  stamped.advance(250);
  const again = stamped.expect('PA', { length: 500 });
  stamped.advance(30);
  stamped.receive('A', { ack: 501, timestamps: [2, again.timestamps![0]] });
  assert.ok(
    Math.abs(stamped.tcp.info(stamped.connection).smoothedRttMs - 10) < 1,
    'an eighth of the 80 ms since the retransmission',
  );
  stamped.finish();
});

test('the timeout follows the round trip (RFC 6298 2.2 and 2.3)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('S', { seq: 0, mss: 1000 });
  t.advance(300);
  t.receive('A', { seq: 1, ack: 1 });
  // SRTT = 300, RTTVAR = 150: RTO = 300 + 4 * 150.
  assert.equal(t.tcp.info(t.connection).retransmissionTimeoutMs, 900);
  t.write(10);
  t.advance(300);
  t.receive('A');
  // RTTVAR = 3/4 * 150, SRTT = 300.
  assert.equal(t.tcp.info(t.connection).retransmissionTimeoutMs, 750);
  t.finish();
});

test('the timer restarts with each acknowledgment of new data (RFC 6298 5.3)', () => {
  const t = inFlight(10);
  for (let i = 1; i <= 5; i++) {
    t.advance(150);
    t.receive('A', { ack: 1 + i * 1000 });
  }
  assert.equal(t.tcp.info(t.connection).retransmits, 0);
  t.finish();
});

test('a lost SYN makes the first window one segment (RFC 5681 3.1)', () => {
  const t = new TcpScript();
  t.connect();
  t.advance(1_100);
  t.receive('SA', { seq: 0, ack: 1, mss: 1000 });
  t.sent.length = 0;
  t.write(20_000);
  assert.equal(t.sent.length, 1);
  t.finish();
});

test('congestion avoidance of Reno: one segment a window (RFC 5681 3.1)', () => {
  const t = inFlight(10, {}, { congestionControl: 'reno' });
  const { table } = t.tcp.core;
  table.ssthresh[t.connection] = 5000;
  for (let i = 1; i <= 10; i++) t.receive('A', { ack: 1 + i * 1000 });
  assert.equal(table.cwnd[t.connection], 11_000);
  t.finish();
});

test('congestion avoidance of CUBIC: back to the old window after K, beyond it later (RFC 9438 4.2)', () => {
  const t = new TcpScript({ config: { sendBufferBytes: 4 << 20 }, slots: 16_384 });
  t.establish({ mss: 1000, windowScale: 10 });
  const { table } = t.tcp.core;
  const c = t.connection;
  t.receive('A', { window: 65_535 });
  table.cwnd[c] = 200_000;
  t.write(3 << 20);
  // A loss: three duplicate ACKs.
  for (let i = 0; i < 3; i++) t.receive('A', { ack: 1 });
  const reduced = table.ssthresh[c]!;
  assert.ok(Math.abs(reduced - 0.7 * 202_000) < 2500, `${reduced}`);
  let acked = table.recover[c]! - t.iss;
  t.receive('A', { ack: acked });
  const windows: [number, number][] = [];
  const start = t.nowMs;
  for (let round = 0; round < 120; round++) {
    t.advance(50);
    const sent = t.sent.splice(0);
    if (sent.length > 0) acked = Math.max(acked, ...sent.map((segment) => segment.seq + segment.length));
    t.receive('A', { ack: acked });
    windows.push([t.nowMs - start, table.cwnd[c]!]);
    t.tcp.fifos.write(2 * c + 1, new Uint8Array(1 << 20), 0, 1 << 20);
    t.tcp.send(c);
    t.run();
  }
  // K = cbrt(200 * 0.3 / 0.4) = 5.3 s.
  const at = (ms: number) => windows.find(([time]) => time >= ms)![1];
  assert.ok(at(1_000) > reduced, 'grows at first');
  assert.ok(at(1_000) - reduced > at(4_000) - at(3_000), 'flattens near the old window');
  assert.ok(Math.abs(at(5_300) - 200_000) < 20_000, `${at(5_300)} at K`);
  t.finish();
});
