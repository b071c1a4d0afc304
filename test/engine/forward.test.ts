import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Network } from '../../src/engine/network.js';
import { createNetwork } from '../../src/ops/start-network.js';
import { demoConfig } from './lab.js';

/** The demo network with a forward to web's port 80, and what connections to it do there. */
async function setUp(t: TestContext, serve?: (socket: Socket) => void): Promise<{ network: Network; port: number }> {
  const forwards = [{ listen: '127.0.0.1:0', to: '10.0.0.2:80', from: 'client' }];
  const network = await createNetwork({ ...demoConfig(), forwards });
  t.after(() => network.close());
  if (serve !== undefined) {
    const server = network.stack('web').net.createServer({ allowHalfOpen: true }, serve);
    server.listen(80);
    t.after(() => new Promise((done) => server.close(done)));
    await once(server, 'listening');
  }
  const port = Number(network.forwards[0]!.listen.split(':')[1]);
  return { network, port };
}

test('bytes go through, and each end of a connection is passed on by itself', async (t) => {
  const { network, port } = await setUp(t, (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => socket.end(`you said ${text}`));
  });
  await network.whenReady();
  const socket = net.connect({ port, allowHalfOpen: true });
  socket.end('hello');
  let answer = '';
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
  assert.equal(answer, 'you said hello');
});

test('a large download arrives whole', async (t) => {
  const total = 32 * 1024 * 1024;
  const block = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 31) & 255));
  const { port } = await setUp(t, (socket) => {
    let left = total;
    const fill = (): void => {
      while (left > 0) {
        left -= block.length;
        if (!socket.write(block)) return;
      }
      socket.end();
    };
    socket.on('drain', fill);
    fill();
  });
  const received = createHash('sha256');
  for await (const chunk of net.connect({ port })) received.update(chunk);
  const sent = createHash('sha256');
  for (let at = 0; at < total; at += block.length) sent.update(block);
  assert.equal(received.digest('hex'), sent.digest('hex'));
});

test('a client that does not read holds the sender back', async (t) => {
  let written = 0;
  const { port } = await setUp(t, (socket) => {
    const block = Buffer.alloc(65_536);
    const fill = (): void => {
      while (socket.write(block)) written += block.length;
      written += block.length;
    };
    socket.on('drain', fill).on('error', () => {});
    fill();
  });
  const socket = net.connect({ port });
  await once(socket, 'connect');
  socket.pause();
  let before = -1;
  while (written === 0 || written !== before) {
    before = written;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes`);
  socket.destroy();
});

test('a target that refuses resets the client', async (t) => {
  const { network, port } = await setUp(t);
  assert.equal(network.forwards[0]!.isReady, false);
  const socket = net.connect({ port });
  const [error] = await once(socket, 'error');
  assert.equal(error.code, 'ECONNRESET');
});

test('a client that resets, resets the server', async (t) => {
  let report: (code: string) => void = () => {};
  const code = new Promise<string>((done) => {
    report = done;
  });
  const { port } = await setUp(t, (socket) => {
    socket.resume().on('error', (error: NodeJS.ErrnoException) => report(error.code ?? ''));
  });
  const socket = net.connect({ port });
  await once(socket, 'connect');
  socket.write('x');
  await new Promise((done) => setTimeout(done, 50));
  socket.resetAndDestroy();
  assert.equal(await code, 'ECONNRESET');
});

test('many connections at once', async (t) => {
  const { port } = await setUp(t, (socket) => socket.pipe(socket));
  const answers = Array.from({ length: 200 }, async (_, i) => {
    const socket = net.connect({ port });
    socket.end(`number ${i}`);
    let answer = '';
    for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
    return answer;
  });
  assert.deepEqual(
    await Promise.all(answers),
    Array.from({ length: 200 }, (_, i) => `number ${i}`),
  );
});

test('a port that is taken is refused with a hint', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const forwards = [{ listen: `127.0.0.1:${port}`, to: '10.0.0.2:80', from: 'client' }];
  await assert.rejects(createNetwork({ ...demoConfig(), forwards }), {
    code: 'USERNET_FORWARD',
    message: `127.0.0.1:${port} is in use by another program`,
  });
  taken.close();
});
