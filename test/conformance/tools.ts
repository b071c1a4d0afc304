/** Small steps that many cases share. */
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import type { NetworkApi, Trace } from './api.js';

export { delay, immediate, once };

interface Listening {
  listen(port: number, host: string): unknown;
  address(): AddressInfo | string | null;
}

/** Listens on a free port of the host and gives the port, called `server` in traces. */
export async function listen(api: NetworkApi, trace: Trace, server: Listening & NodeJS.EventEmitter): Promise<number> {
  const listening = once(server, 'listening');
  server.listen(0, api.host);
  await listening;
  return trace.namePort((server.address() as AddressInfo).port, 'server');
}

/** A port that nobody listens on. */
export async function freePort(api: NetworkApi, trace: Trace): Promise<number> {
  const server = api.net.createServer();
  const port = await listen(api, trace, server);
  await closeServer(server);
  return trace.namePort(port, 'closed');
}

export async function closeServer(server: Pick<Server, 'close'>): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** Waits for `close` of all of them; one that is destroyed already is taken as closed. */
export async function allClosed(...emitters: (NodeJS.EventEmitter & { closed?: boolean })[]): Promise<void> {
  await Promise.all(
    emitters.map((emitter) => emitter.closed === true || new Promise((done) => emitter.once('close', done))),
  );
}

export interface Pair {
  readonly server: Server;
  readonly port: number;
  readonly client: Socket;
  readonly peer: Socket;
}

/** A server and a connection to it: `client` is the connecting end, `peer` the accepted one. */
export async function connectPair(
  api: NetworkApi,
  trace: Trace,
  options: { allowHalfOpen?: boolean; pauseOnConnect?: boolean } = {},
): Promise<Pair> {
  const server = api.net.createServer(options);
  const port = await listen(api, trace, server);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = api.net.connect({ port, host: api.host, allowHalfOpen: options.allowHalfOpen ?? false });
  await once(client, 'connect');
  const [peer] = await accepted;
  return { server, port, client, peer };
}

/** Closes the server of a pair after both ends. */
export async function endPair({ server, client, peer }: Pair): Promise<void> {
  client.destroy();
  peer.destroy();
  await closeServer(server);
}

/** All bytes until the end. (Not by `for await`, which loses bytes of a socket that is written to at the same time.) */
export async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer | string) => chunks.push(Buffer.from(chunk as Buffer)));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

/** Bytes that can be told from shifted or swapped ones. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i ^ (i >>> 8) ^ (i >>> 16)) & 0xff;
  return bytes;
}

/** What an action throws, or undefined. */
export function thrown(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
