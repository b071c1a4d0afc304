import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { root } from '../lib/process.mjs';
import { findViolations } from './check.mjs';
import { formatLayers, withLayers } from './print.mjs';
import { layers } from './table.mjs';

/** @type {Record<string, import('./table.mjs').Layer>} */
const table = {
  base: { purpose: 'basics', imports: [], portable: true },
  wire: { purpose: 'codecs', imports: ['base'], portable: true },
  host: { purpose: 'edge', imports: ['base'], portable: false },
};

/** The messages for one file with this text. */
function check(/** @type {string} */ path, /** @type {string} */ text) {
  return findViolations(table, [{ path, text }]).map(({ line, message }) => `${line}: ${message}`);
}

test('imports that the table allows pass', () => {
  assert.deepEqual(check('src/wire/tcp.ts', `import { assert } from '../base/assert.js';\nimport './udp.js';\n`), []);
  assert.deepEqual(check('src/host/clock.ts', `import fs from 'node:fs';\nimport koffi from 'koffi';\n`), []);
  assert.deepEqual(check('src/index.ts', `export { tap } from './host/tap.js';\n`), []);
});

test('an import of a higher or a forbidden layer is found in each form, with its line', () => {
  const expected = [`2: 'base' must not import 'wire' (src/wire/tcp.js)`];
  for (const statement of [
    `import { checkTcp } from '../wire/tcp.js';`,
    `import type { Tcp } from '../wire/tcp.js';`,
    `export { checkTcp } from '../wire/tcp.js';`,
    `export * from '../wire/tcp.js';`,
    `const tcp = await import('../wire/tcp.js');`,
    `import '../wire/tcp.js';`,
  ]) {
    assert.deepEqual(check('src/base/hash.ts', `\n${statement}\n`), expected, statement);
  }
  assert.deepEqual(check('src/wire/tcp.ts', `import '../host/clock.js';`), [
    `1: 'wire' must not import 'host' (src/host/clock.js)`,
  ]);
});

test('what looks like an import in a comment or a string is none', () => {
  assert.deepEqual(check('src/base/hash.ts', `// import '../wire/tcp.js';\nconst s = "from '../wire/tcp.js'";\n`), []);
});

test('a portable folder imports neither Node modules nor packages, and no Math.random', () => {
  assert.deepEqual(check('src/wire/tcp.ts', `import fs from 'node:fs';\nimport { z } from 'zod';\n`), [
    `1: 'wire' is portable and must not import 'node:fs'`,
    `2: 'wire' is portable and must not import 'zod'`,
  ]);
  assert.deepEqual(check('src/wire/tcp.ts', `export const id = () => Math.random();`), [
    `1: Math.random in 'wire': randomness is injected`,
  ]);
});

test('a folder without a row, an entry point and what is not in src/ are refused', () => {
  assert.deepEqual(check('src/new/thing.ts', ''), [`1: folder 'new' has no row in the table of layers`]);
  assert.deepEqual(check('src/host/a.ts', `import '../index.js';\nimport '../../test/x.js';\n`), [
    `1: 'host' must not import the entry point 'src/index.js'`,
    `2: 'host' must not import 'test/x.js', which is not in src/`,
  ]);
});

test('a test may put layers together, but not reach out of src/ and test/', () => {
  const text = `import test from 'node:test';\nimport '../wire/tcp.js';\nimport '../../test/support/peers.js';\n`;
  assert.deepEqual(check('src/base/hash.test.ts', text), []);
  assert.deepEqual(check('src/base/hash.test.ts', `import '../../tools/build.mjs';`), [
    `1: a test must not import 'tools/build.mjs'`,
  ]);
});

test('what tests share lies in a folder testing, and the product does not import it', () => {
  assert.deepEqual(
    check('src/base/testing/fake.ts', `import assert from 'node:assert';\nimport '../../wire/tcp.js';`),
    [],
  );
  assert.deepEqual(check('src/base/hash.test.ts', `import './testing/fake.js';`), []);
  assert.deepEqual(check('src/base/hash.ts', `import './testing/fake.js';`), [
    `1: the product must not import 'src/base/testing/fake.js', which is for tests`,
  ]);
});

test('a node has the name of its file', () => {
  const text = `export const tcp4Input: NodeSpec<L3Context> = {\n  name: 'tcp4-input',\n};\n`;
  assert.deepEqual(check('src/wire/tcp4-input.ts', text), []);
  assert.deepEqual(check('src/wire/tcp-input.ts', text), [`1: node 'tcp4-input' stands in a file of another name`]);
});

test('a table with a cycle, an unknown folder or a portable row on an unportable one is refused', () => {
  /** @type {Record<string, import('./table.mjs').Layer>} */
  const broken = {
    base: { purpose: '', imports: ['wire'], portable: true },
    host: { purpose: '', imports: ['none'], portable: false },
    wire: { purpose: '', imports: ['base', 'host'], portable: true },
  };
  assert.deepEqual(
    findViolations(broken, []).map(({ message }) => message),
    [
      `row 'base': 'wire' does not stand above the row`,
      `row 'host': 'none' does not stand above the row`,
      `row 'wire': portable, but imports 'host', which is not`,
    ],
  );
});

test('the table is printed between its markers and nowhere else', () => {
  const empty = withLayers(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'), {});
  const full = withLayers(empty, table);
  assert.equal(full.includes(formatLayers(table)), true);
  assert.equal(withLayers(full, {}), empty);
  assert.throws(() => withLayers('# No markers', table), /no markers/);
});

test('the type checker and the linter know the same portable folders as the table', () => {
  const config = JSON.parse(readFileSync(join(root, 'tsconfig.portable.json'), 'utf8'));
  const biome = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  const globs = biome.overrides.flatMap((/** @type {{ includes: string[] }} */ { includes }) => includes);
  const linted = globs
    .find((/** @type {string} */ glob) => glob.startsWith('src/{'))
    ?.match(/\{(.*)\}/)?.[1]
    .split(',');
  for (const [folder, { portable }] of Object.entries(layers)) {
    assert.equal(config.include.includes(`src/${folder}`), portable, `tsconfig.portable.json: ${folder}`);
    assert.equal(linted.includes(folder), portable, `biome.json: ${folder}`);
  }
});
