import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.js';
import { PacketPool, type PacketPoolOptions } from './packet-pool.js';
import { HEADROOM_BYTES, NO_SLOT, SLOT_BYTES, SLOT_DATA_BYTES } from './slot.js';

function makePool(options: Partial<PacketPoolOptions> = {}) {
  const slots = options.slots ?? 2048;
  return new PacketPool(new Arena(slots * 2500 + (1 << 20)), { slots, ...options });
}

function takeAll(pool: PacketPool): Int32Array {
  const slots = new Int32Array(pool.slotCount);
  const count = pool.takeMany(slots, 0, slots.length);
  return slots.subarray(0, count);
}

describe('PacketPool', () => {
  it('hands out every slot once, and then no more', () => {
    const pool = makePool();
    const slots = takeAll(pool);
    assert.equal(slots.length, 2048);
    assert.equal(new Set(slots).size, 2048);
    assert.equal(pool.take(), NO_SLOT);
    assert.equal(pool.free, 0);
    pool.giveMany(slots, slots.length);
    assert.equal(pool.inUse, 0);
    assert.equal(takeAll(pool).length, 2048);
  });

  it('uses low slots first, so that memory that is not needed is not touched', () => {
    const pool = makePool();
    assert.ok([...Array(200)].every(() => pool.take() < 256));
  });

  it('makes slots fresh, with room for headers before and a frame behind their head', () => {
    const pool = makePool({ slots: 64 });
    for (const slot of takeAll(pool)) {
      const columns = [pool.rxInterface, pool.flags, pool.flowHash, pool.gsoSize, pool.mark, pool.trace];
      for (const column of [...columns, pool.length, pool.totalLength, pool.head]) column[slot] = 99;
      pool.give(slot);
      const again = pool.take();
      assert.equal(again, slot);
      for (const column of [...columns, pool.length, pool.totalLength]) assert.equal(column[slot], 0);
      assert.equal(pool.next[slot], NO_SLOT);
      assert.equal(pool.head[slot], pool.dataStart(slot));
      assert.ok(pool.head[slot]! - pool.slotStart(slot) >= HEADROOM_BYTES);
      assert.ok(pool.dataEnd(slot) - pool.head[slot]! >= SLOT_DATA_BYTES);
      assert.equal(pool.dataEnd(slot) - pool.slotStart(slot), SLOT_BYTES);
      assert.equal(pool.head[slot]! % 64, 0);
      assert.equal(pool.ownerOf[slot], pool.owner);
    }
  });

  it('gives back chains as a whole', () => {
    const pool = makePool();
    const slots = takeAll(pool).slice(0, 300);
    for (let i = 1; i < slots.length; i++) pool.next[slots[i - 1]!] = slots[i]!;
    const before = pool.free;
    pool.give(slots[0]!);
    assert.equal(pool.free, before + 300);
    // The links do not come out again with the slots.
    for (const slot of takeAll(pool)) assert.equal(pool.next[slot], NO_SLOT);
  });

  it('dies when a slot is given back twice, alone, in a batch or in a chain', () => {
    const pool = makePool();
    const [a, b, c] = [pool.take(), pool.take(), pool.take()];
    pool.give(a);
    assert.throws(() => pool.give(a), /twice/);
    assert.throws(() => pool.giveMany(Int32Array.of(b, b), 2), /twice/);
    pool.next[c] = a;
    assert.throws(() => pool.give(c), /twice/);
  });

  it('moves slots between its levels: cache, L1 and the reserve L2', () => {
    const pool = makePool({ slots: 2048, reserveSlots: 512, lowWatermark: 192 });
    assert.deepEqual(pool.levels(), { cache: 0, l1: 1536, l2: 512 });
    const slots = new Int32Array(2048);
    pool.takeMany(slots, 0, 10);
    assert.deepEqual(pool.levels(), { cache: 246, l1: 1280, l2: 512 });
    pool.takeMany(slots, 10, 1400);
    assert.equal(pool.levels().l2, 512, 'the reserve stays closed while L1 has slots');
    assert.equal(pool.isLow, true);
    pool.takeMany(slots, 1410, 300);
    assert.ok(pool.levels().l2 < 512, 'the reserve opens when L1 is empty');
    pool.giveMany(slots, 1710);
    pool.flush();
    assert.equal(pool.levels().cache, 0);
    const { l1, l2 } = pool.levels();
    assert.equal(l1 + l2, 2048);
    assert.ok(l2 <= 512 && l2 > 256, `the reserve is filled up again: ${l2}`);
    assert.equal(pool.isLow, false);
  });

  it('takes back all slots of an owner that has died', () => {
    const pool = makePool({ owner: 3 });
    const slots = takeAll(pool);
    for (let i = 0; i < 100; i++) pool.ownerOf[slots[i]!] = 7;
    pool.next[slots[3]!] = slots[500]!;
    assert.equal(pool.reclaim(7), 100);
    assert.equal(pool.free, 100);
    assert.equal(pool.reclaim(7), 0);
    pool.giveMany(slots, slots.length - 100, 100);
    assert.equal(pool.inUse, 0);
  });

  it('keeps account of every slot through any sequence of taking and giving', () => {
    const command = fc.record({
      kind: fc.constantFrom('take', 'takeMany', 'give', 'giveMany', 'chain', 'flush'),
      count: fc.integer({ min: 0, max: 700 }),
    });
    const property = fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
      const pool = makePool({ slots: 1500 });
      const held: number[] = [];
      const chained = new Map<number, number>();
      let heldSlots = 0;
      for (const { kind, count } of commands) {
        if (kind === 'take') {
          const slot = pool.take();
          assert.equal(slot === NO_SLOT, heldSlots === 1500);
          if (slot !== NO_SLOT) held.push(slot);
          if (slot !== NO_SLOT) heldSlots++;
        } else if (kind === 'takeMany') {
          const into = new Int32Array(800);
          const taken = pool.takeMany(into, 50, count);
          assert.equal(taken, Math.min(count, 1500 - heldSlots));
          held.push(...into.subarray(50, 50 + taken));
          heldSlots += taken;
        } else if (kind === 'give' && held.length > 0) {
          const slot = held.splice(count % held.length, 1)[0]!;
          heldSlots -= chained.get(slot) ?? 1;
          chained.delete(slot);
          pool.give(slot);
        } else if (kind === 'giveMany') {
          const slots = Int32Array.from(held.splice(0, count));
          for (const slot of slots) heldSlots -= chained.get(slot) ?? 1;
          for (const slot of slots) chained.delete(slot);
          pool.giveMany(slots, slots.length);
        } else if (kind === 'chain' && held.length > 2) {
          const [first, second] = held.splice(0, 2) as [number, number];
          if (chained.has(first) || chained.has(second)) held.push(first, second);
          else {
            pool.next[first] = second;
            chained.set(first, 2);
            held.push(first);
          }
        } else if (kind === 'flush') {
          pool.flush();
        }
        assert.equal(pool.inUse, heldSlots);
        assert.equal(new Set(held).size, held.length);
        const { cache, l1, l2 } = pool.levels();
        assert.equal(cache + l1 + l2, 1500 - heldSlots);
      }
    });
    fc.assert(property, { seed: 6, numRuns: 60 });
  });
});
