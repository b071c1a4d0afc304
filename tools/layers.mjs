/**
 * `node tools/layers.mjs`: checks src/ against the table of layers, and that ARCHITECTURE.md shows the current one.
 * `--write` puts the table there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findViolations } from './layers/check.mjs';
import { withLayers } from './layers/print.mjs';
import { layers } from './layers/table.mjs';
import { listFiles, writeIfChanged } from './lib/files.mjs';
import { isMain, root, runMain, say } from './lib/process.mjs';

const DOCUMENT = 'ARCHITECTURE.md';

/** @returns {number} the exit code; problems are printed */
export function checkLayers({ write = false } = {}) {
  const sources = listFiles('src')
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/kernels/assembly/'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const problems = findViolations(layers, sources).map(({ path, line, message }) => `${path}:${line}: ${message}`);
  const document = readFileSync(join(root, DOCUMENT), 'utf8');
  const current = withLayers(document, layers);
  if (write) writeIfChanged(DOCUMENT, current);
  else if (document !== current)
    problems.push(`${DOCUMENT}: the table of layers is old; node tools/layers.mjs --write`);
  for (const problem of problems) say(problem);
  return problems.length === 0 ? 0 : 1;
}

if (isMain(import.meta.url)) await runMain(() => checkLayers({ write: process.argv.includes('--write') }));
