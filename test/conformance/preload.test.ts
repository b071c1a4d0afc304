/** The preload itself: when it may come, where it works, what it leaves alone, and what it refuses. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNetwork } from '../../src/index.js';
import { nodeBinaries } from '../support/peers.js';
import { readAll } from './tools.js';

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const TIMEOUT_MS = 20_000;

const directory = mkdtempSync(join(tmpdir(), 'usernet-preload-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(node: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, stdio: number[] = []): Promise<Ended> {
  const child = spawn(node, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...stdio],
    timeout: TIMEOUT_MS,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (data) => {
    stdout += data;
  });
  child.stderr!.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** Tells on whose sockets it is, and says something through them. Prints to stderr first: a pipe loads `net`. */
const PROBE = `
process.stderr.write('something on stderr');
const server = net.createServer((peer) => peer.pipe(peer));
server.listen(0, '127.0.0.1', () => {
  console.log(server._handle.fd < 0 ? 'stack' : 'kernel');
  const client = net.connect(server.address().port, '127.0.0.1').end('through');
  client.on('data', (data) => console.log(String(data)));
  client.on('close', () => server.close());
});`;
const MODULE = write('probe.mjs', `import net from 'node:net';${PROBE}`);
const SCRIPT = write('probe.cjs', `const net = require('node:net');${PROBE}`);
const WORKER = write(
  'worker.mjs',
  `import { Worker } from 'node:worker_threads'; new Worker(${JSON.stringify(MODULE)});`,
);
const ON_STACK = 'stack\nthrough\n';

for (const { major, path, skip } of nodeBinaries()) {
  test(`it works on Node ${major} by --import and --require, for modules and scripts, in threads`, {
    skip,
  }, async () => {
    const ways = [
      ['--import', REGISTER, MODULE],
      ['--import', REGISTER, SCRIPT],
      ['--require', fileURLToPath(REGISTER), MODULE],
      ['--require', fileURLToPath(REGISTER), SCRIPT],
      ['--import', REGISTER, WORKER],
    ];
    for (const way of ways) {
      const { code, stdout, stderr } = await run(path, way);
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 0, stdout: ON_STACK, stderr: 'something on stderr' },
        way.join(' '),
      );
    }
  });

  test(`it says on Node ${major} when it comes too late`, { skip }, async () => {
    const { code, stderr } = await run(path, [
      '--import',
      'data:text/javascript,import "node:net"',
      '--import',
      REGISTER,
      MODULE,
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /USERNET_TOO_LATE/);
    assert.match(stderr, /net loaded already/);
  });

  test(`it says on Node ${major} that the permission model keeps it out`, { skip }, async () => {
    const flag = major === 20 || major === 22 ? '--experimental-permission' : '--permission';
    const { code, stderr } = await run(path, [flag, '--allow-fs-read=*', '--import', REGISTER, MODULE]);
    assert.equal(code, 1);
    assert.match(stderr, /USERNET_NO_BINDING/);
    assert.match(stderr, /permission model/);
  });

  test(`what C++ would crash on throws on Node ${major}`, { skip }, async () => {
    const sender = write(
      'sender.cjs',
      `const net = require('node:net'), dgram = require('node:dgram'), { fork } = require('node:child_process');
      if (process.argv[2] === 'child') process.on('message', (message, handle) => { console.log('got', message, handle?.constructor.name); handle?.close?.(); process.exit(); });
      else {
        const child = fork(__filename, ['child']);
        const attempt = (handle) => { try { child.send('stack', handle); } catch (error) { console.log(error.code); } };
        const server = net.createServer().listen(0, '127.0.0.1', () => {
          attempt(server);
          attempt(server._handle);
          const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => {
            attempt(socket);
            const other = net.createServer().listen(0, '127.1.1.1', () => { child.send('kernel', other); });
            child.on('exit', () => process.exit());
          });
        });
      }`,
    );
    const { stdout, code } = await run(path, ['--import', REGISTER, sender], { USERNET_POLICY: '127.0.0.1/32' });
    assert.equal(stdout, 'USERNET_NOT_PASSABLE\nUSERNET_NOT_PASSABLE\nUSERNET_NOT_PASSABLE\ngot kernel Server\n');
    assert.equal(code, 0);
  });
}

const node = process.execPath;

test("Unix sockets and inherited descriptors stay the kernel's", async () => {
  const program = write(
    'unix.mjs',
    `import net from 'node:net';
    const path = ${JSON.stringify(join(directory, 'unix.sock'))};
    const server = net.createServer((peer) => peer.end('by unix')).listen(path, () => {
      net.connect(path).on('data', (data) => console.log(String(data))).on('close', () => server.close());
    });
    const inherited = net.createServer((peer) => { peer.end('inherited'); inherited.close(); }).listen({ fd: 3 });
    console.log(inherited._handle.fd);`,
  );
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  const ended = run(node, ['--import', REGISTER, program], {}, [fd]);
  // From here on the child alone listens; connections wait for it.
  server.close();
  const said = String(await readAll(connect(port, '127.0.0.1')));
  const { stdout, stderr, code } = await ended;
  assert.deepEqual({ said, stdout, stderr, code }, { said: 'inherited', stdout: '3\nby unix\n', stderr: '', code: 0 });
});

test('without a network to attach to it says so', async () => {
  const gone = { USERNET_CONTROL: join(directory, 'nobody.sock'), USERNET_STACK: 'a' };
  const { code, stderr } = await run(node, ['--import', REGISTER, MODULE], gone);
  assert.equal(code, 1);
  assert.match(stderr, /USERNET_ATTACH/);
  assert.match(stderr, /no network answers at the control socket/);
  const nameless = await run(node, ['--import', REGISTER, MODULE], { USERNET_CONTROL: gone.USERNET_CONTROL });
  assert.match(nameless.stderr, /USERNET_STACK/);
});

test('a program without sockets needs no network', async () => {
  const gone = { USERNET_CONTROL: join(directory, 'nobody.sock'), USERNET_STACK: 'a' };
  const { code, stdout } = await run(node, ['--import', REGISTER, '-p', '6 * 7'], gone);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '42\n' });
});

test('attached: an unknown stack, and the end of the network', async () => {
  const network = await createNetwork({ stacks: { web: {} }, control: join(directory, 'net.sock') });
  const place = { USERNET_CONTROL: network.controlPath!, USERNET_STACK: 'wep' };
  const wrong = await run(node, ['--import', REGISTER, MODULE], place);
  assert.match(wrong.stderr, /cannot attach to the stack "wep": there is no stack "wep"/);
  const program = write(
    'waits.mjs',
    `import net from 'node:net';
    const server = net.createServer((peer) => peer.on('error', (error) => console.log('peer', error.code)).resume());
    server.on('error', (error) => console.log('server', error.syscall));
    server.listen(5000, '127.0.0.1', () => {
      const client = net.connect(5000, '127.0.0.1', () => console.log('ready'));
      client.on('error', (error) => console.log('client', error.code));
    });`,
  );
  const child = spawn(node, ['--import', REGISTER, program], {
    env: { ...process.env, ...place, USERNET_STACK: 'web' },
  });
  let said = '';
  const ended = new Promise((resolve) => child.on('close', resolve));
  await new Promise<void>((resolve) =>
    child.stdout.on('data', (data) => {
      said += data;
      if (said.includes('ready')) resolve();
    }),
  );
  await network.close();
  await ended;
  assert.deepEqual(said.trim().split('\n').sort(), ['client ECONNRESET', 'peer ECONNRESET', 'ready', 'server accept']);
});
