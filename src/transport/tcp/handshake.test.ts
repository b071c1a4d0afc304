import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PEER_PORT, TcpScript } from '../testing/tcp-script.js';

test('passive open with all options (RFC 9293 3.5 figure 6, RFC 7323 2.2 and 3.2, RFC 2018 2)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('S', { seq: 0, mss: 1400, windowScale: 3, sackPermitted: true, timestamps: [77, 0], window: 1000 });
  const synAck = t.expect('SA', { seq: 0, ack: 1, mss: 1460, windowScale: 7, sackPermitted: true, window: 65_535 });
  assert.equal(synAck.timestamps![1], 77);
  t.expectEvents();
  t.receive('A', { seq: 1, ack: 1, window: 1000, timestamps: [78, synAck.timestamps![0]] });
  t.expectNothing();
  t.expectEvents('accepted');
  const info = t.tcp.info(t.connection);
  assert.equal(info.state, 'ESTABLISHED');
  assert.equal(info.sendWindowBytes, 8000, 'the window counts scaled after the handshake');
  assert.equal(info.mss, 1388, "the peer's MSS less the timestamps");
  t.finish();
});

test('options that the peer does not offer are not used (RFC 9293 MUST-15, RFC 7323 2.2)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('S', { seq: 0 });
  t.expect('SA', { mss: 1460, windowScale: undefined, sackPermitted: false, timestamps: undefined });
  t.receive('A', { seq: 1, ack: 1, window: 5000 });
  const info = t.tcp.info(t.connection);
  assert.equal(info.mss, 536, 'without an MSS option 536 is assumed');
  assert.equal(info.sendWindowBytes, 5000);
  t.finish();
});

test('active open (RFC 9293 3.5 figure 6)', () => {
  const t = new TcpScript();
  t.connect();
  const syn = t.expect('S', { seq: 0, ack: 0, mss: 1460, windowScale: 7, sackPermitted: true });
  assert.ok(syn.timestamps);
  assert.ok(syn.dontFragment);
  t.receive('SA', { seq: 0, ack: 1, mss: 1200, sackPermitted: true, timestamps: [5, syn.timestamps[0]] });
  t.expect('A', { seq: 1, ack: 1 });
  t.expectEvents('connected');
  assert.equal(t.tcp.info(t.connection).mss, 1188);
  t.finish();
});

test('simultaneous open (RFC 9293 3.5 figure 8)', () => {
  const t = new TcpScript();
  t.connect();
  t.expect('S', { seq: 0 });
  t.receive('S', { seq: 0, mss: 1460 });
  t.expect('SA', { seq: 0, ack: 1 });
  assert.equal(t.state, 'SYN-RECEIVED');
  t.receive('SA', { seq: 0, ack: 1, mss: 1460 });
  t.expect('A', { seq: 1, ack: 1 });
  t.expectEvents('connected');
  assert.equal(t.state, 'ESTABLISHED');
  t.finish();
});

test('SYN-SENT: an ACK of something else is answered with RST, a RST without ACK is ignored (RFC 9293 3.10.7.3)', () => {
  const t = new TcpScript();
  t.connect();
  t.expect('S');
  t.receive('A', { seq: 50, ack: 90 });
  t.expect('R', { seq: 90 });
  t.receive('R', { seq: 0 });
  t.receive('RA', { seq: 0, ack: 7 });
  t.expectEvents();
  assert.equal(t.state, 'SYN-SENT');
  t.receive('RA', { seq: 0, ack: 1 });
  t.expectEvents('failed ECONNREFUSED');
  t.close();
  t.finish();
});

test('a SYN to a closed port is answered with RST, a RST with nothing (RFC 9293 3.10.7.1)', () => {
  const t = new TcpScript();
  t.receive('S', { seq: 0 });
  t.expect('RA', { seq: 0, ack: 1, length: 0, sourcePort: 80, destinationPort: PEER_PORT });
  t.receive('A', { seq: 4, ack: 9, data: 10 });
  t.expect('R', { seq: 9 });
  t.receive('F', { seq: 4, data: 10 });
  t.expect('RA', { seq: 0, ack: 15 });
  t.receive('R', { seq: 4 });
  t.receive('RA', { seq: 4, ack: 1 });
  t.expectNothing();
  t.finish();
});

test('to a listener: ACK is answered with RST (RFC 9293 3.10.7.2, second)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('A', { seq: 1, ack: 100 });
  t.expect('R', { seq: 100 });
  t.receive('SA', { seq: 1, ack: 100 });
  t.expect('R', { seq: 100 });
  t.receive('R', { seq: 1 });
  t.expectNothing();
  t.finish();
});

test('SYN is sent again, with doubled waits, until the time is over (RFC 6298 2.1 and 5, RFC 9293 3.8.3)', () => {
  const t = new TcpScript({ config: { connectTimeoutMs: 20_000 } });
  t.connect();
  t.advance(60_000);
  assert.deepEqual(
    t.sent.map((segment) => segment.atMs),
    [1_000, 2_000, 4_000, 8_000, 16_000],
  );
  assert.ok(t.sent.every((segment) => segment.flags === 'S' && segment.seq === 0));
  t.expectEvents('failed ETIMEDOUT');
  t.close();
  t.finish();
});

