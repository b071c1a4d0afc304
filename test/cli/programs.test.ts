/** Unmodified programs on the stacks of a network: started by it, attached to it, and with it in their own process. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SessionRow } from '../../src/ops/show-sessions.js';
import { rootPath } from '../support/paths.js';
import { Place, type Running } from './usernet.js';

const SERVER = join(rootPath, 'examples/hello-server.js');

function networkYaml(program: string): string {
  return `
stacks:
  router:
    interfaces:
      lan: { type: veth, switch: lan0, address: 10.0.0.1/24 }
      up: { type: veth, peer: client.eth0, address: 10.1.0.1/24 }
    forwarding: true
  web:
    interfaces: { eth0: { type: veth, switch: lan0, address: 10.0.0.2/24 } }
    routes: [{ to: default, via: 10.0.0.1 }]
    programs: [${program}]
  client:
    interfaces: { eth0: { type: veth, peer: router.up, address: 10.1.0.2/24 } }
    routes: [{ to: default, via: 10.1.0.1 }]
switches: { lan0: {} }
forwards: [{ listen: "127.0.0.1:0", to: "10.0.0.2:80", from: client }]
`;
}

interface Started {
  readonly place: Place;
  readonly up: Running;
  readonly port: number;
}

async function startDemo(t: TestContext): Promise<Started> {
  const place = new Place(t);
  const file = place.write('net.yaml', networkYaml(`{ run: [node, ${SERVER}] }`));
  const up = place.start(t, 'up', file, '--json');
  const [line] = await up.said(/^.*\n/);
  const ready = JSON.parse(line);
  assert.equal(ready.event, 'ready');
  return { place, up, port: Number(ready.forwards[0].listen.split(':')[1]) };
}

interface Answer {
  readonly status: number | undefined;
  readonly bytes: number;
  readonly sha256: string;
  readonly text: string;
}

/** Asks by the kernel's sockets, as curl does. */
function get(port: number, path: string, agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((done, fail) => {
    http
      .get({ port, path, agent }, (response) => {
        const hash = createHash('sha256');
        let bytes = 0;
        let text = '';
        response.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          bytes += chunk.length;
          if (bytes < 10_000) text += chunk;
        });
        response.on('end', () => done({ status: response.statusCode, bytes, sha256: hash.digest('hex'), text }));
        response.on('error', fail);
      })
      .on('error', fail);
  });
}

/** What examples/hello-server.js sends for /bytes/N. */
function expectedHash(total: number): string {
  const hash = createHash('sha256');
  for (let at = 0, number = 0; at < total; at += 65_536, number++) {
    const block = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 31) & 255));
    block.writeUInt32BE(number);
    hash.update(block.subarray(0, Math.min(65_536, total - at)));
  }
  return hash.digest('hex');
}

test('the page of an unmodified server comes through router, switch and forward', async (t) => {
  const { up, port } = await startDemo(t);
  const page = await get(port, '/');
  assert.equal(page.status, 200);
  assert.match(page.text, /Hello from user space/);
  assert.equal((await get(port, '/nothing')).status, 404);

  const total = 20_000_000;
  const download = await get(port, `/bytes/${total}`);
  assert.equal(download.bytes, total);
  assert.equal(download.sha256, expectedHash(total));

  const startMs = Date.now();
  up.signal('SIGINT');
  const end = await up.ended;
  assert.equal(end.code, 0, end.stderr);
  assert.ok(Date.now() - startMs < 1000, `${Date.now() - startMs} ms`);
});

test('a thousand connections at once are all answered', async (t) => {
  const { port } = await startDemo(t);
  const answers = await Promise.all(Array.from({ length: 1000 }, () => get(port, '/')));
  assert.ok(answers.every((answer) => answer.status === 200));
});

