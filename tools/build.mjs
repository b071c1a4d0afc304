/**
 * The build: kernels → tsc → build/ → dist/.
 *
 * One run of tsc puts src/, test/ and bench/ under build/; everything in them that is not TypeScript (fixtures, .wasm)
 * is copied beside. dist/ is what is published: build/src without tests and without source maps (they would point to
 * files that the package does not have). Nothing is done when no input has changed.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, isInstalled } from './install.mjs';
import { listFiles, readJson, signatureOf, writeIfChanged } from './lib/files.mjs';
import { isMain, root, run, runMain, runModule, say, ToolError } from './lib/process.mjs';

const STAMP = 'build/.stamp.json';
const LOCK = 'build/.lock';
const SOURCE_FOLDERS = ['src', 'test', 'bench'];
const KERNEL_GENERATOR = 'tools/build-kernels.mjs';

/** Files of src/ that are not for users: tests, the fakes they share, and source maps. */
const UNPUBLISHED = /\.test\.|\/testing\/|\.map$/;

/**
 * Installs and builds what is out of date.
 *
 * @param {{ only?: 'product' }} [options] `product`: it is enough that dist/ is newer than src/; what tests and
 * benchmarks changed does not matter to who only runs the product
 */
export async function build({ only } = {}) {
  if (isInstalled() && isUpToDate(only)) return;
  const release = await lock();
  try {
    await ensureInstalled();
    if (!isUpToDate(only)) await buildAll();
  } finally {
    release();
  }
}

async function buildAll() {
  const startedNs = process.hrtime.bigint();
  say('usernet: building');
  await buildKernels();
  const stamp = signatures();
  rmSync(join(root, STAMP), { force: true });
  const code = await runModule('typescript/bin/tsc', ['-p', 'tsconfig.json']);
  if (code > 128) throw new ToolError('usernet: build interrupted', code);
  if (code !== 0) throw new ToolError('usernet: build failed', code);
  for (const folder of SOURCE_FOLDERS) mirrorFolder(folder);
  publish();
  writeFileSync(join(root, STAMP), JSON.stringify(stamp));
  say(`usernet: built in ${(Number(process.hrtime.bigint() - startedNs) / 1e9).toFixed(1)} s`);
}

async function buildKernels() {
  if (!existsSync(join(root, KERNEL_GENERATOR))) return;
  const code = await run(process.execPath, [KERNEL_GENERATOR], { stdoutTo: 'stderr' });
  if (code !== 0) throw new ToolError('usernet: building the kernels failed', code);
}

/** Copies what tsc does not emit, and removes what is left over from sources that are gone. */
function mirrorFolder(/** @type {string} */ folder) {
  const sources = new Set(listFiles(folder));
  const isAsset = (/** @type {string} */ file) => !/\.(ts|md)$/.test(file);
  for (const file of sources) {
    if (isAsset(file)) writeIfChanged(`build/${file}`, readFileSync(join(root, file)));
  }
  for (const file of listFiles(`build/${folder}`)) {
    const source = file.slice('build/'.length);
    const emittedFrom = source.replace(/(\.js|\.js\.map|\.d\.ts)$/, '.ts');
    if (!sources.has(source) && !sources.has(emittedFrom)) rmSync(join(root, file));
  }
}

function publish() {
  const wanted = new Set();
  for (const file of listFiles('build/src')) {
    if (UNPUBLISHED.test(file)) continue;
    const target = file.replace(/^build\/src\//, 'dist/');
    const content = readFileSync(join(root, file));
    wanted.add(target);
    writeIfChanged(target, file.endsWith('.js') ? withoutSourceMap(content.toString()) : content);
  }
  for (const file of listFiles('dist')) {
    if (!wanted.has(file)) rmSync(join(root, file));
  }
}

function withoutSourceMap(/** @type {string} */ code) {
  return code.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n');
}

function isUpToDate(/** @type {'product' | undefined} */ only) {
  const stamp = readJson(STAMP);
  if (stamp === undefined || !existsSync(join(root, 'dist'))) return false;
  const now = signatures(only);
  return stamp.product === now.product && (only === 'product' || stamp.tests === now.tests);
}

/** @returns {{ product: string, tests?: string }} */
function signatures(/** @type {'product' | undefined} */ only = undefined) {
  const tools = ['package-lock.json', 'tsconfig.json', 'tools/build.mjs', KERNEL_GENERATOR];
  const product = signatureOf([...listFiles('src'), ...tools]);
  if (only === 'product') return { product };
  return { product, tests: signatureOf([...listFiles('test'), ...listFiles('bench')]) };
}

/** Two builds at once would mix their outputs: the second waits. The lock of a process that is gone does not count. */
async function lock() {
  const path = join(root, LOCK);
  const mine = `${path}.${process.pid}`;
  mkdirSync(join(root, 'build'), { recursive: true });
  // Written first and linked then, so that nobody ever reads a lock without its holder.
  writeFileSync(mine, String(process.pid));
  try {
    while (!tryLink(mine, path)) {
      if (isAlive(readHolder(path))) await new Promise((resolve) => setTimeout(resolve, 100));
      else rmSync(path, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => rmSync(path, { force: true });
}

function tryLink(/** @type {string} */ from, /** @type {string} */ to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(/** @type {string} */ path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return 0;
  }
}

function isAlive(/** @type {number} */ pid) {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

if (isMain(import.meta.url)) await runMain(() => build());
