/** A stack joined to the kernel's by a cable: a stream interface here, a TUN interface in a network namespace there. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PacketCallbacks } from '../../src/config/schema.js';
import type { Network } from '../../src/engine/network.js';
import { createNetwork } from '../../src/index.js';
import { requirePeer } from '../support/peers.js';
import { frame, makeSplitter } from './framing.js';

export const KERNEL = '10.9.0.1';
export const USERNET = '10.9.0.2';

const unshare = requirePeer('unshare');
const nsenter = requirePeer('nsenter');
const ip = requirePeer('ip');

/** Why there can be no cable; false when there can. */
export const missingCable =
  unshare.skip || nsenter.skip || ip.skip || (!canMakeTun() && 'needs the right to make network namespaces, and TUN');

function canMakeTun(): boolean {
  return existsSync('/dev/net/tun') && spawnSync(unshare.path, ['-n', 'true']).status === 0;
}

export interface Cable {
  readonly network: Network;
  /** Capture file of what crosses the stack's end. */
  readonly capture: string;
  /** Runs a command in the kernel's namespace to its end; gives what it prints. */
  run(command: string, ...args: string[]): Promise<string>;
}

/** @param impair faults of what the stack sends. */
export async function makeCable(t: TestContext, impair: Readonly<Record<string, number>> = {}): Promise<Cable> {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-cable-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const capture = join(folder, 'tun0.pcapng');
  const stream: PacketCallbacks = { onPacket: () => {} };
  const tun0 = { type: 'stream' as const, stream, address: `${USERNET}/24`, pcap: capture, impair };
  const network = await createNetwork({ stacks: { host: { interfaces: { tun0 } } } });
  t.after(() => network.close());

  const path = join(folder, 'cable.sock');
  const server = createServer().listen(path);
  t.after(() => server.close());
  const relay = start(t, unshare.path, '-n', process.execPath, program('tun-relay'), path, `${KERNEL}/24`);
  const [cable] = await Promise.race([once(server, 'connection') as Promise<[Socket]>, failure(relay)]);
  t.after(() => cable.destroy());
  cable.on('error', () => {});
  stream.onPacket = (packet) => void cable.write(frame(packet));
  cable.on(
    'data',
    makeSplitter((packet) => void stream.inject!(packet)),
  );

  const inside = ['-t', String(relay.pid), '-n'];
  const peer = start(t, nsenter.path, ...inside, process.execPath, program('kernel-peer'));
  await once(peer.stdout!, 'data');
  const run = async (command: string, ...args: string[]): Promise<string> =>
    (await promisify(execFile)(nsenter.path, [...inside, command, ...args])).stdout;
  return { network, capture, run };
}

/** Rejects when the process ends. */
async function failure(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the process ended with code ${code}`);
}

function program(name: string): string {
  return fileURLToPath(new URL(`program/${name}.js`, import.meta.url));
}

/** Starts a process that ends with the test at the latest. */
function start(t: TestContext, command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}
