/**
 * TCP through Node's public `net` API between two stacks of one process, compared with the same program on the kernel's
 * loopback. CPU time is that of the whole process: application, both stacks and Node.
 */
import { once } from 'node:events';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { createNetwork } from '../src/index.js';
import { type Bench, type BenchCase, cpuSeconds, type Sample } from './bench.js';

type Net = Pick<typeof net, 'createServer' | 'connect'>;

/** Two ends that can reach each other: the server listens at `address`. */
interface Ends {
  readonly server: Net;
  readonly client: Net;
  readonly address: string;
  close(): Promise<void>;
}

const CHUNK_BYTES = 65_536;
const WARM_UP_BYTES = 256 * 2 ** 20;
const BULK_BYTES = 1024 * 2 ** 20;
const WARM_UP_REQUESTS = 5_000;
const REQUESTS = 40_000;
const REQUEST_BYTES = 64;
const WARM_UP_CONNECTIONS = 1_000;
const CONNECTIONS = 5_000;

function kernelEnds(): Promise<Ends> {
  return Promise.resolve({ server: net, client: net, address: '127.0.0.1', close: () => Promise.resolve() });
}

function stackEnds(offload: boolean): () => Promise<Ends> {
  return async () => {
    const network = await createNetwork({
      stacks: {
        client: { interfaces: { eth0: { type: 'veth', peer: 'server.eth0', offload, address: '10.0.0.1/24' } } },
        server: { interfaces: { eth0: { type: 'veth', peer: 'client.eth0', offload, address: '10.0.0.2/24' } } },
      },
    });
    return {
      server: network.stack('server').net,
      client: network.stack('client').net,
      address: '10.0.0.2',
      close: () => network.close(),
    };
  };
}

async function listen(ends: Ends, onConnection: (socket: Socket) => void): Promise<[Server, number]> {
  const server = ends.server.createServer(onConnection);
  server.listen(0, ends.address);
  await once(server, 'listening');
  return [server, (server.address() as AddressInfo).port];
}

/** Writes `total` bytes as fast as the socket takes them and ends it. */
async function send(socket: Socket, total: number): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'usernet ');
  for (let sent = 0; sent < total; sent += CHUNK_BYTES) {
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
}

async function bulk(ends: Ends): Promise<Sample> {
  let received = 0;
  const [server, port] = await listen(ends, (socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('end', () => socket.end());
  });
  const transfer = async (bytes: number): Promise<void> => {
    const socket = ends.client.connect(port, ends.address);
    await once(socket, 'connect');
    socket.resume();
    const closed = once(socket, 'close');
    await send(socket, bytes);
    await closed;
  };
  await transfer(WARM_UP_BYTES);
  received = 0;
  const start = cpuSeconds();
  await transfer(BULK_BYTES);
  const used = cpuSeconds() - start;
  server.close();
  if (received !== BULK_BYTES) throw new Error(`received ${received} of ${BULK_BYTES} bytes`);
  return { value: (received * 8) / 1e9 / used, cpuSeconds: used };
}

async function requestResponse(ends: Ends): Promise<Sample> {
  const [server, port] = await listen(ends, (socket) => {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end());
  });
  const socket = ends.client.connect({ port, host: ends.address, noDelay: true });
  await once(socket, 'connect');
  const request = Buffer.alloc(REQUEST_BYTES, 1);
  const ask = (count: number): Promise<void> =>
    new Promise((resolve) => {
      let left = count;
      let missing = REQUEST_BYTES;
      const onData = (chunk: Buffer): void => {
        missing -= chunk.length;
        if (missing > 0) return;
        missing = REQUEST_BYTES;
        if (--left > 0) {
          socket.write(request);
          return;
        }
        socket.off('data', onData);
        resolve();
      };
      socket.on('data', onData);
      socket.write(request);
    });
  await ask(WARM_UP_REQUESTS);
  const start = cpuSeconds();
  await ask(REQUESTS);
  const used = cpuSeconds() - start;
  const closed = once(socket, 'close');
  socket.end();
  await closed;
  server.close();
  return { value: REQUESTS / used, cpuSeconds: used };
}

async function connectClose(ends: Ends): Promise<Sample> {
  const [server, port] = await listen(ends, (socket) => {
    socket.resume();
    socket.on('end', () => socket.end());
  });
  const open = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const socket = ends.client.connect(port, ends.address);
      await once(socket, 'connect');
      socket.resume();
      socket.end();
      await once(socket, 'close');
    }
  };
  await open(WARM_UP_CONNECTIONS);
  const start = cpuSeconds();
  await open(CONNECTIONS);
  const used = cpuSeconds() - start;
  server.close();
  return { value: CONNECTIONS / used, cpuSeconds: used };
}

function onEnds(makeEnds: () => Promise<Ends>, measure: (ends: Ends) => Promise<Sample>): () => Promise<Sample> {
  return async () => {
    const ends = await makeEnds();
    try {
      return await measure(ends);
    } finally {
      await ends.close();
    }
  };
}

function tcpCase(name: string, unit: string, offload: boolean, measure: (ends: Ends) => Promise<Sample>): BenchCase {
  return {
    name,
    unit,
    run: onEnds(stackEnds(offload), measure),
    baseline: { name: "Node on the kernel's loopback", run: onEnds(kernelEnds, measure) },
  };
}

export const tcpBench: Bench = {
  name: 'tcp',
  cases: [
    tcpCase('bulk-gso', 'Gbit/s per CPU-second', true, bulk),
    tcpCase('bulk-1500', 'Gbit/s per CPU-second', false, bulk),
    tcpCase('request-response', 'round trips per CPU-second', true, requestResponse),
    tcpCase('connect', 'connections per CPU-second', true, connectClose),
  ],
};
