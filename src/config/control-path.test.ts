import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { defaultControlPath } from './control-path.js';

test('the runtime directory is used when it is there, else one under the temporary directory', (t) => {
  const before = process.env.XDG_RUNTIME_DIR;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
  });
  process.env.XDG_RUNTIME_DIR = tmpdir();
  assert.equal(defaultControlPath(), join(tmpdir(), 'usernet.sock'));
  process.env.XDG_RUNTIME_DIR = join(tmpdir(), 'usernet-that-is-not-there');
  assert.equal(dirname(dirname(defaultControlPath())), tmpdir());
});
