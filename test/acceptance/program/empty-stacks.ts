/** Tells what a stack without interfaces but its loopback costs: `node --expose-gc empty-stacks.js`. Prints bytes. */
import { resolveConfig } from '../../../src/config/load.js';
import { createNetwork } from '../../../src/index.js';

const STACKS = 100;

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

const network = await createNetwork({ stacks: { first: {} } });
const names = ['first', ...Array.from({ length: STACKS }, (_, i) => `stack${i}`)];
const config = resolveConfig({ stacks: Object.fromEntries(names.map((name) => [name, {}])) });
const before = residentBytes();
await network.apply(config);
console.log((residentBytes() - before) / STACKS);
await network.close();
