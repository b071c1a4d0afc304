import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loopbackConfig } from './default-config.js';
import { resolveConfig } from './load.js';
import { parseBitRate, parseBytes, parseFraction, parseMilliseconds } from './quantity.js';
import { suggest } from './suggest.js';
import { defaultsOf, MEMORY_TABLE, TUNABLE_TABLE } from './tunable-table.js';

test('quantities are read with and without units', () => {
  assert.deepEqual(
    [parseBytes(7), parseBytes('64KiB'), parseBytes('1.5 MB'), parseBytes('64 kib')],
    [7, 65_536, 1.5e6, undefined],
  );
  assert.deepEqual(
    [parseMilliseconds('10s'), parseMilliseconds('200us'), parseMilliseconds('-1s')],
    [10_000, 0.2, undefined],
  );
  assert.deepEqual([parseBitRate('10Mbit'), parseBitRate('1 Gbit'), parseBitRate('fast')], [1e7, 1e9, undefined]);
  assert.deepEqual([parseFraction('1%'), parseFraction(0.5), parseFraction(Number.NaN)], [0.01, 0.5, undefined]);
});

test('a name with a slip is recognised, a strange one is answered with the list', () => {
  assert.equal(suggest('forwardin', ['forwarding', 'routes']), 'did you mean "forwarding"?');
  assert.equal(suggest('swithc', ['switch', 'peer']), 'did you mean "switch"?');
  assert.equal(suggest('LAN0', ['lan0', 'lan1']), 'did you mean "lan0"?');
  assert.equal(suggest('x', ['forwarding', 'routes']), 'known here: forwarding, routes');
  assert.equal(suggest('x', []), undefined);
});

test('every default lies within its own limits, and is what a configuration has that says nothing', () => {
  for (const table of [MEMORY_TABLE, ...Object.values(TUNABLE_TABLE)]) {
    for (const [name, tunable] of Object.entries(table)) {
      assert.ok(tunable.default >= tunable.min && tunable.default <= tunable.max, name);
    }
  }
  const { memory, tunables } = resolveConfig({});
  assert.deepEqual(memory, defaultsOf(MEMORY_TABLE));
  assert.deepEqual(tunables, { tcp: defaultsOf(TUNABLE_TABLE.tcp) });
});

test('the network of one stack is what the schema makes of it', () => {
  assert.deepEqual(loopbackConfig('host'), resolveConfig({ stacks: { host: {} } }));
});

test('tunables are held within their limits', () => {
  assert.throws(
    () => resolveConfig({ tunables: { tcp: { timeWaitMs: '1h' } } }),
    /tunables\.tcp\.timeWaitMs: 1h is not within 1 … 600000/,
  );
  assert.throws(() => resolveConfig({ memory: { packets: 1 } }), /memory\.packets: 1 is less than 256/);
});
