/** The demo on every other Node that is supported; demo.test.ts looks closer at the one that runs the tests. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { nodeBinaries } from '../support/peers.js';
import { Demo } from './demo-network.js';
import { PAGE, sha256OfBytes } from './hello-pattern.js';
import { isRunning } from './process-table.js';

const BYTES = 50_000_000;
const REQUESTS = 300;

for (const { major, path, skip } of nodeBinaries().slice(1)) {
  test(`the demo network on Node ${major}`, { skip }, async (t) => {
    const demo = await Demo.start(t, path);
    const pages = await Promise.all(
      Array.from({ length: REQUESTS }, () => fetch(demo.url).then((page) => page.text())),
    );
    assert.deepEqual(new Set(pages), new Set([PAGE]));

    const download = await fetch(`${demo.url}/bytes/${BYTES}`);
    const hash = createHash('sha256');
    for await (const chunk of download.body!) hash.update(chunk);
    assert.equal(hash.digest('hex'), sha256OfBytes(BYTES));

    const { pids } = demo;
    demo.running.signal('SIGINT');
    assert.equal((await demo.running.ended).code, 0);
    assert.deepEqual(pids.filter(isRunning), []);
  });
}
