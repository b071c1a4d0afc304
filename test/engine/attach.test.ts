import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Network } from '../../src/engine/network.js';
import { createNetwork } from '../../src/ops/start-network.js';
import { wordsFromIpv4 } from '../../src/session/address.js';
import { errnoName } from '../../src/session/errno.js';
import { SessionEvent, type SessionMessage } from '../../src/session/message.js';
import { StreamPort } from '../../src/session/stream-port.js';
import { parseIpv4 } from '../../src/wire/address.js';
import { demoConfig } from './lab.js';

async function makeNetwork(t: TestContext): Promise<{ network: Network; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-attach-'));
  const path = join(folder, 'control.sock');
  const network = await createNetwork({ ...demoConfig(), control: path });
  t.after(async () => {
    await network.close();
    rmSync(folder, { recursive: true });
  });
  return { network, path };
}

/** Upgrades a connection to the control socket; the answer's status when it is refused. */
function upgrade(path: string, stack: string): Promise<Socket | number> {
  return new Promise((done, fail) => {
    const headers = { connection: 'upgrade', upgrade: 'usernet-session' };
    const call = request({ socketPath: path, path: `/session?stack=${stack}`, headers, agent: false });
    call.once('upgrade', (_response: IncomingMessage, socket: Socket) => done(socket));
    call.once('response', (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    call.once('error', fail);
    call.end();
  });
}

/** An application attached by a Unix socket, as a program is. */
class Attached {
  readonly port: StreamPort;
  readonly socket: Socket;
  readonly #events: { type: number; session: number; errno: string }[] = [];
  #notify = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.port = new StreamPort({
      name: 'test',
      schedule: (flush) => process.nextTick(flush),
      sink: {
        write: (bytes) => {
          socket.write(Uint8Array.from(bytes));
          return true;
        },
        end: () => socket.end(),
      },
    });
    socket.on('data', (bytes: Uint8Array) => this.port.receive(bytes));
    socket.once('close', () => this.port.streamClosed());
    socket.on('error', () => {});
    this.port.onEvent = (event: SessionMessage) => {
      this.#events.push({ type: event.type, session: event.session, errno: errnoName(event.errno) });
      this.#notify();
    };
  }

  /** The next event of a type; those before it are thrown away. */
  async next(type: number): Promise<{ session: number; errno: string }> {
    for (;;) {
      const event = this.#events.shift();
      if (event?.type === type) return event;
      if (event === undefined) {
        await new Promise<void>((done) => {
          this.#notify = done;
        });
      }
    }
  }
}

async function attach(path: string, stack: string): Promise<Attached> {
  const socket = await upgrade(path, stack);
  assert.ok(typeof socket === 'object', `refused with ${socket}`);
  return new Attached(socket);
}

test('programs attach to their stacks by the control socket and talk to each other', async (t) => {
  const { path } = await makeNetwork(t);
  const web = await attach(path, 'web');
  const client = await attach(path, 'client');
  web.port.listen({ localPort: 80 });
  await web.next(SessionEvent.listening);
  client.port.connect({ remote: wordsFromIpv4(parseIpv4('10.0.0.2')), remotePort: 80 });
  const { session } = await client.next(SessionEvent.connected);
  assert.equal(client.port.write(session, new TextEncoder().encode('hello'), 0, 5), 5);
  const { session: accepted } = await web.next(SessionEvent.readable);
  const bytes = new Uint8Array(8);
  assert.equal(web.port.read(accepted, bytes, 0, 8), 5);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 5)), 'hello');
});

test('a program that dies loses its sessions and nothing else', async (t) => {
  const { network, path } = await makeNetwork(t);
  const web = await attach(path, 'web');
  web.port.listen({ localPort: 80 });
  await web.next(SessionEvent.listening);
  const remote = wordsFromIpv4(parseIpv4('10.0.0.2'));
  const dying = await attach(path, 'client');
  const living = await attach(path, 'client');
  dying.port.connect({ remote, remotePort: 80 });
  await dying.next(SessionEvent.connected);
  const first = await web.next(SessionEvent.accepted);
  living.port.connect({ remote, remotePort: 80 });
  const { session } = await living.next(SessionEvent.connected);
  await web.next(SessionEvent.accepted);

  dying.socket.destroy();
  const closed = await web.next(SessionEvent.closed);
  assert.deepEqual([closed.session, closed.errno], [first.session, 'ECONNRESET']);
  assert.equal(living.port.write(session, new Uint8Array(3), 0, 3), 3);
  await web.next(SessionEvent.readable);
  assert.equal([...network.worker.sessions.applications].length, 2);
});

test('who asks for a stack that is not there, or for another protocol, is refused', async (t) => {
  const { path } = await makeNetwork(t);
  assert.equal(await upgrade(path, 'nobody'), 404);
});

test('whatever is asked for, and by whoever is gone before the answer, the network goes on', async (t) => {
  const { path } = await makeNetwork(t);
  const ask = (resource: string): string =>
    `GET ${resource} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: usernet-session\r\n\r\n`;
  for (const resource of ['//', 'http://[', '/session?stack=%ff']) {
    const socket = connect(path, () => socket.write(ask(resource)));
    let answer = '';
    for await (const text of socket.setEncoding('latin1')) answer += text;
    assert.match(answer, /^HTTP\/1\.1 40[04] /, resource);
  }
  for (const resource of ['/session?stack=nobody', '/session?stack=web', '/']) {
    const socket = connect(path, () => {
      socket.write(ask(resource));
      socket.destroy();
    });
    await new Promise((done) => socket.once('close', done));
  }
  assert.equal(await upgrade(path, 'nobody'), 404);
});

test('a stream that makes no sense is ended; the network goes on', async (t) => {
  const { network, path } = await makeNetwork(t);
  const socket = await upgrade(path, 'web');
  assert.ok(typeof socket === 'object');
  const closed = new Promise((done) => socket.once('close', done));
  socket.resume().write(new Uint8Array(6400).fill(0xff));
  await closed;
  assert.deepEqual([...network.worker.sessions.applications], []);
  const web = await attach(path, 'web');
  await web.next(SessionEvent.attached);
});
