/**
 * Programs in processes of their own, attached to stacks of a network over the Unix-stream carrier: one sends in bulk
 * to the other. CPU time is that of all three processes. Compared with the same two programs on the kernel's loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programEnvironment } from '../src/engine/program-environment.js';
import { createNetwork } from '../src/index.js';
import { type Bench, cpuSeconds, type Sample } from './bench.js';

const BULK_BYTES = 512 * 2 ** 20;
const PORT = 4000;
const PEER = fileURLToPath(new URL('attach-peer.js', import.meta.url));

/** What attach-peer.js prints when its part is done. */
interface Report {
  readonly cpuSeconds: number;
  readonly bytes: number;
}

function startPeer(role: 'receive' | 'send', address: string, port: number, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [PEER, role, address, String(port), String(BULK_BYTES)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** The next line of a peer: the port it listens at, or its report. */
async function readLine(peer: ChildProcess): Promise<unknown> {
  const [line] = (await once(peer.stdout!, 'data')) as [Buffer];
  return JSON.parse(line.toString());
}

async function transfer(
  address: string,
  receiverEnv: NodeJS.ProcessEnv,
  senderEnv: NodeJS.ProcessEnv,
): Promise<Sample> {
  const start = cpuSeconds();
  const receiver = startPeer('receive', address, PORT, receiverEnv);
  const port = (await readLine(receiver)) as number;
  const sender = startPeer('send', address, port, senderEnv);
  const reports = await Promise.all([readLine(receiver), readLine(sender)]);
  const [received, sent] = reports as [Report, Report];
  await Promise.all([receiver, sender].map((peer) => peer.exitCode === null && once(peer, 'exit')));
  if (received.bytes !== BULK_BYTES) throw new Error(`received ${received.bytes} of ${BULK_BYTES} bytes`);
  const used = cpuSeconds() - start + received.cpuSeconds + sent.cpuSeconds;
  return { value: (BULK_BYTES * 8) / 1e9 / used, cpuSeconds: used };
}

async function attached(): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'usernet-bench-'));
  const control = join(folder, 'control.sock');
  const network = await createNetwork({
    control,
    stacks: {
      client: { interfaces: { eth0: { type: 'veth', peer: 'server.eth0', address: '10.0.0.1/24' } } },
      server: { interfaces: { eth0: { type: 'veth', peer: 'client.eth0', address: '10.0.0.2/24' } } },
    },
  });
  try {
    const place = (stack: string): NodeJS.ProcessEnv => programEnvironment(process.env, { stack, control });
    return await transfer('10.0.0.2', place('server'), place('client'));
  } finally {
    await network.close();
    await rm(folder, { recursive: true });
  }
}

export const attachBench: Bench = {
  name: 'attach',
  cases: [
    {
      name: 'bulk',
      unit: 'Gbit/s per CPU-second of three processes',
      run: attached,
      baseline: {
        name: "Node on the kernel's loopback, two processes",
        run: () => transfer('127.0.0.1', process.env, process.env),
      },
    },
  ],
};
