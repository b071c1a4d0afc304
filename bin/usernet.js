#!/usr/bin/env node
/**
 * The `usernet` command. In a clone it first installs the dependencies and builds what is out of date; the published
 * package has dist/ and neither src/ nor tools/.
 */
import { existsSync } from 'node:fs';

const builder = new URL('../tools/build.mjs', import.meta.url);

if (existsSync(builder)) {
  const { build } = await import(builder.href);
  const { runMain } = await import(new URL('./lib/process.mjs', builder).href);
  await runMain(() => build({ only: 'product' }));
}

if (!process.exitCode) {
  const { main } = await import(new URL('../dist/cli/main.js', import.meta.url).href);
  process.exitCode = await main(process.argv.slice(2));
}
