import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ip, L3Lab } from './testing/l3-lab.js';

test('packets made outside of the graph wake the engine and leave in order, a frame at a time', () => {
  const lab = new L3Lab();
  const stack = lab.l3.createStack();
  lab.addLoopback(stack);
  const kinds: string[] = [];
  for (let i = 0; i < 600; i++) lab.l3.ping(stack, ip('127.0.0.1'), { bytes: 8 }, ({ kind }) => kinds.push(kind));
  assert.equal(lab.l3.nextDeadlineNs(), 0);
  lab.graph.run();
  assert.equal(lab.l3.outbox.count, 344);
  lab.settle();
  assert.equal(kinds.length, 600);
  assert.ok(kinds.every((kind) => kind === 'reply'));
  assert.equal(lab.close(), 0);
});

test('what is left in the outbox at the end goes back to the pool', () => {
  const lab = new L3Lab();
  const stack = lab.l3.createStack();
  lab.l3.ping(stack, ip('192.0.2.1'), { source: 1 }, () => {});
  assert.equal(lab.l3.outbox.count, 1);
  assert.equal(lab.close(), 0);
});
