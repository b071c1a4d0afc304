import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TcpScript } from '../testing/tcp-script.js';

function established(config: object = {}): TcpScript {
  const t = new TcpScript({ config });
  t.establish();
  return t;
}

test('we close first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, 2 MSL (RFC 9293 3.6 figure 12)', () => {
  const t = established({ timeWaitMs: 10_000 });
  t.shutdown();
  t.expect('FA', { seq: 1, ack: 1, length: 0 });
  assert.equal(t.state, 'FIN-WAIT-1');
  t.receive('A', { seq: 1, ack: 2 });
  assert.equal(t.state, 'FIN-WAIT-2');
  t.receive('FA', { seq: 1, ack: 2 });
  t.expect('A', { seq: 2, ack: 2 });
  assert.equal(t.state, 'TIME-WAIT');
  t.expectEvents('peer closed', 'closed');
  t.close();
  t.advance(9_900);
  assert.equal(t.tcp.core.table.count, 1);
  t.advance(200);
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('a wait for memory that outlives the shutdown does not end FIN-WAIT-2', () => {
  const t = new TcpScript({ heapBytes: 4096 });
  t.establish();
  assert.equal(t.write(10), 0, 'the flow table has it all');
  t.shutdown();
  t.expect('FA', { seq: 1, ack: 1, length: 0 });
  t.receive('A', { seq: 1, ack: 2 });
  t.advance(15);
  assert.equal(t.state, 'FIN-WAIT-2');
  t.expectEvents('writable');
  t.receive('FA', { seq: 1, ack: 2 });
  t.expect('A', { seq: 2, ack: 2 });
  t.expectEvents('peer closed', 'closed');
  t.finish();
});

test('the peer closes first: CLOSE-WAIT, LAST-ACK (RFC 9293 3.6)', () => {
  const t = established();
  t.receive('FA', { seq: 1 });
  t.expect('A', { ack: 2 });
  assert.equal(t.state, 'CLOSE-WAIT');
  t.expectEvents('peer closed');
  t.shutdown();
  t.expect('FA', { seq: 1, ack: 2 });
  assert.equal(t.state, 'LAST-ACK');
  t.receive('A', { seq: 2, ack: 2 });
  t.expectEvents('closed');
  assert.equal(t.state, 'CLOSED');
  t.close();
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('both close at once: CLOSING (RFC 9293 3.6 figure 13)', () => {
  const t = established();
  t.shutdown();
  t.expect('FA', { seq: 1, ack: 1 });
  t.receive('FA', { seq: 1, ack: 1 });
  t.expect('A', { seq: 2, ack: 2 });
  assert.equal(t.state, 'CLOSING');
  t.receive('A', { seq: 2, ack: 2 });
  assert.equal(t.state, 'TIME-WAIT');
  t.expectEvents('peer closed', 'closed');
  t.finish();
});

test('the ACK of our FIN may come with the FIN of the peer (RFC 9293 3.10.7.4)', () => {
  const t = established();
  t.shutdown();
  t.expect('FA');
  t.receive('FA', { seq: 1, ack: 2 });
  assert.equal(t.state, 'TIME-WAIT');
  t.expect('A', { seq: 2, ack: 2 });
  t.finish();
});

test('half-close: data goes on in the other direction (RFC 9293 3.6)', () => {
  const t = established();
  t.shutdown();
  t.expect('FA');
  t.receive('A', { ack: 2 });
  t.receive('PA', { seq: 1, ack: 2, data: 'late' });
  assert.equal(t.read(), 'late');
  t.advance(50);
  t.expect('A', { ack: 5 });
  const u = established();
  u.receive('FA', { seq: 1 });
  u.expect('A', { ack: 2 });
  u.write('reply');
  u.expect('PA', { text: 'reply', ack: 2 });
  t.finish();
  u.finish();
});

test('FIN follows the data of the send FIFO, with the last of it if it can', () => {
  const t = established();
  t.tcp.fifos.write(2 * t.connection + 1, new TextEncoder().encode('bye'), 0, 3);
  t.tcp.send(t.connection);
  t.shutdown();
  t.expect('FPA', { seq: 1, text: 'bye' });
  t.expectNothing();
  t.receive('A', { ack: 4 });
  assert.equal(t.state, 'FIN-WAIT-1', 'the data is acknowledged, the FIN is not');
  t.receive('A', { ack: 5 });
  assert.equal(t.state, 'FIN-WAIT-2');
  t.finish();
});

test('a lost FIN is sent again (RFC 6298 5)', () => {
  const t = established();
  t.shutdown();
  t.expect('FA', { seq: 1 });
  t.advance(220);
  t.expect('FA', { seq: 1 });
  t.advance(400);
  t.expect('FA', { seq: 1 });
  t.receive('A', { ack: 2 });
  assert.equal(t.state, 'FIN-WAIT-2');
  t.finish();
});

test('a FIN once more in TIME-WAIT is acknowledged again (RFC 9293 3.10.7.4)', () => {
  const t = established();
  t.shutdown();
  t.receive('FA', { seq: 1, ack: 2 });
  t.sent.length = 0;
  t.receive('FA', { seq: 1, ack: 2 });
  t.expect('A', { seq: 2, ack: 2 });
  assert.equal(t.state, 'TIME-WAIT');
  t.finish();
});

test('TIME-WAIT: a RST does not end it (RFC 1337 3)', () => {
  const t = established();
  t.shutdown();
  t.receive('FA', { seq: 1, ack: 2 });
  t.receive('R', { seq: 2 });
  assert.equal(t.state, 'TIME-WAIT');
  t.finish();
});

test('TIME-WAIT: a new SYN beyond the old numbers takes its place (RFC 9293 3.6.1, RFC 6191)', () => {
  const t = established();
  t.shutdown();
  t.receive('FA', { seq: 1, ack: 2 });
  t.close();
  t.sent.length = 0;
  t.receive('S', { seq: 1, mss: 1460 });
  assert.deepEqual(
    t.sent.map((segment) => segment.flags),
    ['A'],
    'an old SYN does not',
  );
  t.sent.length = 0;
  t.receive('S', { seq: 5000, mss: 1460 });
  const synAck = t.expect('SA', { ack: 5001 });
  assert.ok(((synAck.rawSeq - t.iss) | 0) > 2, 'our number goes on beyond the old ones too');
  t.finish();
});

test('TIME-WAIT: with timestamps a newer one decides (RFC 6191 2)', () => {
  const t = new TcpScript();
  t.establish({ timestamps: [1000, 0] });
  t.shutdown();
  t.receive('FA', { seq: 1, ack: 2, timestamps: [1001, 5] });
  t.close();
  t.sent.length = 0;
  t.receive('S', { seq: -9999, mss: 1460, timestamps: [1000, 0] });
  assert.ok(!t.sent.some((segment) => segment.flags === 'SA'));
  t.sent.length = 0;
  t.receive('S', { seq: -9999, mss: 1460, timestamps: [1002, 0] });
  t.expect('SA');
  t.finish();
});

test('close without unread data: what was written is delivered, then FIN; nobody is told', () => {
  const t = established();
  t.tcp.fifos.write(2 * t.connection + 1, new Uint8Array(3000), 0, 3000);
  t.tcp.send(t.connection);
  t.close();
  assert.equal(
    t.sent.reduce((sum, segment) => sum + segment.length, 0),
    3000,
  );
  assert.ok(t.sent.at(-1)!.flags.includes('F'));
  t.receive('A', { ack: 3002 });
  t.receive('FA', { seq: 1, ack: 3002 });
  t.expectEvents();
  t.advance(61_000);
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('close with unread data: RST (RFC 2525 2.17, RFC 9293 3.6.1)', () => {
  const t = established();
  t.receive('PA', { seq: 1, data: 'unread' });
  t.close();
  t.expect('RA', { seq: 1, ack: 7 });
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('data for an application that is gone: RST (RFC 9293 3.6.1, RFC 1122 4.2.2.13)', () => {
  const t = established();
  t.close();
  t.expect('FA');
  t.receive('A', { seq: 1, ack: 2 });
  t.receive('PA', { seq: 1, ack: 2, data: 'anybody?' });
  t.expect('RA');
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('FIN-WAIT-2 without an application ends by itself', () => {
  const t = established({ finWait2Ms: 5_000 });
  t.close();
  t.receive('A', { ack: 2 });
  t.advance(4_900);
  assert.equal(t.tcp.core.table.count, 1);
  t.advance(200);
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('FIN-WAIT-2 of an application that holds the connection does not', () => {
  const t = established({ finWait2Ms: 5_000 });
  t.shutdown();
  t.receive('A', { ack: 2 });
  t.advance(100_000);
  assert.equal(t.state, 'FIN-WAIT-2');
  t.close();
  t.advance(6_000);
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('abort: RST at once, the FIFOs are thrown away (RFC 9293 3.10.5)', () => {
  const t = established();
  t.write('abc');
  t.expect('PA');
  t.abort();
  t.expect('RA', { seq: 4, ack: 1 });
  assert.equal(t.tcp.core.table.count, 0);
  t.receive('A', { seq: 1, ack: 4 });
  t.expect('R', { seq: 4 });
  t.finish();
});

test('abort of a connect sends nothing; of what the peer reset, neither', () => {
  const t = new TcpScript();
  t.connect();
  t.expect('S');
  t.abort();
  t.expectNothing();
  const u = established();
  u.receive('R', { seq: 1 });
  u.expectEvents('failed ECONNRESET');
  u.abort();
  u.expectNothing();
  assert.equal(u.tcp.core.table.count, 0);
  t.finish();
  u.finish();
});

test('a reset behind a FIN says that the pipe is broken', () => {
  const t = established();
  t.receive('FA', { seq: 1 });
  t.expect('A', { ack: 2 });
  t.receive('R', { seq: 2 });
  t.expectEvents('peer closed', 'failed EPIPE');
  t.finish();
});

test('after a reset what had arrived can still be read', () => {
  const t = established();
  t.receive('PA', { seq: 1, data: 'last words' });
  t.receive('R', { seq: 11 });
  t.expectEvents('readable', 'failed ECONNRESET');
  const into = new Uint8Array(20);
  assert.equal(t.tcp.fifos.read(2 * t.connection, into, 0, 20), 10);
  t.close();
  t.expectNothing();
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('FIN in SYN-RECEIVED goes out after the handshake (RFC 9293 3.10.4)', () => {
  const t = new TcpScript();
  t.connect();
  t.expect('S');
  t.shutdown();
  t.receive('SA', { seq: 0, ack: 1, mss: 1460 });
  assert.ok(t.sent.some((segment) => segment.flags.includes('F')));
  assert.equal(t.state, 'FIN-WAIT-1');
  t.finish();
});

test('unlisten resets half-open and waiting connections', () => {
  const t = new TcpScript({ events: { onAccepted: () => {} } });
  t.listen();
  t.receive('S', { seq: 0, mss: 1460, sourcePort: 1 });
  t.receive('S', { seq: 0, mss: 1460, sourcePort: 2 });
  const synAck = t.sent.at(-1)!;
  t.receive('A', { seq: 1, ack: (synAck.rawSeq - t.iss + 1) | 0, sourcePort: 2 });
  t.sent.length = 0;
  t.tcp.unlisten(t.listener);
  t.run();
  assert.deepEqual(
    t.sent.map((segment) => [segment.flags, segment.destinationPort]),
    [
      ['RA', 1],
      ['RA', 2],
    ],
  );
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('removing the stack fails its connections with ENETUNREACH and sends nothing', () => {
  const t = established();
  t.tcp.removeStack(0);
  t.run();
  t.expectEvents('failed ENETUNREACH');
  t.expectNothing();
  t.close();
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('a connection without an application does not wait for a dead peer, nor for a shut window, without end', () => {
  const t = established({ orphanTimeoutMs: 30_000 });
  t.write(1000);
  t.close();
  t.advance(70_000);
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
  const u = established({ orphanTimeoutMs: 30_000 });
  u.write(5000);
  u.receive('A', { ack: 1461, window: 0 });
  u.close();
  for (let i = 0; i < 300 && u.tcp.core.table.count > 0; i++) {
    u.advance(500);
    if (u.sent.splice(0).length > 0) u.receive('A', { ack: 1461, window: 0 });
  }
  assert.equal(u.tcp.core.table.count, 0);
  u.finish();
});

test('a FIN once more in TIME-WAIT lets the wait begin anew (RFC 9293 3.10.7.4)', () => {
  const t = established({ timeWaitMs: 10_000 });
  t.shutdown();
  t.receive('FA', { seq: 1, ack: 2 });
  t.close();
  t.advance(9_000);
  t.receive('FA', { seq: 1, ack: 2 });
  t.advance(9_000);
  assert.equal(t.tcp.core.table.count, 1);
  t.advance(2_000);
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});
