import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PEER, PEER_PORT, TcpScript } from '../testing/tcp-script.js';

function synOf(t: TcpScript, localPort: number): { rawSeq: number; ts: number } {
  t.connect(localPort);
  const syn = t.expect('S');
  t.abort();
  return { rawSeq: syn.rawSeq, ts: syn.timestamps![0] };
}

test('sequence numbers of one flow grow by one every 4 microseconds (RFC 6528 3)', () => {
  const t = new TcpScript();
  const first = synOf(t, 80).rawSeq;
  t.clock.nowNs += 1_000_000;
  const second = synOf(t, 80).rawSeq;
  assert.equal((second - first) | 0, 250);
  t.finish();
});

test('flows, and hosts with other keys, have nothing in common (RFC 6528 3)', () => {
  const t = new TcpScript();
  const seen = new Set<number>();
  for (let port = 1; port <= 200; port++) seen.add(synOf(t, port).rawSeq);
  assert.equal(seen.size, 200);
  const differences = new Set([...seen].map((value, i, all) => (value - all[Math.max(0, i - 1)]!) | 0));
  assert.ok(differences.size > 190);
  const other = new TcpScript({ seed: 2 });
  assert.ok(!seen.has(synOf(other, 1).rawSeq));
  t.finish();
  other.finish();
});

test('the timestamp clock has an offset per pair of hosts, and goes on when ports change (RFC 7323 5.4)', () => {
  const t = new TcpScript();
  const first = synOf(t, 80).ts;
  t.advance(10);
  assert.equal((synOf(t, 81).ts - first) | 0, 10);
  const other = new TcpScript({ seed: 2 });
  assert.notEqual(synOf(other, 80).ts, first);
  t.finish();
  other.finish();
});

function connectAnywhere(t: TcpScript, remotePort = PEER_PORT): number {
  const connection = t.tcp.connect({ namespace: 0, stack: 0, remote: [0, 0, 0xffff, PEER], remotePort });
  if (typeof connection !== 'number') return -1;
  return t.tcp.localPort(connection);
}

test('ephemeral ports: each is used, none twice, then there are no more (RFC 6056 3.3.4)', () => {
  const t = new TcpScript({ config: { firstEphemeralPort: 40_000, lastEphemeralPort: 40_099 } });
  const ports = new Set<number>();
  for (let i = 0; i < 100; i++) ports.add(connectAnywhere(t));
  assert.equal(ports.size, 100);
  assert.ok([...ports].every((port) => port >= 40_000 && port <= 40_099));
  assert.equal(connectAnywhere(t), -1);
  assert.ok(connectAnywhere(t, 9) > 0, 'to another port all are free');
  t.finish();
});

test('ephemeral ports: where they begin depends on a secret and on the destination (RFC 6056 3.3.4)', () => {
  const starts = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const t = new TcpScript({ seed });
    starts.add(connectAnywhere(t));
    starts.add(connectAnywhere(t, 9));
    t.finish();
  }
  assert.ok(starts.size > 35, `${starts.size}`);
});

test('a port in TIME-WAIT is used again after a second if timestamps keep the two apart (RFC 6191 2)', () => {
  const t = new TcpScript({ config: { firstEphemeralPort: 80, lastEphemeralPort: 80 } });
  t.connect(80);
  const syn = t.expect('S');
  t.receive('SA', { seq: 0, ack: 1, mss: 1460, timestamps: [1, syn.timestamps![0]] });
  t.shutdown();
  t.receive('FA', { seq: 1, ack: 2, timestamps: [2, 0] });
  assert.equal(t.state, 'TIME-WAIT');
  const end = t.tcp.core.table.sndMax[t.connection]!;
  t.close();
  assert.equal(connectAnywhere(t), -1);
  t.advance(1_100);
  assert.equal(connectAnywhere(t), 80);
  t.sent.length = 0;
  t.advance(2_000);
  assert.ok(((t.sent[0]!.rawSeq - end) | 0) > 0, 'with numbers beyond the old ones');
  t.finish();
});
