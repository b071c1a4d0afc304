/** What things cost in resident memory: the growth of this process's RSS, divided by how many there are. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { resolveConfig } from '../src/config/load.js';
import { createNetwork } from '../src/index.js';
import { type Bench, cpuSeconds, type Sample } from './bench.js';

const STACKS = 100;
const CONNECTIONS = 2_000;

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

/** Stacks without interfaces but their loopback. */
async function emptyStack(): Promise<Sample> {
  const start = cpuSeconds();
  const network = await createNetwork({ stacks: { first: {} } });
  const names = Array.from({ length: STACKS }, (_, i) => `stack${i}`);
  const config = resolveConfig({ stacks: Object.fromEntries(['first', ...names].map((name) => [name, {}])) });
  const before = residentBytes();
  await network.apply(config);
  const used = residentBytes() - before;
  await network.close();
  return { value: used / STACKS / 1024, cpuSeconds: cpuSeconds() - start };
}

/** Both ends of a connection that nothing is sent over: two net.Sockets, two TCP connections. */
async function idleConnection(): Promise<Sample> {
  const start = cpuSeconds();
  const network = await createNetwork({
    stacks: {
      client: { interfaces: { eth0: { type: 'veth', peer: 'server.eth0', address: '10.0.0.1/24' } } },
      server: { interfaces: { eth0: { type: 'veth', peer: 'client.eth0', address: '10.0.0.2/24' } } },
    },
  });
  const accepted: Socket[] = [];
  const server = network.stack('server').net.createServer((socket: Socket) => accepted.push(socket));
  server.listen(0, '10.0.0.2');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = async (): Promise<Socket> => {
    const socket = network.stack('client').net.connect(port, '10.0.0.2');
    await once(socket, 'connect');
    return socket;
  };
  const sockets = [await connect()];
  const before = residentBytes();
  for (let i = 0; i < CONNECTIONS; i++) sockets.push(await connect());
  const used = residentBytes() - before;
  for (const socket of [...sockets, ...accepted]) socket.destroy();
  server.close();
  await network.close();
  return { value: used / CONNECTIONS / 1024, cpuSeconds: cpuSeconds() - start };
}

export const memoryBench: Bench = {
  name: 'memory',
  cases: [
    { name: 'empty-stack', unit: 'KiB of RSS', run: emptyStack },
    { name: 'idle-connection', unit: 'KiB of RSS, both ends and their sockets', run: idleConnection },
  ],
};
