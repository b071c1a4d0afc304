/** What memory is taken, and whether it comes back. Each measurement has a process of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const KIB = 1024;
const MIB = 1024 * KIB;
const MAX_STACK_BYTES = 64 * KIB;
/** Less than one byte: nothing is allocated for a packet, only now and then something for a run of many. */
const MAX_GRAPH_BYTES = 1;
/** Less than the smallest object of V8. */
const MAX_TCP_BYTES = 16;
const CONNECTIONS = 10_000;

/** Runs a program of the folder `program` and gives the lines that it prints, read as JSON. */
async function run(name: string): Promise<unknown[]> {
  const program = fileURLToPath(new URL(`program/${name}.js`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('no packet that is switched, routed or carried by TCP takes memory from the heap', async () => {
  const cases = (await run('allocations')) as { name: string; packets: number; bytes: number }[];
  const shares = Object.fromEntries(cases.map(({ name, packets, bytes }) => [name, bytes / packets]));
  assert.deepEqual(Object.keys(shares), ['l2-switch', 'ip4-router', 'tcp-bulk']);
  assert.ok(shares['l2-switch']! < MAX_GRAPH_BYTES && shares['ip4-router']! < MAX_GRAPH_BYTES, JSON.stringify(shares));
  assert.ok(shares['tcp-bulk']! < MAX_TCP_BYTES, JSON.stringify(shares));
});

test('an empty stack costs no more than 64 KiB', async () => {
  const [bytes] = (await run('empty-stacks')) as [number];
  assert.ok(bytes <= MAX_STACK_BYTES, `${(bytes / KIB).toFixed(1)} KiB`);
});

test(`${CONNECTIONS} connections leave nothing behind`, async () => {
  const [left] = (await run('connections')) as [
    { echoed: number; packetsInUse: number; grown: { rss: number; heap: number; buffers: number } },
  ];
  assert.equal(left.echoed, CONNECTIONS * 'hello'.length);
  assert.equal(left.packetsInUse, 0);
  assert.equal(left.grown.buffers, 0);
  assert.ok(left.grown.heap < MIB, `the heap grew by ${left.grown.heap} bytes`);
  assert.ok(left.grown.rss < 24 * MIB, `the process grew by ${left.grown.rss} bytes`);
});
