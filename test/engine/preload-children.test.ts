/** What a process under the preload starts is on the stack too: forked children, cluster workers, threads. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeBinaries } from '../support/peers.js';

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const TIMEOUT_MS = 20_000;

const directory = mkdtempSync(join(tmpdir(), 'usernet-children-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

function run(node: string, args: readonly string[], options = ''): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(node, args, {
    env: { ...process.env, NODE_OPTIONS: options },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on('close', () => resolve({ stdout, stderr })));
}

/** Calls `tell` with whose sockets it is on. */
const ASK = `{
  const server = process.getBuiltinModule('net').createServer().listen(0, '127.0.0.1', () => {
    tell(server._handle.fd < 0 ? 'stack' : 'kernel');
    server.close();
  });
}`;

const FORK = write(
  'fork.cjs',
  `const { fork } = require('node:child_process');
  if (process.argv[2] === 'child') {
    process.on('message', (message) => {
      const tell = (where) => process.send({ where, size: message.size, leaks: Object.keys(process.env).filter((n) => n.includes('CHANNEL')) }, () => process.disconnect());
      ${ASK}
    });
  } else {
    for (const serialization of ['json', 'advanced']) {
      const child = fork(__filename, ['child'], { serialization });
      child.on('message', (message) => console.log(JSON.stringify(message)));
      child.send({ size: 1 });
    }
  }`,
);
const CLUSTER = write(
  'cluster.cjs',
  `const cluster = require('node:cluster');
  if (cluster.isPrimary) {
    cluster.fork().on('online', () => console.log('online')).on('message', (message) => console.log(message));
  } else {
    process.send('worker ' + cluster.worker.id, () => process.disconnect());
  }`,
);

const THREADS = write(
  'threads.cjs',
  `const { Worker, SHARE_ENV } = require('node:worker_threads');
  const code = "const { parentPort } = require('node:worker_threads'); const tell = (where) => parentPort.postMessage(where);" + ${JSON.stringify(ASK)};
  const file = __filename.replace('threads', 'thread');
  require('node:fs').writeFileSync(file, code);
  class Own extends Worker {}
  const byText = (options) => new Worker(code, { ...options, eval: true });
  const byFile = (options) => new Own(file, options);
  const all = [[byText], [byFile], [byText, { env: {} }], [byFile, { env: {} }], [byText, { execArgv: [] }], [byText, { env: SHARE_ENV }], [byFile, { env: {}, execArgv: ['--no-warnings'] }]];
  (async () => {
    for (const [make, options] of all.slice(0, process.argv[2])) {
      const worker = make(options);
      const where = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      console.log(where, worker instanceof Worker, worker.constructor.name, Worker.name);
    }
  })();`,
);

for (const { major, path, skip } of nodeBinaries()) {
  test(`forked children are on the stack and have their channel on Node ${major}`, { skip }, async () => {
    const line = '{"where":"stack","size":1,"leaks":[]}\n';
    const expected = { stdout: line + line, stderr: '' };
    assert.deepEqual(await run(path, ['--import', REGISTER, FORK]), expected);
    assert.deepEqual(await run(path, ['--require', fileURLToPath(REGISTER), FORK]), expected);
    assert.deepEqual(await run(path, [FORK], `--import ${REGISTER}`), expected);
  });

  test(`cluster workers start on Node ${major}`, { skip }, async () => {
    const { stdout, stderr } = await run(path, ['--import', REGISTER, CLUSTER]);
    assert.deepEqual({ said: stdout.trim().split('\n').sort(), stderr }, { said: ['online', 'worker 1'], stderr: '' });
  });

  test(`threads are on the stack whatever they are made with on Node ${major}`, { skip }, async () => {
    const lines = (names: readonly string[]): string => names.map((name) => `stack true ${name} Worker\n`).join('');
    assert.deepEqual(await run(path, ['--import', REGISTER, '--title=some', THREADS, '7']), {
      stdout: lines(['Worker', 'Own', 'Worker', 'Own', 'Worker', 'Worker', 'Own']),
      stderr: '',
    });
    assert.deepEqual(await run(path, [THREADS, '1'], `--import ${REGISTER}`), {
      stdout: lines(['Worker']),
      stderr: '',
    });
  });
}
