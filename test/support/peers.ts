/**
 * Programs outside usernet that interoperation tests talk to. On a developer's machine a missing one skips the test
 * with its reason; in CI it is an error, so that no test is lost silently.
 *
 * ```ts
 * const tshark = requirePeer('tshark');
 * test('the capture is well formed', { skip: tshark.skip }, () => execFileSync(tshark.path, …));
 * ```
 */
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { rootPath } from './paths.js';

export interface Peer {
  /** Absolute path of the program; empty when it is missing. */
  readonly path: string;
  /** For the `skip` option of a test: false when the program is there, otherwise the reason. */
  readonly skip: false | string;
}

export interface NodeBinary extends Peer {
  readonly major: number;
}

interface PeerTable {
  /** Command → Debian package. */
  readonly programs: Readonly<Record<string, string>>;
  readonly nodeMajors: readonly number[];
}

const table: PeerTable = JSON.parse(readFileSync(join(rootPath, 'test/support/peers.json'), 'utf8'));

/** @throws Error when the program is not in peers.json, and in CI when it is missing. */
export function requirePeer(command: string): Peer {
  const debianPackage = table.programs[command];
  if (debianPackage === undefined) throw new Error(`${command} is not listed in test/support/peers.json`);
  const path = findProgram(command);
  return path === undefined ? missing(`${command} (Debian package ${debianPackage})`) : { path, skip: false };
}

/** The Node binaries to test on, the running one first. @throws Error in CI when one is missing. */
export function nodeBinaries(): NodeBinary[] {
  const own = Number(process.versions.node.split('.')[0]);
  const others = table.nodeMajors.filter((major) => major !== own);
  return [
    { major: own, path: process.execPath, skip: false },
    ...others.map((major) => ({ major, ...cachedNode(major) })),
  ];
}

function cachedNode(major: number): Peer {
  const name = `node-${process.platform}-${process.arch}`;
  const path = join(rootPath, '.cache', `node-${major}`, 'node_modules', name, 'bin', 'node');
  return isExecutable(path) ? { path, skip: false } : missing(`Node ${major}`);
}

function missing(what: string): Peer {
  const reason = `peer missing: ${what}; USERNET_TEST_PEERS=install npm test installs it`;
  if (process.env.CI) throw new Error(reason);
  return { path: '', skip: reason };
}

function findProgram(command: string): string | undefined {
  // Debian keeps servers in sbin, which is not in the PATH of everyone.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
