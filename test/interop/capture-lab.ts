/** Networks in virtual time whose links are captured, and the traffic of tests on them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { NetworkConfig } from '../../src/config/schema.js';
import type { PingResult } from '../../src/l3/icmp-echo.js';
import { parseIpv4 } from '../../src/wire/address.js';
import { type Lab, makeLab } from '../engine/lab.js';

export interface CaptureOptions {
  /** Super-segments and checksums as metadata between the stacks. Default: true. */
  readonly offload?: boolean;
  /** Faults of what the client sends, and of what it is sent. */
  readonly impair?: Readonly<Record<string, number | string>>;
}

export interface CaptureLab extends Lab {
  /** Capture files by interface: `client.eth0`, `router.up`, `router.lan`, `web.eth0`. */
  readonly files: Readonly<Record<string, string>>;
  /** Runs the network until `work` is done, and waits for it. */
  run<Result>(work: Promise<Result>): Promise<Result>;
}

export const WEB = '10.0.0.2';
/** The MTU of the link between router and web: less than that of the client's link. */
const NARROW_MTU = 1400;
/** Long enough for some window probes. */
const PAUSE_NS = 5e9;
/** No traffic of a test takes so long. */
const LIMIT_NS = 3600e9;

export async function makeCaptureLab(
  t: TestContext,
  { offload = true, impair }: CaptureOptions = {},
): Promise<CaptureLab> {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-interop-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = ['client.eth0', 'router.up', 'router.lan', 'web.eth0'];
  const files = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.pcapng`)]));
  const link = (name: string) => ({
    type: 'veth' as const,
    offload,
    pcap: files[name]!,
    ...(impair === undefined || name === 'router.lan' || name === 'web.eth0' ? {} : { impair }),
  });
  const config: NetworkConfig = {
    stacks: {
      router: {
        interfaces: {
          lan: { ...link('router.lan'), switch: 'lan0', address: '10.0.0.1/24', mtu: NARROW_MTU },
          up: { ...link('router.up'), peer: 'client.eth0', address: '10.1.0.1/24' },
        },
        forwarding: true,
      },
      web: {
        interfaces: { eth0: { ...link('web.eth0'), switch: 'lan0', address: `${WEB}/24`, mtu: NARROW_MTU } },
        routes: [{ to: 'default', via: '10.0.0.1' }],
      },
      client: {
        interfaces: { eth0: { ...link('client.eth0'), peer: 'router.up', address: '10.1.0.2/24' } },
        routes: [{ to: 'default', via: '10.1.0.1' }],
      },
    },
    switches: { lan0: {} },
  };
  const lab = await makeLab(t, config);
  const run = async <Result>(work: Promise<Result>): Promise<Result> => {
    let isDone = false;
    const finish = (): void => {
      isDone = true;
    };
    work.then(finish, finish);
    await lab.driver.runUntil(lab.driver.nowNs() + LIMIT_NS, () => isDone);
    assert.ok(isDone, 'the traffic does not end');
    return await work;
  };
  return { ...lab, files, run };
}

/** One echo request with so many bytes; what came of it. */
export async function ping(lab: Lab, bytes: number, ttl = 64): Promise<PingResult['kind']> {
  const { network, driver } = lab;
  let result: PingResult | undefined;
  const options = { bytes, ttl };
  network.worker.l3.ping(network.stackRow('client'), parseIpv4(WEB), options, (each) => {
    result = each;
  });
  network.wake();
  await driver.runUntil(driver.nowNs() + LIMIT_NS, () => result !== undefined);
  return result?.kind ?? 'timeout';
}

/** Bytes that can be told from shifted or swapped ones. */
export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (Math.imul(i + seed, 0x9e37_79b1) >>> 16) & 0xff;
  return bytes;
}

/** All bytes until the end. */
export async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

/** The client sends `request` and ends; the server answers all of it with `response`. */
export async function exchange({ network }: Lab, port: number, request: Buffer, response: Buffer): Promise<void> {
  let received: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  const server = network.stack('web').net.createServer({ allowHalfOpen: true }, (socket: Socket) => {
    received = readAll(socket);
    void received.then(() => socket.end(response));
  });
  server.listen(port);
  await once(server, 'listening');
  const socket = network.stack('client').net.connect({ port, host: WEB, allowHalfOpen: true });
  socket.end(request);
  const answer = await readAll(socket);
  assert.ok(answer.equals(response), `the client got ${answer.length} of ${response.length} bytes`);
  assert.ok((await received).equals(request), 'the server got something else');
  await new Promise((done) => server.close(done));
}

/** The server sends `bytes` to a client that does not read for some seconds. */
export async function sendToSlowReader({ network, driver }: Lab, port: number, bytes: Buffer): Promise<void> {
  const server = network.stack('web').net.createServer((socket: Socket) => socket.end(bytes));
  server.listen(port);
  await once(server, 'listening');
  const socket = network.stack('client').net.connect(port, WEB);
  await once(socket, 'connect');
  const resumeNs = driver.nowNs() + PAUSE_NS;
  await network.until(() => driver.nowNs() >= resumeNs);
  assert.ok((await readAll(socket)).equals(bytes), 'the client got something else');
  await new Promise((done) => server.close(done));
}

/** Gets each path from a web server that answers with `body`, over one connection that is kept alive. */
export async function browse({ network }: Lab, paths: readonly string[], body: Buffer): Promise<void> {
  const server = network.stack('web').http.createServer((_request, response) => response.end(body));
  server.listen(80);
  await once(server, 'listening');
  const { http } = network.stack('client');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (const path of paths) {
    const call = http.get({ host: WEB, path, agent });
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    assert.ok((await readAll(response)).equals(body), `the body of ${path}`);
  }
  agent.destroy();
  await new Promise((done) => server.close(done));
}

/** Sends each datagram to an echo server and waits for it to come back. */
export async function echo({ network }: Lab, port: number, datagrams: readonly Buffer[]): Promise<void> {
  const server = network.stack('web').dgram.createSocket('udp4');
  server.on('message', (message, sender) => server.send(message, sender.port, sender.address));
  server.bind(port);
  await once(server, 'listening');
  const client = network.stack('client').dgram.createSocket('udp4');
  for (const datagram of datagrams) {
    client.send(datagram, port, WEB);
    const [message] = (await once(client, 'message')) as [Buffer];
    assert.ok(message.equals(datagram), 'another datagram came back');
  }
  client.close();
  server.close();
}

/** A datagram to a port that nobody has: the ICMP error comes back to a connected socket. */
export async function sendToClosedPort({ network }: Lab, port: number): Promise<void> {
  const client = network.stack('client').dgram.createSocket('udp4');
  client.connect(port, WEB);
  await once(client, 'connect');
  client.send('nobody is there');
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  client.close();
}
