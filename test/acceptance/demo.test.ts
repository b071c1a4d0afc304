/** The demo network as a newcomer uses it: started by the command, used by programs that know nothing of usernet. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { requirePeer } from '../support/peers.js';
import { Demo } from './demo-network.js';
import { PAGE, sha256OfBytes } from './hello-pattern.js';
import { cpuSecondsOf, isRunning } from './process-table.js';

const execute = promisify(execFile);
const GIB = 2 ** 30;
const CONNECTIONS = 1000;
const IDLE_SECONDS = 10;
const MAX_IDLE_SHARE = 0.005;
const MAX_END_MS = 1000;

const curl = requirePeer('curl');
const wrk = requirePeer('wrk');

test('the demo network', async (t) => {
  const demo = await Demo.start(t);

  await t.test('the first line says that it is ready, and nothing else', () => {
    const { control } = demo.ready;
    const forwards = [{ listen: `127.0.0.1:${demo.port}`, to: '10.0.0.2:80', from: 'client' }];
    assert.equal(demo.firstLine, JSON.stringify({ event: 'ready', control, forwards }));
    assert.ok(existsSync(control));
  });

  await t.test('curl gets the page, byte for byte', { skip: curl.skip }, async () => {
    const { stdout } = await execute(curl.path, ['-sS', '--fail', `${demo.url}/`]);
    assert.equal(stdout, PAGE);
    const missing = await execute(curl.path, ['-sS', '-o', '/dev/null', '-w', '%{http_code}', `${demo.url}/nothing`]);
    assert.equal(missing.stdout, '404');
  });

  await t.test('a download of 1 GiB is right to the last bit', { skip: curl.skip }, async () => {
    const download = spawn(curl.path, ['-sS', '--fail', `${demo.url}/bytes/${GIB}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => download.kill('SIGKILL'));
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of download.stdout) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    assert.equal(bytes, GIB);
    assert.equal(hash.digest('hex'), sha256OfBytes(GIB));
  });

  await t.test(`${CONNECTIONS} connections at once are served without an error`, async () => {
    // All are connected before the first asks, so that all are open while all are served.
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(demo.port)));
    const replies = await Promise.all(sockets.map(askForPage));
    assert.deepEqual(new Set(replies), new Set([PAGE]));
  });

  await t.test('wrk finds no error', { skip: wrk.skip }, async () => {
    const { stdout } = await execute(wrk.path, ['-t2', '-c64', '-d5', `${demo.url}/`]);
    assert.doesNotMatch(stdout, /Socket errors|Non-2xx/);
    assert.ok(Number(/(\d+) requests in/.exec(stdout)?.[1]) > 100, stdout);
  });

  await t.test('wrk finds no error with 1,000 connections', { skip: wrk.skip }, async () => {
    const { stdout } = await execute(wrk.path, ['-t2', '-c1000', '-d3', '--timeout', '10', `${demo.url}/`]);
    assert.doesNotMatch(stdout, /Socket errors|Non-2xx/);
  });

  await t.test('it does next to nothing when nobody asks for anything any more', async () => {
    // Connections of the tests before end in their own time.
    while ((await cpuShare(demo.pids, 1)) > 2 * MAX_IDLE_SHARE);
    const share = await cpuShare(demo.pids, IDLE_SECONDS);
    assert.ok(share < MAX_IDLE_SHARE, `${(share * 100).toFixed(2)} % of a CPU`);
  });

  await t.test('Ctrl-C ends it at once and leaves nothing behind, even during a download', async () => {
    const { pids } = demo;
    assert.equal(pids.length, 2, 'the network and the web server');
    const download = connect(demo.port, '127.0.0.1', () => download.write('GET /bytes/99999999999 HTTP/1.0\r\n\r\n'));
    const closed = new Promise((done) => download.once('close', done));
    download.on('error', () => {});
    await once(download, 'data');
    const startMs = Date.now();
    demo.running.signal('SIGINT');
    const { code } = await demo.running.ended;
    assert.ok(Date.now() - startMs < MAX_END_MS, `${Date.now() - startMs} ms`);
    assert.equal(code, 0);
    await closed;
    assert.deepEqual(pids.filter(isRunning), []);
    assert.equal(existsSync(demo.ready.control), false);
    const [error] = await once(connect(demo.port, '127.0.0.1'), 'error');
    assert.equal(error.code, 'ECONNREFUSED');
  });
});

async function openConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** One request and the end of the connection; gives the body. */
async function askForPage(socket: Socket): Promise<string> {
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const reply = await text(socket);
  assert.match(reply, /^HTTP\/1\.1 200 /);
  return reply.slice(reply.indexOf('\r\n\r\n') + 4);
}

/** Share of one CPU that processes take over some seconds. */
async function cpuShare(pids: readonly number[], seconds: number): Promise<number> {
  const before = cpuSecondsOf(pids);
  await delay(seconds * 1000);
  return (cpuSecondsOf(pids) - before) / seconds;
}
