/** Sockets that are treated badly crash nothing. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeBinaries } from '../support/peers.js';

const REGISTER = new URL('../../src/register.js', import.meta.url).href;
const PROGRAM = fileURLToPath(new URL('./abuse-program.js', import.meta.url));
const TIMEOUT_MS = 60_000;

for (const { major, path, skip } of nodeBinaries()) {
  test(`Node ${major} survives`, { skip }, async () => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    const said = await new Promise<string>((resolve) =>
      execFile(
        path,
        ['--import', REGISTER, PROGRAM, `${major}`],
        { env, timeout: TIMEOUT_MS },
        (error, stdout, stderr) => resolve(error === null ? stdout : `${error.message}\n${stdout}${stderr}`),
      ),
    );
    assert.equal(said.trim(), 'done');
  });
}
