import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionPort } from '../session/port.js';
import { WriteQueue } from './write-queue.js';

/** A port that takes as many bytes as `room` says and keeps them. */
class Tap {
  room = 0;
  readonly taken: number[] = [];
  readonly port = {
    write: (_session: number, bytes: Uint8Array, from: number, count: number): number => {
      const now = Math.min(count, this.room);
      this.room -= now;
      this.taken.push(...bytes.subarray(from, from + now));
      return now;
    },
  } as Partial<SessionPort> as SessionPort;
}

function request(done: string[], name: string): { complete(status: number): void } {
  return { complete: (status) => done.push(`${name} ${status}`) };
}

test('what finds no room waits, in order, and its requests end with their last byte', () => {
  const tap = new Tap();
  const queue = new WriteQueue(tap.port, 1);
  const done: string[] = [];
  tap.room = 2;
  assert.equal(queue.offer(Uint8Array.of(1, 2, 3), 3), 2);
  queue.push(Uint8Array.of(1, 2, 3), 2, request(done, 'a'));
  assert.equal(queue.offer(Uint8Array.of(9), 1), 0, 'others wait');
  queue.push(Uint8Array.of(4, 5), 0, undefined);
  queue.push(Uint8Array.of(6), 0, request(done, 'b'));
  assert.equal(queue.length, 4);
  tap.room = 2;
  queue.flush();
  assert.deepEqual([tap.taken, done, queue.length], [[1, 2, 3, 4], ['a 0'], 2]);
  tap.room = 10;
  queue.flush();
  assert.deepEqual([tap.taken, done, queue.length, queue.isEmpty], [[1, 2, 3, 4, 5, 6], ['a 0', 'b 0'], 0, true]);
});

test('empty writes keep their place', () => {
  const tap = new Tap();
  const queue = new WriteQueue(tap.port, 1);
  const done: string[] = [];
  queue.push(Uint8Array.of(1), 0, undefined);
  queue.push(new Uint8Array(0), 0, request(done, 'a'));
  queue.flush();
  assert.deepEqual(done, []);
  tap.room = 1;
  queue.flush();
  assert.deepEqual(done, ['a 0']);
});

test('failing ends every request once', () => {
  const queue = new WriteQueue(new Tap().port, 1);
  const done: string[] = [];
  queue.push(Uint8Array.of(1), 0, request(done, 'a'));
  queue.push(Uint8Array.of(2), 0, undefined);
  queue.push(Uint8Array.of(3), 0, request(done, 'b'));
  queue.fail(-125);
  queue.fail(-1);
  assert.deepEqual([done, queue.isEmpty, queue.length], [['a -125', 'b -125'], true, 0]);
});

test('a long queue that never runs dry keeps its order', () => {
  const tap = new Tap();
  const queue = new WriteQueue(tap.port, 1);
  for (let i = 0; i < 2_000; i++) {
    queue.push(Uint8Array.of(i & 0xff), 0, undefined);
    if (i % 2 === 1) tap.room = 1;
    queue.flush();
  }
  assert.equal(queue.length, 1_000);
  tap.room = Infinity;
  queue.flush();
  assert.deepEqual(
    tap.taken,
    Array.from({ length: 2_000 }, (_, i) => i & 0xff),
  );
});
