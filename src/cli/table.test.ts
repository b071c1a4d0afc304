import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatTable } from './table.js';

test('columns are as wide as what they hold, numbers stand at the right', () => {
  const text = formatTable(
    [{ title: 'NAME' }, { title: 'COUNT', isNumber: true }, { title: 'NOTE' }],
    [
      ['a', 1, 'first'],
      ['longer', 1_234_567, ''],
    ],
  );
  assert.deepEqual(text.split('\n'), ['NAME        COUNT  NOTE', 'a               1  first', 'longer  1,234,567']);
});

test('numbers are written for people', () => {
  assert.deepEqual([formatCount(0), formatCount(1234.56), formatCount(Infinity)], ['0', '1234.6', '–']);
  assert.deepEqual(
    [formatBytes(0), formatBytes(1023), formatBytes(1536), formatBytes(2 ** 31)],
    ['0 B', '1023 B', '1.5 KiB', '2.0 GiB'],
  );
});
