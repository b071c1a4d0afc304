/**
 * Installs the dependencies when node_modules does not hold what package-lock.json says: a fresh clone, or a pull that
 * changed it. Uses nothing but Node. Run it as a program, or call `ensureInstalled` first in a tool that needs them.
 */
import { readJson } from './lib/files.mjs';
import { isMain, npmCommand, root, run, runMain, say, ToolError } from './lib/process.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage */

export async function ensureInstalled() {
  checkNodeVersion();
  if (isInstalled()) return;
  say('usernet: installing the dependencies (npm ci)');
  const { command, args } = npmCommand();
  // No dependency needs its install script: koffi's would compile what its prebuilt packages already hold.
  const options = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
  const code = await run(command, [...args, 'ci', ...options], { stdoutTo: 'stderr' });
  if (code !== 0) throw new ToolError(`usernet: npm ci failed in ${root}`, code);
}

/**
 * Compares contents, not file times: npm records in node_modules/.package-lock.json what it has installed. A package
 * that is optional (another platform's binary) may be missing, but not be of another version.
 */
export function isInstalled(
  /** @type {Record<string, LockedPackage> | undefined} */ wanted = readJson('package-lock.json')?.packages,
  /** @type {Record<string, LockedPackage> | undefined} */ present = readJson(
    'node_modules/.package-lock.json',
  )?.packages,
) {
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, locked]) => {
    if (path === '') return true;
    const installed = present[path];
    if (installed === undefined) return locked.optional === true;
    return installed.version === locked.version && installed.integrity === locked.integrity;
  });
}

function checkNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new ToolError(`usernet needs Node 20.19 or newer; this is ${process.version}`);
  }
}

if (isMain(import.meta.url)) await runMain(ensureInstalled);
