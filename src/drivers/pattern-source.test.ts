import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PatternSource } from './pattern-source.js';
import { Sink } from './sink.js';
import { makeLinkLab, packetOf, pattern, receiveBytes, send } from './testing/link-lab.js';

describe('PatternSource and Sink', () => {
  it('give and take packets without end', () => {
    const { pool } = makeLinkLab();
    for (const length of [1, 60, 64, 65, 1500]) {
      const templates = [pattern(length, 1), pattern(length, 2), pattern(length, 3)];
      const source = new PatternSource(pool, 'ethernet', templates);
      const received = [...receiveBytes(pool, source, 4), ...receiveBytes(pool, source, 3)];
      assert.deepEqual(
        received,
        [0, 1, 2, 0, 1, 2, 0].map((i) => templates[i]),
      );
      assert.equal(send(pool, source, packetOf(pool, new Uint8Array(60))), 1);
      source.close();
    }
    const sink = new Sink(pool, 'ip');
    assert.equal(sink.receive(), 0);
    send(pool, sink, packetOf(pool, new Uint8Array(60)), packetOf(pool, new Uint8Array(5000)));
    assert.deepEqual([sink.packets, sink.bytes], [2, 5060]);
    sink.close();
    assert.equal(pool.inUse, 0);
  });

  it('goes on when the pool was out of slots', () => {
    const { pool } = makeLinkLab(64);
    const source = new PatternSource(pool, 'ip', [pattern(60)]);
    let pending = 0;
    source.onPending = () => pending++;
    assert.equal(receiveBytes(pool, source, 100).length, 64);
    assert.equal(pending, 1);
    assert.throws(() => new PatternSource(pool, 'ip', []), /fit into a slot/);
    assert.throws(() => new PatternSource(pool, 'ip', [pattern(60), pattern(61)]), /one length/);
  });
});
