import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IPV4_MIN_HEADER_BYTES, writeIpv4 } from '../../wire/ipv4.js';
import { writeTcp } from '../../wire/tcp.js';
import { LOCAL, LOCAL_PORT, PEER, PEER_PORT, TcpScript } from '../testing/tcp-script.js';

/** An ICMP error about our segment with the relative number `seq`. */
function icmp(t: TcpScript, type: number, code: number, seq: number, mtu = 0): boolean {
  const slot = t.pool.take();
  const at = t.pool.head[slot]!;
  writeIpv4(t.pool.view, at, 0, 40, 0, 0x4000, 64, 6, LOCAL, PEER);
  writeTcp(t.pool.view, at + IPV4_MIN_HEADER_BYTES, LOCAL_PORT, PEER_PORT, (t.iss + seq) | 0, 0, 20, 16, 0);
  const isGenuine = t.tcp.onIcmpError(0, type, code, mtu, at, 28, 0x0a000009);
  t.pool.give(slot);
  t.run();
  return isGenuine;
}

test('while connecting, an error ends the attempt (RFC 5461 4.1)', () => {
  for (const [code, errno] of [
    [0, 'ENETUNREACH'],
    [1, 'EHOSTUNREACH'],
    [3, 'ECONNREFUSED'],
    [13, 'EHOSTUNREACH'],
  ] as const) {
    const t = new TcpScript();
    t.connect();
    assert.ok(icmp(t, 3, code, 0));
    t.expectEvents(`failed ${errno}`);
    t.close();
    t.finish();
  }
});

test('an established connection outlives every error (RFC 5927 6, RFC 1122 4.2.3.9)', () => {
  const t = new TcpScript({ config: { userTimeoutMs: 5_000 } });
  t.establish();
  t.write('abc');
  for (let code = 0; code < 16; code++) if (code !== 4) icmp(t, 3, code, 1);
  icmp(t, 11, 0, 1);
  icmp(t, 12, 0, 1);
  icmp(t, 4, 0, 1);
  assert.equal(t.state, 'ESTABLISHED');
  t.expectEvents();
  icmp(t, 3, 1, 1);
  t.advance(20_000);
  t.expectEvents('failed EHOSTUNREACH');
  t.close();
  t.finish();
});

test('an error that quotes a number not in the network is forged (RFC 5927 4.1)', () => {
  const t = new TcpScript();
  t.connect();
  assert.equal(icmp(t, 3, 3, 77), false);
  t.expectEvents();
  const u = new TcpScript();
  u.establish();
  u.write(5000);
  assert.equal(icmp(u, 3, 4, 9000, 600), false);
  assert.equal(icmp(u, 3, 4, -1, 600), false);
  assert.equal(u.tcp.info(u.connection).mss, 1460);
  t.finish();
  u.finish();
});

test('a smaller path MTU: what is in the network is sent again in smaller pieces, the window stays (RFC 1191 6.4)', () => {
  const t = new TcpScript();
  t.establish();
  t.write(5000);
  const window = t.tcp.info(t.connection).congestionWindowBytes;
  assert.deepEqual(
    t.sent.splice(0).map((segment) => segment.length),
    [1460, 1460, 1460, 620],
  );
  assert.ok(icmp(t, 3, 4, 1, 1000));
  assert.deepEqual(
    t.sent.splice(0).map((segment) => [segment.seq, segment.length]),
    [
      [1, 960],
      [961, 960],
      [1921, 960],
      [2881, 960],
      [3841, 960],
      [4801, 200],
    ],
  );
  assert.equal(t.tcp.info(t.connection).congestionWindowBytes, window);
  t.receive('A', { ack: 5001 });
  assert.equal(t.tcp.info(t.connection).bytesUnacknowledged, 0);
  t.finish();
});

test('a larger path MTU than known is not believed (RFC 1191 3)', () => {
  const t = new TcpScript();
  t.establish();
  t.write(1460);
  icmp(t, 3, 4, 1, 9000);
  assert.equal(t.tcp.info(t.connection).mss, 1460);
  t.finish();
});

test('routes that change are asked again: the segment size follows the interface', () => {
  const t = new TcpScript();
  t.establish();
  t.routes.mtuBytes = 1200;
  t.routes.generation++;
  t.write(3000);
  assert.equal(t.sent[0]!.length, 1160);
  t.finish();
});

test('without a route packets still go to the network layer, which says what is wrong', () => {
  const t = new TcpScript();
  t.establish();
  t.routes.isUp = false;
  t.routes.generation++;
  t.write(100);
  assert.equal(t.sent.length, 1);
  assert.equal(t.tcp.connect({ namespace: 0, stack: 0, remote: [0, 0, 0xffff, PEER], remotePort: 9 }), 'ENETUNREACH');
  t.finish();
});
