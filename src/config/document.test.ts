import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageFolder } from './package-folder.js';
import { networkSchema } from './schema.js';
import { MEMORY_TABLE, TUNABLE_TABLE } from './tunable-table.js';

const text = readFileSync(join(packageFolder(), 'docs/configuration.md'), 'utf8');

test('the reference page tells of every section and every tunable', () => {
  for (const section of Object.keys(networkSchema.shape)) {
    assert.match(text, new RegExp(`^##+ .*\\b${section}\\b`, 'm'), section);
  }
  for (const table of [MEMORY_TABLE, ...Object.values(TUNABLE_TABLE)]) {
    for (const [name, { purpose }] of Object.entries(table)) {
      assert.ok(text.includes(`| \`${name}\` |`), name);
      assert.ok(text.includes(purpose), purpose);
    }
  }
});
