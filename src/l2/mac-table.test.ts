import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MacColumn, MacTable, NO_ROW } from './mac-table.js';

describe('MacTable', () => {
  it('behaves as a map, through collisions and removals', () => {
    // Few addresses, so that additions and removals meet.
    const command = fc.record({
      kind: fc.constantFrom('add', 'add', 'add', 'remove', 'removeWhere'),
      bridge: fc.integer({ min: 0, max: 2 }),
      lo: fc.integer({ min: 0, max: 600 }),
      port: fc.integer({ min: 1, max: 9 }),
    });
    const property = fc.property(fc.array(command, { minLength: 800, maxLength: 1500 }), (commands) => {
      const table = new MacTable(2000);
      const model = new Map<string, number>();
      for (const { kind, bridge, lo, port } of commands) {
        const key = (bridge << 16) | 0xfffe;
        const name = `${bridge}/${lo}`;
        const row = table.find(key, lo);
        assert.equal(row !== NO_ROW, model.has(name));
        if (kind === 'add' && row === NO_ROW) {
          table.add(key, lo, port, 0);
          model.set(name, port);
        } else if (kind === 'remove' && row !== NO_ROW) {
          assert.equal(table.rows[row + MacColumn.port], model.get(name));
          table.remove(row);
          model.delete(name);
        } else if (kind === 'removeWhere' && lo < 5) {
          table.removeWhere((at) => table.rows[at + MacColumn.port] === port);
          for (const [entry, value] of model) if (value === port) model.delete(entry);
        }
      }
      assert.equal(table.count, model.size);
      const found = new Map<string, number>();
      table.forEach((at) => {
        const { rows } = table;
        found.set(`${rows[at]! >> 16}/${rows[at + MacColumn.macLo]}`, rows[at + MacColumn.port]!);
      });
      assert.deepEqual([...found].sort(), [...model].sort());
    });
    fc.assert(property, { seed: 3, numRuns: 25 });
  });
});
