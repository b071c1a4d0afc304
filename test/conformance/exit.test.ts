/**
 * When a process ends: sockets keep it alive as libuv's handles do, and let it go. Small programs, each run on the
 * kernel and on stacks; they must end in the same way, say the same, or live on in the same way.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createNetwork, type Network } from '../../src/index.js';
import { nodeBinaries } from '../support/peers.js';

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
/** A process that says `alive?` and lives on for so long does not end by itself. */
const ALIVE_MS = 700;
const TIMEOUT_MS = 15_000;

/** `up(callback)` makes a server on a free port and a connection to it: `client`, `peer`. `say` prints. */
const PRELUDE = `
const net = require('node:net'), http = require('node:http'), dgram = require('node:dgram'), fs = require('node:fs');
const host = '127.0.0.1';
const say = (...what) => fs.writeSync(1, what.join(' ') + '\\n');
const up = (callback, options = {}) => {
  const server = net.createServer(options, (peer) => { server.close(); callback(client, peer); });
  let client;
  server.listen(0, host, () => { client = net.connect({ port: server.address().port, host, ...options }); });
};
process.on('exit', (code) => say('exit', code));
`;

/** Programs by what they show. Those that live on end with `alive?` as their last words. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'a listening server lives on': `net.createServer().listen(0, host, () => say('alive?'));`,
  'an unreferenced server ends': `net.createServer().listen(0, host, () => say('listening')).unref();`,
  'a server that is referenced again lives on': `
    const server = net.createServer().listen(0, host, () => { server.unref(); server.ref(); say('alive?'); });`,
  'a closed server ends': `const server = net.createServer().listen(0, host, () => server.close(() => say('closed')));`,
  'a connection that is read lives on': `up((client) => { client.resume(); say('alive?'); });`,
  'a connection that nobody reads lives on, for its end may come': `up(() => say('alive?'));`,
  'connections that are paused and full end': `
    up((client, peer) => {
      for (const end of [client, peer]) end.on('data', () => {}).pause().write('full');
      setTimeout(() => say('paused'), 50);
    }, { highWaterMark: 1 });`,
  'unreferenced connections end': `up((client, peer) => { client.unref(); peer.unref(); say('unreferenced'); });`,
  'a connection that is over ends': `up((client, peer) => { peer.end('x'); client.resume(); client.on('close', () => say('close')); });`,
  'a destroyed connection ends': `up((client, peer) => { client.destroy(); peer.resume(); peer.on('close', () => say('close')); });`,
  'an unreferenced connect is waited for': `
    const server = net.createServer((peer) => peer.unref()).listen(0, host, () => {
      server.unref();
      const client = net.connect(server.address().port, host, () => say('connected'));
      client.unref();
    });`,
  'a refused connect ends': `
    const server = net.createServer().listen(0, host, () => { const { port } = server.address(); server.close(() => {
      net.connect(port, host).on('error', (error) => say(error.code)).on('close', () => say('close')); }); });`,
  'an error without a listener ends with code 1': `
    const server = net.createServer().listen(0, host, () => { const { port } = server.address(); server.close(() => net.connect(port, host)); });`,
  'an address in use without a listener ends with code 1': `
    const server = net.createServer().listen(0, host, () => net.createServer().listen(server.address().port, host));`,
  'an exception in a handler ends with code 7': `
    process.exitCode = 3; process.on('uncaughtException', (error) => { say(error.message); process.exit(7); });
    up((client, peer) => { client.on('data', () => { throw new Error('thrown'); }); peer.write('x'); });`,
  'a write that waits is finished': `
    up((client, peer) => { peer.unref(); client.unref(); peer.resume(); client.write(Buffer.alloc(5e6), () => say('written')); });`,
  'the timeout of a socket does not keep it alive': `
    up((client, peer) => { client.unref(); peer.unref(); client.setTimeout(60_000); say('set'); });`,
  'a bound datagram socket lives on': `dgram.createSocket('udp4').bind(0, host, () => say('alive?'));`,
  'an unreferenced datagram socket ends': `const socket = dgram.createSocket('udp4').bind(0, host, () => { socket.unref(); say('bound'); });`,
  'a datagram socket that is not bound ends': `dgram.createSocket('udp4'); say('made');`,
  'a closed datagram socket ends': `const socket = dgram.createSocket('udp4').bind(0, host, () => socket.close(() => say('closed')));`,
  'an agent does not live on for connections that are kept': `
    const agent = new http.Agent({ keepAlive: true });
    const server = http.createServer((request, response) => response.end('x')).listen(0, host, () => {
      http.get({ port: server.address().port, host, agent }, (response) => response.resume().on('end', () => {
        server.unref(); say('answered'); }));
    });
    server.on('connection', (socket) => socket.unref());`,
  'a closed http server ends with its idle connections': `
    const agent = new http.Agent({ keepAlive: true });
    const server = http.createServer((request, response) => response.end('x')).listen(0, host, () => {
      http.get({ port: server.address().port, host, agent }, (response) => response.resume().on('end', () => {
        setTimeout(() => server.close(() => say('closed')), 5); }));
    });`,
  'process.exit in a handler ends at once': `up((client, peer) => { client.on('data', () => process.exit(4)); peer.write('x'); });`,
  'beforeExit comes once all is over': `
    process.once('beforeExit', () => say('beforeExit')); up((client, peer) => { client.destroy(); peer.resume(); });`,
};

const directory = mkdtempSync(join(tmpdir(), 'usernet-exit-'));
let network: Network;

before(async () => {
  network = await createNetwork({ stacks: { host: {} }, control: join(directory, 'control.sock') });
});

after(async () => {
  await network.close();
  rmSync(directory, { recursive: true });
});

/** What a program said and how it ended. */
type Outcome = string;

function run(node: string, program: string, mode: 'kernel' | 'preload' | 'attached'): Promise<Outcome> {
  const preload = mode === 'kernel' ? [] : ['--import', REGISTER];
  const attached = { USERNET_CONTROL: network.controlPath, USERNET_STACK: 'host' };
  const env = { ...process.env, NODE_OPTIONS: '', ...(mode === 'attached' ? attached : {}) };
  const child = spawn(node, [...preload, '-e', PRELUDE + program], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    let said = '';
    let timer = setTimeout(() => child.kill(), TIMEOUT_MS);
    child.stdout.on('data', (data) => {
      said += data;
      if (!said.endsWith('alive?\n')) return;
      clearTimeout(timer);
      timer = setTimeout(() => child.kill(), ALIVE_MS);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(`${said}${signal === null ? `code ${code}` : 'lives on'}`);
    });
  });
}

const [own, ...others] = nodeBinaries();
const onKernel = new Map<string, Outcome>();

for (const [what, program] of Object.entries(PROGRAMS)) {
  test(what, async () => {
    const [kernel, preload, attached] = await Promise.all([
      run(own!.path, program, 'kernel'),
      run(own!.path, program, 'preload'),
      run(own!.path, program, 'attached'),
    ]);
    onKernel.set(what, kernel);
    assert.equal(kernel.endsWith('lives on'), kernel.includes('alive?'), `on the kernel: ${kernel}`);
    assert.equal(preload, kernel);
    assert.equal(attached, kernel);
  });
}

for (const { major, path, skip } of others) {
  test(`processes end in the same way on Node ${major}`, { skip, concurrency: 3 }, async (t) => {
    const ends = Object.entries(PROGRAMS).map(([what, program]) =>
      t.test(what, async () => assert.equal(await run(path, program, 'preload'), onKernel.get(what))),
    );
    await Promise.all(ends);
  });
}
