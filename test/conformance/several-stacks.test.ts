/** Several stacks in one process: each has connections, pools, names and ports of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createNetwork, type Network, type Stack } from '../../src/index.js';
import { nodeBinaries } from '../support/peers.js';
import { readAll } from './tools.js';

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const INDEX = new URL('../../src/index.js', import.meta.url).href;

let network: Network;
let [one, two]: Stack[] = [];

before(async () => {
  network = await createNetwork({ stacks: { one: {}, two: {} } });
  [one, two] = [network.stack('one'), network.stack('two')];
});

after(() => network.close());

/** Serves the name of the stack at 127.0.0.1:8080 of it. */
async function serve(stack: Stack): Promise<http.Server> {
  const server = stack.http.createServer((_request, response) => response.end(stack.name));
  server.listen(8080, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function ask(stack: Stack): Promise<{ text: string; isReused: boolean }> {
  const request = stack.http.get('http://127.0.0.1:8080/');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const text = String(await readAll(response));
  await new Promise((resolve) => setImmediate(resolve));
  return { text, isReused: request.reusedSocket };
}

test('the same address and port on two stacks and on the kernel are three places', async () => {
  const servers = [await serve(one!), await serve(two!)];
  const kernel = http.createServer((_request, response) => response.end('kernel'));
  kernel.listen(0, '127.0.0.1');
  await once(kernel, 'listening');
  assert.deepEqual(await ask(one!), { text: 'one', isReused: false });
  assert.deepEqual(await ask(two!), { text: 'two', isReused: false });
  assert.deepEqual(await ask(one!), { text: 'one', isReused: true });
  assert.deepEqual(await ask(two!), { text: 'two', isReused: true });
  assert.equal(await (await one!.fetch('http://127.0.0.1:8080/')).text(), 'one');
  assert.equal(await (await two!.fetch('http://127.0.0.1:8080/')).text(), 'two');
  for (const server of [...servers, kernel]) {
    server.closeAllConnections();
    server.close();
  }
});

test('sockets and servers are those of Node', async () => {
  const server = one!.createServer((socket) => socket.end('x'));
  assert.ok(server instanceof net.Server);
  server.listen(0);
  await once(server, 'listening');
  const socket = one!.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  assert.ok(socket instanceof net.Socket);
  assert.equal(String(await readAll(socket)), 'x');
  assert.ok(new one!.net.Socket() instanceof net.Socket);
  assert.ok(one!.http.createServer() instanceof http.Server);
  assert.ok(one!.http.globalAgent instanceof http.Agent);
  server.close();
});

test("paths and descriptors stay the kernel's", async () => {
  const path = `\0usernet-test-${process.pid}`;
  const server = net.createServer((socket) => socket.end('by path'));
  server.listen(path);
  await once(server, 'listening');
  assert.equal(String(await readAll(one!.net.connect({ path }))), 'by path');
  server.close();
  const own = one!.net.createServer((socket) => socket.end('own path'));
  own.listen(`${path}-2`);
  await once(own, 'listening');
  assert.equal(String(await readAll(net.connect(`${path}-2`))), 'own path');
  own.close();
});

test('stack.run needs the preload and says so', () => {
  assert.throws(() => one!.run(() => {}), { code: 'USERNET_NO_PRELOAD' });
});

/** Under the preload: Node's own modules inside of stack.run(), with the global agent and the global fetch. */
const PROGRAM = `
import http from 'node:http'; import net from 'node:net'; import dns from 'node:dns';
import { createNetwork } from ${JSON.stringify(INDEX)};
const network = await createNetwork({ stacks: { one: { hosts: { here: '127.0.0.1' } }, two: {} } });
const stacks = ['one', 'two'].map((name) => network.stack(name));
const agent = new http.Agent({ keepAlive: true });
const get = (options = {}) => new Promise((resolve, reject) => {
  const request = http.get({ port: 8080, host: '127.0.0.1', agent, ...options }, (response) => {
    let text = ''; response.on('data', (data) => { text += data; });
    response.on('end', () => setImmediate(() => resolve([text, request.reusedSocket].join(' '))));
  }).on('error', reject);
});
const serve = (name) => new Promise((resolve) => {
  const server = http.createServer((request, response) => response.end(name)).listen(8080, '127.0.0.1', () => resolve(server));
});
const servers = [await serve('own')];
for (const stack of stacks) servers.push(await stack.run(() => serve(stack.name)));
const said = [];
for (let round = 0; round < 2; round++) {
  said.push(await get());
  for (const stack of stacks) said.push(await stack.run(() => get()));
}
for (const stack of stacks) said.push(await stack.run(async () => (await fetch('http://127.0.0.1:8080/')).text()));
said.push(await (await fetch('http://127.0.0.1:8080/')).text());
said.push(JSON.stringify(await stacks[0].run(() => dns.promises.lookup('here'))));
said.push(await stacks[1].run(() => dns.promises.lookup('here')).catch((error) => error.code));
// Later callbacks are still on the stack.
said.push(await stacks[1].run(async () => { await new Promise((resolve) => setTimeout(resolve, 5)); return get(); }));
console.log(said.join('\\n'));
process.exit(0);
`;

const EXPECTED = `own false
one false
two false
own true
one true
two true
one
two
own
{"address":"127.0.0.1","family":4}
ENOTFOUND
two true
`;

for (const { major, path, skip } of nodeBinaries()) {
  test(`stack.run under the preload on Node ${major}`, { skip }, async () => {
    const args = ['--import', REGISTER, '--input-type=module', '-e', PROGRAM];
    const options = { env: { ...process.env, NODE_OPTIONS: '' }, cwd: fileURLToPath(new URL('.', import.meta.url)) };
    const { stdout } = await promisify(execFile)(path, args, options);
    assert.equal(stdout, EXPECTED);
  });
}
