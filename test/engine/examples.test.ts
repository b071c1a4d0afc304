/** Every example does what it says; each runs against the package as it is published. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { rootPath } from '../support/paths.js';

const execute = promisify(execFile);
const folder = join(rootPath, 'examples');

/** What the examples that end by themselves print. */
const OUTPUTS: Readonly<Record<string, RegExp>> = {
  'in-process.js': /^200 Hello 10\.0\.0\.2, you asked for \/page\n/,
  'udp-echo.js': /^(datagram \d came back from 10\.1\.0\.2:7\n){3}$/,
  'packet-stream.js': /^hello over the tunnel\n\d+ packets went there, \d+ came back\n$/,
  'fault-lab.js': /^(loss \d+ %: 1000000 bytes in \d+\.\d{3} s of virtual time\n){4}$/,
};
/** Servers, which the tests of the command run. */
const SERVERS = ['hello-server.js'];

for (const file of readdirSync(folder).filter((name) => name.endsWith('.js') && !SERVERS.includes(name))) {
  test(`examples/${file}`, async () => {
    const expected = OUTPUTS[file];
    assert.ok(expected, 'say here what it prints');
    const { stdout, stderr } = await execute(process.execPath, [join(folder, file)], { cwd: rootPath });
    assert.match(stdout, expected, stderr);
  });
}

test('the lab of examples/fault-lab.js gives the same figures each time', async () => {
  const run = async (): Promise<string> =>
    (await execute(process.execPath, [join(folder, 'fault-lab.js')], { cwd: rootPath })).stdout;
  assert.equal(await run(), await run());
});
