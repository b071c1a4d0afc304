/**
 * Installs what the interoperation tests talk to: Debian programs (test/support/peers.json maps each to its package)
 * and the other Node majors, the latter under .cache/. Only done when asked for, because it changes the machine:
 * with CI or USERNET_TEST_PEERS=install in the environment, or by running this file.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './lib/files.mjs';
import { isMain, npmCommand, root, run, runMain, say, ToolError } from './lib/process.mjs';

/** Every skip because of a missing peer starts with this; test/support/peers.ts gives the reasons. */
export const PEER_MISSING = 'peer missing';

/** Its presence with exit code 101 tells Debian's packages not to start their services. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';

export function isPeerInstallWanted() {
  return process.env.USERNET_TEST_PEERS === 'install' || Boolean(process.env.CI);
}

export async function ensurePeers() {
  const { programs, nodeMajors } = readJson('test/support/peers.json');
  await ensureDebianPackages(Object.values(programs));
  const ownMajor = Number(process.versions.node.split('.')[0]);
  for (const major of nodeMajors) {
    if (major !== ownMajor) await ensureNode(major);
  }
}

/** @param {string[]} packages */
async function ensureDebianPackages(packages) {
  const missing = await missingDebianPackages(packages);
  if (missing === undefined) {
    say(`usernet: this is not Debian; install yourself what provides: ${packages.join(' ')}`);
    return;
  }
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new ToolError(`usernet: only root can install the peers: apt-get install ${missing.join(' ')}`);
  }
  say(`usernet: installing ${missing.join(' ')}`);
  const release = forbidServiceStarts();
  try {
    if ((await aptGet('install', missing)) === 0) return;
    // The package lists may be missing (a fresh container) or old.
    await aptGet('update', []);
    if ((await aptGet('install', missing)) !== 0) throw new ToolError(`usernet: apt-get could not install the peers`);
  } finally {
    release();
  }
}

/**
 * @param {string[]} packages
 * @returns {Promise<string[] | undefined>} undefined when this machine does not use dpkg
 */
async function missingDebianPackages(packages) {
  const { spawnSync } = await import('node:child_process');
  /** @type {string[]} */
  const missing = [];
  for (const name of packages) {
    const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
    if (query.error !== undefined) return undefined;
    if (!query.stdout.includes('ok installed')) missing.push(name);
  }
  return missing;
}

/** @param {'install' | 'update'} verb @param {string[]} packages */
function aptGet(verb, packages) {
  const args = verb === 'install' ? ['install', '-y', '-q', '--no-install-recommends', ...packages] : ['update', '-q'];
  return run('apt-get', args, { env: { DEBIAN_FRONTEND: 'noninteractive' }, stdoutTo: 'stderr' });
}

/** The tests start their own servers; a packaged one would hold its port. */
function forbidServiceStarts() {
  if (existsSync(POLICY_FILE)) return () => {};
  writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(POLICY_FILE, { force: true });
}

/** @param {number} major */
async function ensureNode(major) {
  const prefix = join('.cache', `node-${major}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  if (existsSync(join(root, prefix, 'node_modules', name, 'bin', 'node'))) return;
  say(`usernet: installing Node ${major} under ${prefix}`);
  const { command, args } = npmCommand();
  const options = ['--prefix', join(root, prefix), '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  const code = await run(command, [...args, 'install', ...options, `${name}@${major}`], { stdoutTo: 'stderr' });
  if (code !== 0) throw new ToolError(`usernet: could not install ${name}@${major}`, code);
}

if (isMain(import.meta.url)) await runMain(ensurePeers);
