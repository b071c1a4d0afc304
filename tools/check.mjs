/**
 * `node tools/check.mjs [NAME…]`: what must hold beside the tests, all of it or the named steps: format, lint, layers,
 * types, documents, examples, lock file, published package. Every step runs, also after a failed one.
 */
import { build } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { isMain, runMain, runModule, say, ToolError } from './lib/process.mjs';

/** @typedef {{ name: string, run: () => Promise<number> | number }} Step 0 is success */

/** @type {Step} */
const lint = {
  name: 'lint',
  run: () => runModule('@biomejs/biome/bin/biome', ['ci', '--colors=off', '.']),
};

// The other modules are loaded when their turn comes: they need packages that a fresh clone does not have yet.
/** @type {Step} */
const layers = { name: 'layers', run: async () => (await import('./layers.mjs')).checkLayers() };

/** @type {Step} */
const types = {
  name: 'types',
  run: async () => {
    await build();
    // The portable folders compile without Node's types, the tools by the types in their comments.
    const projects = ['tsconfig.portable.json', 'tools/tsconfig.json'];
    const codes = await Promise.all(projects.map((project) => runModule('typescript/bin/tsc', ['-p', project])));
    return Math.max(...codes);
  },
};

/** The checks of the quick loop. */
export const quickSteps = [lint, layers, types];

/** @type {Step[]} */
const allSteps = [
  ...quickSteps,
  { name: 'documents', run: async () => (await import('./docs.mjs')).checkDocuments() },
  { name: 'examples', run: async () => (await import('./examples.mjs')).checkExamples() },
  { name: 'package', run: async () => (await import('./package.mjs')).checkPackage() },
];

/**
 * Runs the steps one after the other and prints one line for each.
 *
 * @param {readonly Step[]} steps
 * @returns {Promise<number>} the exit code
 */
export async function runSteps(steps) {
  const failed = [];
  for (const step of steps) {
    const startedMs = performance.now();
    const code = await runStep(step);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    say(`${code === 0 ? '✔' : '✖'} ${step.name} (${seconds} s)`);
    if (code > 128) throw new ToolError('usernet: interrupted', code);
    if (code !== 0) failed.push(step.name);
  }
  if (failed.length > 0) say(`failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

/** @param {Step} step */
async function runStep(step) {
  try {
    return await step.run();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    say(error.message);
    return error.exitCode;
  }
}

async function main() {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !allSteps.some((step) => step.name === name));
  if (unknown.length > 0) throw new ToolError(`usernet: no such check: ${unknown.join(', ')}`);
  await ensureInstalled();
  return await runSteps(allSteps.filter(({ name }) => names.length === 0 || names.includes(name)));
}

if (isMain(import.meta.url)) await runMain(main);
