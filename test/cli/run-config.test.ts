/** `usernet run --config`: the network lives in the program's process, and so do the programs of its stacks. */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { isRunning } from '../acceptance/process-table.js';
import { Place, type Running } from './usernet.js';

function networkYaml(run: string, more = ''): string {
  return `
stacks:
  app: { interfaces: { eth0: { type: veth, peer: web.eth0, address: 10.0.0.1/24 } } }
  web:
    interfaces: { eth0: { type: veth, address: 10.0.0.2/24 } }
    programs: [{ run: [${run}] }]
${more}`;
}

/** The program says on stdout what process it is, when its server listens. */
const SERVER = `require('node:net').createServer((s) => s.end()).listen(80, () => console.log('server', process.pid));`;
/** Connects until the server is there, then says its own process number and ends its socket. */
const connectThen = (then: string): string => `
const net = require('node:net');
const attempt = () => {
  const socket = net.connect(80, '10.0.0.2', () => { console.log('app', process.pid); ${then} });
  socket.on('error', () => setTimeout(attempt, 10));
  socket.on('data', () => {});
};
attempt();`;

interface Started {
  readonly run: Running;
  readonly serverPid: number;
  readonly appPid: number;
}

async function start(t: TestContext, then: string): Promise<Started> {
  const place = new Place(t);
  const file = place.write('net.yaml', networkYaml(`node, ${place.write('server.cjs', SERVER)}`));
  const app = place.write('app.cjs', connectThen(then));
  const run = place.start(t, 'run', '--config', file, '--stack', 'app', '--', 'node', app);
  const [, serverPid] = await run.said(/^server (\d+)$/m);
  const [, appPid] = await run.said(/^app (\d+)$/m);
  t.after(() => {
    if (isRunning(Number(serverPid))) process.kill(Number(serverPid), 'SIGKILL');
  });
  return { run, serverPid: Number(serverPid), appPid: Number(appPid) };
}

function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
  ['SIGKILL', 9],
] as const) {
  test(`a program of the network ends with the application that ${signal} ends`, { timeout: 20_000 }, async (t) => {
    const { run, serverPid, appPid } = await start(t, 'setInterval(() => {}, 1000);');
    if (signal === 'SIGKILL') process.kill(appPid, signal);
    else run.signal(signal);
    assert.equal((await run.ended).code, 128 + number);
    while (isRunning(serverPid)) await nextTurn();
  });
}

test('without a parent to do it, a signal that nobody handles ends the programs as well', {
  timeout: 20_000,
}, async (t) => {
  const { run, serverPid, appPid } = await start(t, 'setInterval(() => {}, 1000);');
  run.signal('SIGKILL');
  process.kill(appPid, 'SIGTERM');
  while (isRunning(serverPid) || isRunning(appPid)) await nextTurn();
});

test('an application with nothing left to do ends, with the programs that are attached', {
  timeout: 20_000,
}, async (t) => {
  const { run, serverPid } = await start(t, '');
  assert.equal((await run.ended).code, 0);
  while (isRunning(serverPid)) await nextTurn();
});

test('a forward whose port is taken is told on stderr', { timeout: 20_000 }, async (t) => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const place = new Place(t);
  const forwards = `forwards: [{ listen: "127.0.0.1:${port}", to: "10.0.0.2:80", from: app }]`;
  const yaml = networkYaml('node, --version', forwards).replace(/programs:.*/, '');
  const file = place.write('net.yaml', yaml);
  const script = `require('node:net').createServer().listen(80);`;
  const run = place.start(t, 'run', '--config', file, '--stack', 'app', '--', 'node', '--eval', script);
  const expected = `usernet: 127.0.0.1:${port} is in use by another program\n  hint: end it, or choose another port\n`;
  while (run.stderr.length < expected.length) await nextTurn();
  assert.equal(run.stderr, expected);
  run.signal('SIGTERM');
  await run.ended;
});