test('programs attach to the running network; its sessions are shown', async (t) => {
  const { place } = await startDemo(t);
  const script = `fetch('http://10.0.0.2/').then(r => r.text()).then(text => console.log(text.includes('Hello from')))`;
  const run = await place.run(t, 'run', '--stack', 'client', '--', 'node', '--eval', script);
  assert.deepEqual([run.stdout, run.code], ['true\n', 0], run.stderr);
  const code = await place.run(t, 'run', '--stack', 'client', '--', 'node', '--eval', 'process.exit(7)');
  assert.equal(code.code, 7);
  const unknown = await place.run(t, 'run', '--stack', 'clent', '--', 'node', '--eval', '0');
  assert.match(unknown.stderr, /there is no stack "clent"\n {2}hint: did you mean "client"\?/);

  const sessions = await place.run(t, 'show', 'sessions', '--json');
  const rows = JSON.parse(sessions.stdout) as SessionRow[];
  assert.ok(rows.some((row) => row.state === 'LISTEN' && row.stack === 'web' && row.local.endsWith(':80')));
});

test('when the network is killed, programs hear of it and can end', async (t) => {
  const { place, up } = await startDemo(t);
  const script = `
    const tell = (what) => (error) => console.log(what, error.code);
    const udp = require('node:dgram').createSocket('udp4').on('error', tell('udp')).bind(99);
    const server = require('node:net').createServer().on('error', tell('server'));
    server.listen(99, () => require('node:net').connect(80, '10.0.0.2', () => console.log('up')).on('error', tell('tcp')));`;
  const program = place.start(t, 'run', '--stack', 'client', '--', 'node', '--eval', script);
  await program.said(/up/);
  await up.kill();
  const { code, stdout } = await program.ended;
  assert.deepEqual(stdout.trim().split('\n').sort(), ['server ECONNRESET', 'tcp ECONNRESET', 'udp ECONNRESET', 'up']);
  assert.equal(code, 0);
});

test('when nobody reads its output any more, it ends what it has started', async (t) => {
  const place = new Place(t);
  const program = `{ run: [node, --eval, "setTimeout(() => {}, 20)"], name: short, restart: always }`;
  const up = place.start(t, 'up', place.write('net.yaml', networkYaml(program).replace(/forwards.*/, '')), '--json');
  await up.said(/ready/);
  up.child.stdout!.destroy();
  const { code, stderr } = await up.ended;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /EPIPE/);
});

test('a program has its network in its own process', async (t) => {
  const place = new Place(t);
  // An address that the machine itself does not have.
  const file = place.write(
    'net.yaml',
    'stacks: { web: { interfaces: { eth0: { type: veth, address: 10.123.45.2/24, peer: b.e } } }, b: { interfaces: { e: { type: veth } } } }',
  );
  const script = `
    const http = require('node:http');
    const server = http.createServer((q, r) => r.end('from ' + q.socket.remoteAddress)).listen(80, () => {
      http.get('http://10.123.45.2/', r => r.setEncoding('utf8').on('data', text => { console.log(text); server.close(); }));
    });`;
  const run = await place.run(t, 'run', '--config', file, '--stack', 'web', '--', 'node', '--eval', script);
  assert.deepEqual([run.stdout, run.code], ['from 10.123.45.2\n', 0], run.stderr);
  const wrong = await place.run(t, 'run', '--config', file, '--stack', 'wbe', '--', 'node', '--eval', '0');
  assert.equal(wrong.code, 2);
});

test('a program that ends is reported and started again', async (t) => {
  const place = new Place(t);
  const crash = place.write(
    'crash.js',
    `require('node:net').createServer().listen(80, () => setTimeout(() => process.exit(3), 50));`,
  );
  const file = place.write('net.yaml', networkYaml(`{ run: [node, ${crash}], name: crashing, restart: always }`));
  const up = place.start(t, 'up', file, '--json');
  await up.said(/"ready".*\n(.*\n)*.*"program-ended".*\n(.*\n)*.*"program-started"/);
  const [line] = await up.said(/^.*"program-ended".*$/m);
  const { pid: _, ...event } = JSON.parse(line);
  assert.equal(event.program, 'crashing');
  assert.equal(event.code, 3);
});
