/** What a program meets when its network is gone, and `stack.run()` without the preload. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createNetwork } from '../../src/index.js';

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const TIMEOUT_MS = 20_000;

const directory = mkdtempSync(join(tmpdir(), 'usernet-gone-'));
after(() => rmSync(directory, { recursive: true }));

/** Waits on stdin until the network is gone. */
const PROGRAM = `
const net = require('node:net');
const tell = (what) => (error) => console.log(what, error.code, error.syscall, error.address, error.port);
net.createServer().listen(80, '127.0.0.1', () => console.log('ready')).on('error', (error) => console.log('server', error.code, error.message, error.stack.includes(error.message)));
process.stdin.once('data', () => {
  net.connect(80, '127.0.0.1').on('error', tell('connect'));
  net.createServer().on('error', tell('listen')).listen(81, '127.0.0.1');
  console.log('went on');
  process.stdin.destroy();
});`;

test('connect and listen report by an event that the network is gone', async () => {
  const network = await createNetwork({ stacks: { web: {} }, control: join(directory, 'net.sock') });
  const child = spawn(process.execPath, ['--import', REGISTER, '-e', PROGRAM], {
    env: { ...process.env, NODE_OPTIONS: '', USERNET_CONTROL: network.controlPath!, USERNET_STACK: 'web' },
    timeout: TIMEOUT_MS,
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  let [said, complaints] = ['', ''];
  child.stderr.on('data', (data) => {
    complaints += data;
  });
  await new Promise<void>((resolve) => {
    child.once('close', resolve);
    child.stdout.on('data', (data) => {
      said += data;
      if (said.includes('ready')) resolve();
    });
  });
  await network.close();
  child.stdin.write('go\n');
  assert.equal(await ended, 0, complaints);
  assert.deepEqual(said.trim().split('\n').sort(), [
    'connect ECONNREFUSED connect 127.0.0.1 80',
    'listen ENETDOWN listen 127.0.0.1 81',
    'ready',
    'server ECONNRESET accept ECONNRESET: the network has ended true',
    'went on',
  ]);
  assert.equal(complaints, '');
});

test('stack.run() says that it needs the preload', async () => {
  const network = await createNetwork({ stacks: { web: {} } });
  const stack = network.stack('web');
  assert.throws(() => stack.run(() => assert.fail('it ran')), { code: 'USERNET_NO_PRELOAD', hint: /--import/ });
  await network.close();
});
