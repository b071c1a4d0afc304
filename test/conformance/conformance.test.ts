/**
 * One suite of cases for Node's networking as it is documented, on the kernel's sockets and on every carrier of a stack:
 * what happens must be the same.
 *
 *   kernel     Node as it is                                explicit   `network.stack(name)` in the same process
 *   preload    a stack of the process, by the preload       attached   the preload on a stack of another process
 *   policy     the preload, which leaves these addresses to the kernel
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNetwork, type Network } from '../../src/index.js';
import { type NodeBinary, nodeBinaries } from '../support/peers.js';
import type { Traces } from './runner.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const RUN_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** A case whose traces differ is run again by itself: on a busy machine its timers may have been late. */
const ATTEMPTS = 3;

const MODES = ['preload', 'attached', 'explicit', 'policy'] as const;
type Mode = (typeof MODES)[number] | 'kernel';

/** Without an address the stack is meant, whatever the policy says: these cases talk to themselves by another one. */
const NOT_BY_POLICY: readonly string[] = [
  'server: without a host it takes IPv4 connections',
  'server: any address in use against one address',
  'dgram: sending binds',
  'connect: to the unspecified address means this host',
];

const directory = mkdtempSync(join(tmpdir(), 'usernet-conformance-'));
let network: Network;

before(async () => {
  network = await createNetwork({ stacks: { host: {} }, control: join(directory, 'control.sock') });
});

after(async () => {
  await network.close();
  rmSync(directory, { recursive: true });
});

for (const binary of nodeBinaries()) {
  test(`Node ${binary.major}: the same on the kernel and on every carrier`, { skip: binary.skip }, async (t) => {
    const kernel = await run(binary, 'kernel');
    const others = await Promise.all(MODES.map((mode) => run(binary, mode)));
    for (const [i, mode] of MODES.entries()) {
      await t.test(mode, async (t) => {
        assert.deepEqual(Object.keys(others[i]!), Object.keys(kernel));
        for (const [name, lanes] of Object.entries(kernel)) {
          const skip = mode === 'policy' && NOT_BY_POLICY.includes(name) && "unspecified addresses are the stack's";
          await t.test(name, { skip }, async () => {
            assert.equal(lanes.suite, undefined, 'the case fails on the kernel');
            await compare(binary, mode, name, lanes, others[i]![name]!);
          });
        }
      });
    }
  });
}

type Lanes = Traces[string];

async function compare(binary: NodeBinary, mode: Mode, name: string, kernel: Lanes, stack: Lanes): Promise<void> {
  let [expected, actual] = [kernel, stack];
  for (let attempt = 1; !isSame(expected, actual) && attempt < ATTEMPTS; attempt++) {
    const [again, other] = await Promise.all([run(binary, 'kernel', name), run(binary, mode, name)]);
    [expected, actual] = [again[name]!, other[name]!];
  }
  assert.deepEqual(sorted(actual), sorted(expected));
}

function isSame(a: Lanes, b: Lanes): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(lanes: Lanes): Lanes {
  return Object.fromEntries(Object.entries(lanes).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Runs the cases, or one of them, in a process of their own. */
function run(binary: NodeBinary, mode: Mode, name = ''): Promise<Traces> {
  const usesPreload = mode !== 'kernel' && mode !== 'explicit';
  const preload = usesPreload ? ['--import', REGISTER] : [];
  const attached = { USERNET_CONTROL: network.controlPath, USERNET_STACK: 'host' };
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    ...(mode === 'attached' ? attached : {}),
    ...(mode === 'policy' ? { USERNET_POLICY: '10.99.0.0/16' } : {}),
  };
  const args = [...preload, MAIN, mode === 'explicit' ? 'explicit' : 'modules', name];
  return new Promise((resolve, reject) => {
    execFile(
      binary.path,
      args,
      { env, timeout: RUN_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout) as Traces);
        else reject(new Error(`${mode}: ${error.message}\n${stderr}`));
      },
    );
  });
}
