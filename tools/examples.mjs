/** Checks examples/: plain JavaScript, short, and written against what is published. The tests run them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { listFiles, readJson } from './lib/files.mjs';
import { root, say } from './lib/process.mjs';

const MAX_LINES = 60;

/** @returns {number} the exit code; problems are printed */
export function checkExamples() {
  const { exports = {}, dependencies, devDependencies } = readJson('package.json');
  const entryPoints = Object.keys(exports).map((key) => key.replace(/^\./, 'usernet'));
  const packages = new Set([...entryPoints, ...Object.keys({ ...dependencies, ...devDependencies })]);
  const problems = listFiles('examples')
    .filter((path) => /\.[cm]?[jt]s$/.test(path))
    .flatMap((path) => checkExample(path, readFileSync(join(root, path), 'utf8'), packages));
  for (const problem of problems) say(problem);
  return problems.length === 0 ? 0 : 1;
}

/**
 * @param {string} path
 * @param {string} text
 * @param {ReadonlySet<string>} packages what may be imported beside Node's own modules and other examples
 * @returns {string[]} problems
 */
export function checkExample(path, text, packages) {
  const problems = [];
  if (path.endsWith('ts')) problems.push(`${path}: examples are plain JavaScript`);
  const lines = text.trimEnd().split('\n').length;
  if (lines > MAX_LINES) problems.push(`${path}: ${lines} lines; an example has at most ${MAX_LINES}`);
  for (const { fileName } of ts.preProcessFile(text, true, true).importedFiles) {
    const isAllowed = /^node:/.test(fileName) || /^\.\/[^.]/.test(fileName) || packages.has(fileName);
    if (!isAllowed) problems.push(`${path}: imports '${fileName}', which is not published`);
  }
  return problems;
}
