import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeBinaries, requirePeer } from './peers.js';

function withoutPeers<T>(ci: string | undefined, body: () => T): T {
  const { PATH: path, CI: oldCi } = process.env;
  process.env.PATH = '/nowhere';
  if (ci === undefined) delete process.env.CI;
  else process.env.CI = ci;
  try {
    return body();
  } finally {
    process.env.PATH = path;
    if (oldCi === undefined) delete process.env.CI;
    else process.env.CI = oldCi;
  }
}

test('a missing peer is a reason to skip, and in CI an error', () => {
  const skipped = withoutPeers(undefined, () => requirePeer('wrk'));
  assert.match(String(skipped.skip), /^peer missing: wrk \(Debian package wrk\)/);
  assert.equal(skipped.path, '');
  assert.throws(() => withoutPeers('true', () => requirePeer('wrk')), /^Error: peer missing: wrk/);
});

test('a program that peers.json does not list is an error everywhere', () => {
  assert.throws(() => requirePeer('no-such-program'), /not listed/);
});

test('the running Node comes first and is always there', () => {
  const [own] = withoutPeers(undefined, nodeBinaries);
  assert.deepEqual(own, { major: Number(process.versions.node.split('.')[0]), path: process.execPath, skip: false });
});
