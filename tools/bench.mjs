/** `npm run bench -- [NAME…] [--json]`: builds, then runs the benchmarks with plain Node. Progress goes to stderr. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { root, run, runMain, ToolError } from './lib/process.mjs';

const MAIN = 'build/bench/main.js';

await runMain(async () => {
  await build();
  if (!existsSync(join(root, MAIN))) throw new ToolError(`usernet: no benchmarks: bench/main.ts is missing`);
  return await run(process.execPath, [MAIN, ...process.argv.slice(2)]);
});
