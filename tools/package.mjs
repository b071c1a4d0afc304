/**
 * Checks what would be published: lock file, manifest, contents of the tarball, publint, are-the-types-wrong, and a
 * consumer that imports and type-checks every entry point of the unpacked tarball.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { build } from './build.mjs';
import { listFiles, readJson } from './lib/files.mjs';
import { capture, npmCommand, root, run, runModule, say } from './lib/process.mjs';

const FOLDER = 'build/package';
const CONSUMER = `${FOLDER}/consumer`;
const MAX_UNPACKED_BYTES = 5_000_000;
const PAGES = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'LICENSE', ...PAGES.map((name) => `docs/${name}`)];
/** `usernet up` without a file starts the demo. */
const DEMO = ['examples/demo.yaml', 'examples/hello-server.js'];
export const REQUIRED = ['package.json', ...DOCUMENTS, 'bin/usernet.js', ...DEMO];
const BUILT = /^dist\/.*\.(js|d\.ts|wasm)$/;
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];

/** @typedef {Record<string, string | Record<string, string>>} Exports */
/** @typedef {{ filename: string, unpackedSize: number, files: { path: string }[] }} Packed what `npm pack --json` says */

/** @returns {Promise<number>} the exit code; problems are printed */
export async function checkPackage() {
  await build();
  const manifest = readJson('package.json');
  const packed = await pack();
  const problems = [
    ...checkLockfile(readFileSync(join(root, 'package-lock.json'), 'utf8')),
    ...checkManifest(manifest, listFiles('src')),
    ...checkContents(packed, manifest.exports ?? {}),
    ...checkDependencies(manifest),
  ];
  for (const problem of problems) say(problem);
  if (problems.length > 0) return 1;
  const tarball = join(FOLDER, packed.filename);
  return (
    (await runModule('publint/src/cli.js', ['run', '--strict', tarball])) ||
    (await runModule('@arethetypeswrong/cli/dist/index.js', [
      tarball,
      '--profile=esm-only',
      '--no-definitely-typed',
      '--format=ascii',
      '--no-color',
    ])) ||
    (await checkConsumer(tarball, manifest.exports))
  );
}

/** @returns {Promise<Packed>} */
async function pack() {
  rmSync(join(root, FOLDER), { recursive: true, force: true });
  mkdirSync(join(root, CONSUMER, 'node_modules'), { recursive: true });
  const { command, args } = npmCommand();
  const options = ['pack', '--json', '--ignore-scripts', '--pack-destination', FOLDER];
  return JSON.parse(await capture(command, [...args, ...options]))[0];
}

/**
 * Addresses of a registry in the lock file would bind every clone to it. And a registry that lacks some platform's
 * optional packages leaves them out of the file, which `npm ci` refuses.
 */
export function checkLockfile(/** @type {string} */ text) {
  const problems = /"resolved":/.test(text) ? ['package-lock.json: holds addresses of a registry ("resolved")'] : [];
  /** @type {Record<string, { optionalDependencies?: Record<string, string> }>} */
  const packages = JSON.parse(text).packages;
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      const isLocked = `node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages;
      if (!isLocked) problems.push(`package-lock.json: lacks '${name}', which '${path}' names`);
    }
  }
  return problems;
}

/**
 * The files directly in src/ are the entry points, and each is exported.
 *
 * @param {{ scripts?: Record<string, string>, exports?: Exports }} manifest
 * @param {readonly string[]} sources
 */
export function checkManifest({ scripts = {}, exports = {} }, sources) {
  const problems = INSTALL_SCRIPTS.filter((name) => name in scripts).map((name) => `package.json: has '${name}'`);
  const wanted = new Set(['./package.json']);
  for (const path of sources) {
    const name = /^src\/([a-z0-9-]+)\.ts$/.exec(path)?.[1];
    if (name !== undefined) wanted.add(name === 'index' ? '.' : `./${name}`);
  }
  for (const key of wanted) {
    if (!(key in exports)) problems.push(`package.json: 'exports' lacks '${key}'`);
  }
  for (const [key, target] of Object.entries(exports)) {
    if (!wanted.has(key)) problems.push(`package.json: 'exports' has '${key}', which has no file in src/`);
    const conditions = typeof target === 'string' ? [] : Object.keys(target);
    if (key !== './package.json' && conditions.join() !== 'types,default') {
      problems.push(`package.json: '${key}' must have the conditions 'types' and 'default', in this order`);
    }
  }
  return problems;
}

/**
 * @param {Packed} packed
 * @param {Exports} exports
 * @returns {string[]} problems
 */
export function checkContents({ files, unpackedSize }, exports) {
  const paths = new Set(files.map(({ path }) => path));
  const targets = Object.values(exports).flatMap((target) => Object.values(Object(target)));
  const wanted = [...REQUIRED, ...targets.filter((path) => path.startsWith('./')).map((path) => path.slice(2))];
  const problems = wanted.filter((path) => !paths.has(path)).map((path) => `the package lacks ${path}`);
  for (const path of paths) {
    if (!(REQUIRED.includes(path) || BUILT.test(path)) || /\.test\.|\/testing\//.test(path)) {
      problems.push(`the package must not hold ${path}`);
    }
  }
  if (unpackedSize > MAX_UNPACKED_BYTES) problems.push(`the package has ${unpackedSize} B, over ${MAX_UNPACKED_BYTES}`);
  return problems;
}

/** Everything that dist/ imports is a dependency of the user too, not only one of development. */
function checkDependencies(/** @type {Record<string, Record<string, string>>} */ manifest) {
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));
  const problems = new Set();
  for (const path of listFiles('dist').filter((file) => file.endsWith('.js'))) {
    const { importedFiles } = ts.preProcessFile(readFileSync(join(root, path), 'utf8'), true, true);
    for (const { fileName } of importedFiles) {
      if (/^(\.|node:)/.test(fileName)) continue;
      const name = fileName.split('/', fileName.startsWith('@') ? 2 : 1).join('/');
      if (!declared.has(name)) problems.add(`${path}: imports '${name}', which is not in the package's dependencies`);
    }
  }
  return [...problems];
}

/**
 * Uses the unpacked tarball as a user would: every entry point is loaded, the command is run, and the types are checked,
 * those inside the package included.
 *
 * @param {string} tarball
 * @param {Exports} exports
 * @returns {Promise<number>}
 */
async function checkConsumer(tarball, exports) {
  const cwd = join(root, CONSUMER);
  await capture('tar', ['-xzf', tarball, '-C', FOLDER]);
  renameSync(join(root, FOLDER, 'package'), join(cwd, 'node_modules', 'usernet'));
  const specifiers = Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key) => key.replace(/^\./, 'usernet'));
  for (const specifier of specifiers) {
    const code = await run(process.execPath, ['--import', specifier, '--eval', '0'], { cwd });
    if (code !== 0) return code;
  }
  const command = join('node_modules', 'usernet', 'bin', 'usernet.js');
  const helpCode = await run(process.execPath, [command, '--help'], { cwd, stdoutTo: 'stderr' });
  if (helpCode !== 0) return helpCode;
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  writeFileSync(
    join(cwd, 'use.ts'),
    specifiers.map((name, i) => `import * as m${i} from '${name}';\nvoid m${i};\n`).join(''),
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', 'use.ts'];
  return await runModule('typescript/bin/tsc', options, cwd);
}
