import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_SLOT, SLOT_BYTES } from '../mem/slot.js';
import { copyPacket, makePacket } from './copy-packet.js';
import { bytesOf, makeLinkLab, packetOf, pattern } from './testing/link-lab.js';

describe('makePacket and copyPacket', () => {
  it('make chains of any length and copies that stand alone', () => {
    const { pool, kernels } = makeLinkLab();
    for (const length of [0, 1, 60, 1700, 1728, 1729, SLOT_BYTES, 9000, 65_549]) {
      const bytes = pattern(length);
      const slot = packetOf(pool, bytes);
      assert.equal(pool.totalLength[slot], length);
      pool.head[slot]! += length > 14 ? 14 : 0;
      pool.length[slot]! -= length > 14 ? 14 : 0;
      pool.totalLength[slot]! -= length > 14 ? 14 : 0;
      const rest = length > 14 ? bytes.subarray(14) : bytes;
      pool.network[slot] = pool.head[slot]! + 3;
      pool.transport[slot] = pool.head[slot]! + 23;
      pool.flags[slot] = 9;
      pool.gsoSize[slot] = 1000;
      pool.txInterface[slot] = 4;
      pool.timestamp[slot] = 77;
      const copy = copyPacket(pool, kernels, slot);
      assert.equal(pool.network[copy]! - pool.head[copy]!, 3);
      assert.equal(pool.transport[copy]! - pool.head[copy]!, 23);
      const columns = [pool.flags, pool.gsoSize, pool.txInterface, pool.timestamp].map((column) => column[copy]);
      assert.deepEqual(columns, [9, 1000, 4, 77]);
      pool.bytes.fill(0, pool.head[slot]!, pool.head[slot]! + pool.length[slot]!);
      pool.give(slot);
      assert.deepEqual(bytesOf(pool, copy), rest);
      pool.give(copy);
      assert.equal(pool.inUse, 0);
    }
  });

  it('give back what they took when there are not enough slots', () => {
    const { pool, kernels } = makeLinkLab(64);
    const slot = packetOf(pool, pattern(1700 * 36));
    const before = pool.inUse;
    assert.equal(copyPacket(pool, kernels, slot), NO_SLOT);
    assert.equal(makePacket(pool, pattern(60_000)), NO_SLOT);
    assert.equal(pool.inUse, before);
    pool.give(slot);
    assert.equal(pool.inUse, 0);
  });
});
