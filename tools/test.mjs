/**
 * `npm test [-- FILTER…]`: installs, builds and runs all tests with Node's own runner, unit tests first. A FILTER
 * selects the files whose path contains it. With CI or USERNET_TEST_PEERS=install in the environment the programs that
 * the interoperation tests need are installed first; otherwise tests that miss one are skipped with the reason.
 *
 * The last thing printed is the runner's summary (`# tests N`, `# pass N`, …).
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { integrationTests, unitTests } from './lib/collect.mjs';
import { isMain, root, run, runMain, say, ToolError } from './lib/process.mjs';
import { skippedTests, summaryLines } from './lib/tap.mjs';
import { ensurePeers, isPeerInstallWanted, PEER_MISSING } from './peers.mjs';

const RESULTS = 'build/test-results.tap';
/** For one file. A hanging test fails the run instead of stopping it. */
const FILE_TIMEOUT_MS = 300_000;

/**
 * Runs test files in Node's runner.
 *
 * @param {readonly string[]} files
 * @param {{ reporter?: 'spec' | 'dot' }} [options]
 * @returns {Promise<number>} the exit code; not 0 as well when CI runs and a peer is missing
 */
export async function runTests(files, { reporter = 'spec' } = {}) {
  const results = join(root, RESULTS);
  rmSync(results, { force: true });
  const code = await run(process.execPath, [
    '--enable-source-maps',
    '--test',
    '--test-concurrency=2',
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${results}`,
    ...files,
  ]);
  const tap = existsSync(results) ? readFileSync(results, 'utf8') : '';
  const missingPeers = reportSkips(tap);
  const summary = summaryLines(tap);
  if (summary.length === 0) throw new ToolError('usernet: the test runner ended without a summary', code || 1);
  process.stdout.write(`${summary.join('\n')}\n`);
  return code === 0 && process.env.CI && missingPeers > 0 ? 1 : code;
}

/** Prints each reason for a skip with the number of tests. Gives the number of those for which a peer is missing. */
function reportSkips(/** @type {string} */ tap) {
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const { reason } of skippedTests(tap)) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  if (reasons.size > 0) process.stdout.write('\nskipped tests, by reason:\n');
  let missingPeers = 0;
  for (const [reason, count] of reasons) {
    process.stdout.write(`  ${String(count).padStart(4)}  ${reason}\n`);
    if (reason.startsWith(PEER_MISSING)) missingPeers += count;
  }
  if (missingPeers > 0 && process.env.CI) say(`usernet: ${missingPeers} tests miss a peer, which fails the run in CI`);
  process.stdout.write('\n');
  return missingPeers;
}

async function main() {
  const filters = process.argv.slice(2);
  await ensureInstalled();
  if (isPeerInstallWanted()) await ensurePeers();
  await build();
  const all = [...unitTests(), ...integrationTests()];
  const files = filters.length === 0 ? all : all.filter((file) => filters.some((filter) => file.includes(filter)));
  if (files.length === 0) throw new ToolError(`usernet: no test file matches ${filters.join(' ')}`);
  return await runTests(files);
}

if (isMain(import.meta.url)) await runMain(main);
