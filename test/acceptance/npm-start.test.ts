/** The way in: `npm start` in a clone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { rootPath } from '../support/paths.js';
import { demoYaml } from './demo-network.js';
import { PAGE } from './hello-pattern.js';
import { childrenOf, isRunning } from './process-table.js';

const MAX_END_MS = 1000;

test('npm start serves the page, and Ctrl-C in its terminal ends everything', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-start-'));
  const config = join(folder, 'demo.yaml');
  writeFileSync(config, demoYaml());
  // A process group of its own, as a shell gives to each command.
  const npm = spawn('npm', ['start', '--silent', '--', config, '--json'], {
    cwd: rootPath,
    env: { ...process.env, XDG_RUNTIME_DIR: '', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = once(npm, 'exit');
  let complaints = '';
  npm.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  t.after(async () => {
    if (npm.exitCode === null && npm.signalCode === null) process.kill(-npm.pid!, 'SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  const [line] = await Promise.race([once(createInterface({ input: npm.stdout }), 'line'), exited]);
  assert.equal(typeof line, 'string', `it ended without a line: ${complaints}`);
  const { event, forwards } = JSON.parse(line);
  assert.equal(event, 'ready');
  const response = await fetch(`http://${forwards[0].listen}/`);
  assert.equal(await response.text(), PAGE);

  const pids = descendantsOf(npm.pid!);
  assert.ok(pids.length >= 2, 'the network and the web server');
  const startMs = Date.now();
  process.kill(-npm.pid!, 'SIGINT');
  const [code] = await exited;
  assert.ok(Date.now() - startMs < MAX_END_MS, `${Date.now() - startMs} ms`);
  assert.equal(code, 0);
  assert.deepEqual(pids.filter(isRunning), []);
  assert.deepEqual(readdirSync(folder), ['demo.yaml'], 'nothing is left behind');
});

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}
