import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../mem/arena.js';
import { RegionHeap } from '../mem/region-heap.js';
import { FLOW_KEY_WORDS, FlowTable, NO_FLOW, setFlowKey, setFlowKeyIpv4 } from './flow-table.js';

function makeTable(limitBytes = 16 * 1024 * 1024): { table: FlowTable; heap: RegionHeap } {
  const arena = new Arena(64 * 1024 * 1024);
  const heap = new RegionHeap(arena, limitBytes);
  return { table: new FlowTable(arena, heap, 4711), heap };
}

const key = new Int32Array(FLOW_KEY_WORDS);

test('finds what was added and nothing else', () => {
  const { table } = makeTable();
  setFlowKeyIpv4(key, 1, 6, 0x0a000001, 0x0a000002, (80 << 16) | 40000);
  assert.equal(table.find(key), NO_FLOW);
  assert.ok(table.add(key, 7));
  assert.equal(table.find(key), 7);
  for (let word = 0; word < FLOW_KEY_WORDS; word++) {
    key[word]! ^= 1;
    assert.equal(table.find(key), NO_FLOW, `word ${word} counts`);
    key[word]! ^= 1;
  }
  assert.ok(table.replace(key, 9));
  assert.equal(table.find(key), 9);
  assert.ok(table.remove(key));
  assert.equal(table.find(key), NO_FLOW);
  assert.equal(table.remove(key), false);
  assert.equal(table.replace(key, 1), false);
});

test('an IPv4 key is the key of the mapped address', () => {
  const { table } = makeTable();
  setFlowKeyIpv4(key, 3, 17, 0x7f000001, 0, 53 << 16);
  table.add(key, 1);
  setFlowKey(key, 3, 17, 0, 0, 0xffff, 0x7f000001, 0, 0, 0, 0, 53 << 16);
  assert.equal(table.find(key), 1);
});

test('agrees with a Map under random additions and removals', () => {
  const operation = fc.record({ add: fc.boolean(), flow: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 1500 }), (operations) => {
      const { table, heap } = makeTable();
      const model = new Map<number, number>();
      for (const [step, { add, flow }] of operations.entries()) {
        setFlowKeyIpv4(key, 1, 6, flow % 3, flow, flow << 4);
        if (!add) assert.equal(table.remove(key), model.delete(flow));
        else if (!model.has(flow)) {
          model.set(flow, step);
          assert.ok(table.add(key, step));
        }
        assert.equal(table.count, model.size);
      }
      for (let flow = 0; flow <= 300; flow++) {
        setFlowKeyIpv4(key, 1, 6, flow % 3, flow, flow << 4);
        assert.equal(table.find(key), model.get(flow) ?? NO_FLOW);
      }
      table.clear();
      assert.equal(heap.usedBytes, 0);
    }),
    { seed: 5, numRuns: 60 },
  );
});

test('refuses when memory is out, and works on', () => {
  const { table } = makeTable(4096);
  let added = 0;
  for (let i = 1; i < 200; i++) {
    setFlowKeyIpv4(key, 1, 6, i, i, i);
    if (table.add(key, i)) added++;
  }
  assert.equal(added, 63);
  for (let i = 1; i <= 63; i++) {
    setFlowKeyIpv4(key, 1, 6, i, i, i);
    assert.equal(table.find(key), i);
    assert.ok(table.remove(key));
  }
  assert.equal(table.count, 0);
});
