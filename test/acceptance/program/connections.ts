/**
 * Opens and closes connections between two stacks, each with some bytes both ways: `node --expose-gc connections.js`.
 * Prints a line of JSON with what is left of them, and by how many bytes memory has grown meanwhile.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createNetwork } from '../../../src/index.js';
import { showSessions } from '../../../src/ops/show-sessions.js';

/** Half of them before memory is measured, half after that. */
const CONNECTIONS = 10_000;
/** Open at the same time. */
const WIDTH = 50;

const network = await createNetwork({
  stacks: {
    client: { interfaces: { eth0: { type: 'veth', peer: 'server.eth0', address: '10.0.0.1/24' } } },
    server: { interfaces: { eth0: { type: 'veth', peer: 'client.eth0', address: '10.0.0.2/24' } } },
  },
  // Connections that have ended shall go soon, so that there is something to compare.
  tunables: { tcp: { timeWaitMs: 1 } },
});
const { worker } = network;
const server = network.stack('server').net.createServer((socket: Socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
server.listen(80);
await once(server, 'listening');

let echoed = 0;

async function useConnection(index: number): Promise<void> {
  const socket = network.stack('client').net.connect(80, '10.0.0.2');
  const closed = once(socket, 'close');
  socket.on('data', (chunk: Buffer) => {
    echoed += chunk.length;
    // Some end in order, some by a reset.
    if (index % 10 === 0) socket.resetAndDestroy();
    else socket.end();
  });
  socket.write('hello');
  await closed;
}

async function useConnections(count: number): Promise<void> {
  for (let i = 0; i < count; i += WIDTH)
    await Promise.all(Array.from({ length: WIDTH }, (_, k) => useConnection(i + k)));
  await network.until(() => showSessions(network).every((session) => session.state === 'LISTEN'));
}

function memory(): { rss: number; heapUsed: number; buffers: number } {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heapUsed, buffers: worker.buffers.usedBytes };
}

await useConnections(CONNECTIONS / 2);
const before = memory();
await useConnections(CONNECTIONS / 2);
const after = memory();
server.close();
await network.close();
console.log(
  JSON.stringify({
    echoed,
    packetsInUse: worker.pool.inUse,
    grown: {
      rss: after.rss - before.rss,
      heap: after.heapUsed - before.heapUsed,
      buffers: after.buffers - before.buffers,
    },
  }),
);
