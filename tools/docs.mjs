/** Checks the documents: every link to a file of the checkout leads to one, and ADRs are numbered and listed. */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { listFiles } from './lib/files.mjs';
import { root, say } from './lib/process.mjs';

const ADR_INDEX = 'docs/adr/README.md';
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

/** @returns {number} the exit code; problems are printed */
export function checkDocuments() {
  const documents = [...DOCUMENTS, ...['docs', 'src', 'examples', 'test', 'bench'].flatMap(listFiles)].filter(
    (path) => path.endsWith('.md') && existsSync(join(root, path)),
  );
  const problems = documents.flatMap((path) => checkLinks(path, readFileSync(join(root, path), 'utf8')));
  problems.push(...checkDecisions(listFiles('docs/adr'), readFileSync(join(root, ADR_INDEX), 'utf8')));
  for (const problem of problems) say(problem);
  return problems.length === 0 ? 0 : 1;
}

/**
 * @param {string} path
 * @param {string} text Markdown
 * @param {(path: string) => boolean} exists
 * @returns {string[]} problems
 */
export function checkLinks(path, text, exists = (file) => existsSync(join(root, file))) {
  const problems = [];
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replace(/[^\n]/g, ''));
  for (const { 1: target = '', index } of prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
    if (/^[a-z][a-z+.-]*:/.test(target)) continue;
    const file = posix.join(posix.dirname(path), target);
    const line = prose.slice(0, index).split('\n').length;
    if (!exists(file)) problems.push(`${path}:${line}: link to '${target}', which does not exist`);
  }
  return problems;
}

/**
 * @param {readonly string[]} files of docs/adr
 * @param {string} index the text of its README
 * @returns {string[]} problems
 */
export function checkDecisions(files, index) {
  const decisions = files.map((path) => posix.basename(path)).filter((name) => name !== 'README.md');
  return decisions.flatMap((name, at) => {
    const problems = [];
    if (!/^\d{4}-[a-z0-9-]+\.md$/.test(name)) problems.push(`docs/adr/${name}: not named NNNN-title.md`);
    else if (Number(name.slice(0, 4)) !== at + 1) problems.push(`docs/adr/${name}: numbers go up by one from 0001`);
    if (!index.includes(`(${name})`)) problems.push(`${ADR_INDEX}: does not list ${name}`);
    return problems;
  });
}
