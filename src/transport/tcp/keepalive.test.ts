import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TcpScript } from '../testing/tcp-script.js';

const Setting = { keepAliveMs: 1, intervalMs: 2, probes: 3 } as const;

function withKeepAlive(): TcpScript {
  const t = new TcpScript();
  t.establish();
  t.tcp.set(t.connection, Setting.keepAliveMs, 10_000);
  t.tcp.set(t.connection, Setting.intervalMs, 1_000);
  t.tcp.set(t.connection, Setting.probes, 3);
  return t;
}

test('an idle connection is probed with an old number, without data (RFC 9293 3.8.4)', () => {
  const t = withKeepAlive();
  t.advance(9_900);
  t.expectNothing();
  t.advance(200);
  t.expect('A', { seq: 0, length: 0 });
  t.receive('A', { seq: 1, ack: 1 });
  t.advance(9_800);
  t.expectNothing();
  t.advance(300);
  t.expect('A', { seq: 0 });
  t.finish();
});

test('unanswered probes end the connection with ETIMEDOUT and a RST', () => {
  const t = withKeepAlive();
  t.advance(13_100);
  assert.deepEqual(
    t.sent.map((segment) => segment.flags),
    ['A', 'A', 'A', 'RA'],
  );
  t.expectEvents('failed ETIMEDOUT');
  t.close();
  assert.equal(t.tcp.core.table.count, 0);
  t.finish();
});

test('it is off by default, and can be turned off (RFC 9293 MUST-25)', () => {
  const t = withKeepAlive();
  t.tcp.set(t.connection, Setting.keepAliveMs, 0);
  t.advance(1_000_000);
  t.expectNothing();
  const u = new TcpScript();
  u.establish();
  u.advance(10_000_000);
  u.expectNothing();
  t.finish();
  u.finish();
});

test('we answer the probes of the peer', () => {
  const t = new TcpScript();
  t.establish();
  t.receive('A', { seq: 0, ack: 1 });
  t.expect('A', { seq: 1, ack: 1 });
  t.finish();
});
