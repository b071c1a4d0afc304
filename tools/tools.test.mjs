import assert from 'node:assert/strict';
import test from 'node:test';
import { checkDecisions, checkLinks } from './docs.mjs';
import { checkExample } from './examples.mjs';
import { isInstalled } from './install.mjs';
import { skippedTests, summaryLines } from './lib/tap.mjs';
import { checkContents, checkLockfile, checkManifest, REQUIRED } from './package.mjs';

test('dependencies count as installed when their versions are those of the lock file', () => {
  const locked = { '': {}, 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' } };
  const optional = { version: '3.0.0', integrity: 'sha512-b', optional: true };
  assert.equal(isInstalled(locked, undefined), false);
  assert.equal(isInstalled(locked, {}), false);
  assert.equal(isInstalled(locked, { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' } }), true);
  assert.equal(isInstalled(locked, { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-other' } }), false);
  assert.equal(isInstalled({ '': {}, 'node_modules/koffi': optional }, {}), true);
  assert.equal(
    isInstalled({ '': {}, 'node_modules/koffi': optional }, { 'node_modules/koffi': { version: '2.0.0' } }),
    false,
  );
});

const tap = `TAP version 13
# Subtest: a # tests 9
ok 1 - a # tests 9
    ok 1 - nested # SKIP peer missing: tshark
ok 2 - group
ok 3 - later # SKIP
1..3
# tests 3
# suites 0
# pass 1
# fail 0
# cancelled 0
# skipped 2
# todo 0
# duration_ms 12.5
`;

test('the closing summary and the reasons of skips are read from TAP', () => {
  assert.equal(summaryLines(tap)[0], '# tests 3');
  assert.equal(summaryLines(tap).at(-1), '# duration_ms 12.5');
  assert.deepEqual(summaryLines(tap.slice(0, -100)), []);
  assert.deepEqual(skippedTests(tap), [
    { name: 'nested', reason: 'peer missing: tshark' },
    { name: 'later', reason: 'no reason given' },
  ]);
});

test('a link to a file that does not exist is found, unless it stands in code', () => {
  const text =
    'See [a](a.md), [b](../b.md#part), [site](https://example.org/) and [here](#part).\n\n```\n[c](c.md)\n```\n';
  const exists = (/** @type {string} */ path) => path === 'docs/a.md';
  assert.deepEqual(checkLinks('docs/x.md', text, exists), [`docs/x.md:1: link to '../b.md', which does not exist`]);
});

test('decisions are named, numbered without gaps and listed', () => {
  const files = ['docs/adr/0001-one.md', 'docs/adr/0003-three.md', 'docs/adr/README.md', 'docs/adr/notes.md'];
  assert.deepEqual(checkDecisions(files, '(0001-one.md) (0003-three.md)'), [
    'docs/adr/0003-three.md: numbers go up by one from 0001',
    'docs/adr/notes.md: not named NNNN-title.md',
    'docs/adr/README.md: does not list notes.md',
  ]);
});

test('an example is short, plain JavaScript and imports only what is published', () => {
  const packages = new Set(['usernet', 'express']);
  const good = `import http from 'node:http';\nimport { createNetwork } from 'usernet';\nimport './other.js';\n`;
  assert.deepEqual(checkExample('examples/good.js', good, packages), []);
  assert.deepEqual(
    checkExample('examples/bad.ts', `import '../src/index.js';\n${'\n'.repeat(60)}void 0;\n`, packages),
    [
      'examples/bad.ts: examples are plain JavaScript',
      'examples/bad.ts: 62 lines; an example has at most 60',
      `examples/bad.ts: imports '../src/index.js', which is not published`,
    ],
  );
});

test('the lock file is complete and holds no address of a registry', () => {
  const lock = (/** @type {object} */ packages) => JSON.stringify({ packages });
  const biome = { optionalDependencies: { '@biomejs/cli-darwin-arm64': '2.0.0' } };
  const cli = { version: '2.0.0', integrity: 'sha512-a', optional: true };
  const complete = { 'node_modules/biome': biome, 'node_modules/@biomejs/cli-darwin-arm64': cli };
  assert.deepEqual(checkLockfile(lock(complete)), []);
  assert.deepEqual(checkLockfile(lock({ 'node_modules/biome': biome })), [
    `package-lock.json: lacks '@biomejs/cli-darwin-arm64', which 'node_modules/biome' names`,
  ]);
  assert.deepEqual(checkLockfile(lock({ 'node_modules/a': { resolved: 'https://registry.example/a.tgz' } })), [
    'package-lock.json: holds addresses of a registry ("resolved")',
  ]);
});

test('each entry point in src/ is exported with its types, and nothing else is', () => {
  const entry = { types: './dist/index.d.ts', default: './dist/index.js' };
  const manifest = { exports: { '.': entry, './package.json': './package.json' } };
  assert.deepEqual(checkManifest(manifest, ['src/index.ts', 'src/wire/tcp.ts', 'src/index.test.ts']), []);
  assert.deepEqual(checkManifest({ ...manifest, scripts: { postinstall: 'x' } }, ['src/register.ts']), [
    `package.json: has 'postinstall'`,
    `package.json: 'exports' lacks './register'`,
    `package.json: 'exports' has '.', which has no file in src/`,
  ]);
  assert.deepEqual(checkManifest({ exports: { ...manifest.exports, '.': './dist/index.js' } }, ['src/index.ts']), [
    `package.json: '.' must have the conditions 'types' and 'default', in this order`,
  ]);
});

test('the tarball holds what is exported and no test, map or source', () => {
  const paths = [...REQUIRED, 'dist/index.js'];
  assert.ok(paths.includes('README.md') && paths.includes('docs/sockets.md') && paths.includes('bin/usernet.js'));
  const packed = { filename: '', unpackedSize: 1000, files: paths.map((path) => ({ path })) };
  const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } };
  assert.deepEqual(checkContents(packed, exports), ['the package lacks dist/index.d.ts']);
  const files = ['dist/index.d.ts', 'dist/a.test.js', 'dist/index.js.map', 'src/index.ts'].map((path) => ({ path }));
  assert.deepEqual(checkContents({ ...packed, files: [...packed.files, ...files], unpackedSize: 6e6 }, exports), [
    'the package must not hold dist/a.test.js',
    'the package must not hold dist/index.js.map',
    'the package must not hold src/index.ts',
    'the package has 6000000 B, over 5000000',
  ]);
});
