import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NS_PER_MS } from '../base/time.js';
import { TokenBuckets } from './token-bucket.js';

test('a bucket starts full, empties, and fills at its rate up to its size', () => {
  const buckets = new TokenBuckets(2, 1000, 3);
  const takeAll = (nowNs: number): number => {
    let taken = 0;
    while (buckets.take(0, nowNs)) taken++;
    return taken;
  };
  assert.equal(takeAll(0), 3);
  assert.equal(takeAll(0.5 * NS_PER_MS), 0);
  assert.equal(takeAll(1 * NS_PER_MS), 1);
  assert.equal(takeAll(1000 * NS_PER_MS), 3);
  assert.ok(buckets.take(1, 0), 'another row');
});