test('SYN-ACK is sent again; a SYN once more gets it at once (RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('S', { seq: 0, mss: 1460 });
  t.expect('SA', { seq: 0, ack: 1 });
  t.advance(1_000);
  t.expect('SA', { seq: 0, ack: 1 });
  t.receive('S', { seq: 0, mss: 1460 });
  t.expect('SA', { seq: 0, ack: 1 });
  t.advance(100_000);
  t.sent.length = 0;
  assert.equal(t.tcp.core.table.count, 0, 'the half-open connection is given up');
  assert.equal(t.tcp.core.listeners.halfOpen[t.listener], 0);
  t.finish();
});

test('SYN-RECEIVED: a wrong ACK is answered with RST, RST goes back to listening (RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('S', { seq: 0, mss: 1460 });
  t.expect('SA');
  t.receive('A', { seq: 1, ack: 2 });
  t.expect('R', { seq: 2 });
  t.receive('R', { seq: 1 });
  assert.equal(t.tcp.core.table.count, 0);
  t.expectEvents();
  t.finish();
});

test('data and FIN may come with the ACK of the handshake (RFC 9293 3.10.7.4)', () => {
  const t = new TcpScript();
  t.listen();
  t.receive('S', { seq: 0, mss: 1460 });
  t.expect('SA');
  t.receive('FA', { seq: 1, ack: 1, data: 'hello' });
  t.expectEvents('accepted', 'readable', 'peer closed');
  t.expect('A', { ack: 7 });
  assert.equal(t.read(), 'hello');
  t.finish();
});

test('a SYN may be rejected or deferred', () => {
  let verdict = 1;
  const t = new TcpScript({
    events: {
      onSyn: (_listener, connection) => {
        t.connection = connection;
        return verdict;
      },
    },
  });
  t.listen();
  t.receive('S', { seq: 0, mss: 1460 });
  t.expect('RA', { seq: 0, ack: 1 });
  verdict = 2;
  t.receive('S', { seq: 0, mss: 1460 });
  t.receive('S', { seq: 0, mss: 1460 });
  t.expectNothing();
  t.tcp.resumeSyn(t.connection, 0);
  t.run();
  t.expect('SA', { seq: 0, ack: 1 });
  t.receive('A', { seq: 1, ack: 1 });
  t.expectEvents('accepted');
  t.receive('S', { seq: 0, mss: 1460, sourcePort: 4001 });
  t.tcp.resumeSyn(t.connection, 1);
  t.run();
  t.expect('RA', { ack: 1, destinationPort: 4001 });
  t.finish();
});

test('half-open and waiting connections are bounded by the backlog (RFC 4987 2)', () => {
  const t = new TcpScript({ events: { onAccepted: () => {} } });
  t.listen({ backlog: 4 });
  for (let port = 1; port <= 20; port++) t.receive('S', { seq: 0, mss: 1460, sourcePort: port });
  assert.equal(t.tcp.core.listeners.halfOpen[t.listener], 4);
  assert.ok(t.tcp.core.table.count <= 4);
  t.finish();
});

test('two listeners of the same address and port are refused; TIME-WAIT and other addresses are no obstacle', () => {
  const t = new TcpScript();
  const first = t.listen();
  assert.equal(t.tcp.listen(0, [0, 0, 0xffff, 0x0a000001], 80, { backlog: 1 }), 'EADDRINUSE');
  const any = t.tcp.listen(0, [0, 0, 0, 0], 80, { backlog: 1 });
  assert.ok(typeof any === 'number');
  t.tcp.unlisten(first);
  assert.ok(typeof t.tcp.listen(0, [0, 0, 0xffff, 0x0a000001], 80, { backlog: 1 }) === 'number');
  t.finish();
});

test('listeners are found from the exact one to the one for all', () => {
  const found: number[] = [];
  const t = new TcpScript({
    events: {
      onSyn: (listener) => {
        found.push(t.tcp.listenerContext(listener));
        return 1;
      },
    },
  });
  const all = { backlog: 1, anyPort: true } as const;
  const listen = (address: number, port: number, context: number) => {
    const words = [0, 0, address === 0 ? 0 : 0xffff, address] as const;
    const listener = t.tcp.listen(0, words, port, { ...(port === 0 ? all : { backlog: 1 }), context });
    assert.ok(typeof listener === 'number');
    return listener;
  };
  const listeners = [listen(0x0a000001, 80, 1), listen(0, 80, 2), listen(0x0a000001, 0, 3), listen(0, 0, 4)];
  for (const listener of listeners) {
    t.receive('S', { seq: 0 });
    t.tcp.unlisten(listener);
  }
  assert.deepEqual(found, [1, 2, 3, 4]);
  t.finish();
});
