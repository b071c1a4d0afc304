/**
 * Checks the imports of src/ against the table, and the names of nodes. Takes the sources as data, so that its test can show it a tree that
 * breaks each rule.
 */
import { posix } from 'node:path';
import ts from 'typescript';

/** @typedef {import('./table.mjs').Layer} Layer */
/** @typedef {{ path: string, line: number, message: string }} Violation */

/** Tests, and what several of them share: fakes in a folder `testing`. */
const TEST_FILE = /\.test\.[jt]s$|\/testing\//;

/**
 * @param {Readonly<Record<string, Layer>>} layers
 * @param {readonly { path: string, text: string }[]} sources paths relative to the root: `src/wire/tcp.ts`
 * @returns {Violation[]}
 */
export function findViolations(layers, sources) {
  return [...checkTable(layers), ...sources.flatMap((source) => checkSource(layers, source))];
}

/** The table itself: only known folders, from the bottom to the top, so that there is no cycle. */
function checkTable(/** @type {Readonly<Record<string, Layer>>} */ layers) {
  /** @type {Violation[]} */
  const violations = [];
  const below = new Set();
  for (const [folder, { imports, portable }] of Object.entries(layers)) {
    for (const target of imports) {
      const problem = !below.has(target)
        ? `'${target}' does not stand above the row`
        : portable && layers[target]?.portable === false && `portable, but imports '${target}', which is not`;
      if (problem) violations.push({ path: 'tools/layers/table.mjs', line: 1, message: `row '${folder}': ${problem}` });
    }
    below.add(folder);
  }
  return violations;
}

/**
 * @param {Readonly<Record<string, Layer>>} layers
 * @param {{ path: string, text: string }} source
 * @returns {Violation[]}
 */
function checkSource(layers, { path, text }) {
  const folder = folderOf(path);
  // Entry points (src/index.ts …) stand above all folders.
  if (folder === undefined) return [];
  const layer = layers[folder];
  if (layer === undefined) return [{ path, line: 1, message: `folder '${folder}' has no row in the table of layers` }];
  const isTest = TEST_FILE.test(path);
  /** @type {Violation[]} */
  const violations = [];
  for (const { specifier, position } of importsOf(text)) {
    const message = isTest ? checkTestImport(path, specifier) : checkImport({ layer, folder, path, specifier });
    if (message !== undefined) violations.push({ path, line: lineAt(text, position), message });
  }
  if (!isTest) violations.push(...checkNodeName(path, text));
  if (layer.portable && !isTest) {
    // Other globals of one platform are refused by the linter; this one is a member.
    for (const { index } of text.matchAll(/\bMath\.random\b/g)) {
      violations.push({
        path,
        line: lineAt(text, index),
        message: `Math.random in '${folder}': randomness is injected`,
      });
    }
  }
  return violations;
}

/**
 * @param {{ layer: Layer, folder: string, path: string, specifier: string }} from
 * @returns {string | undefined} what is wrong
 */
function checkImport({ layer, folder, path, specifier }) {
  if (!specifier.startsWith('.')) {
    return layer.portable ? `'${folder}' is portable and must not import '${specifier}'` : undefined;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith('src/')) return `'${folder}' must not import '${target}', which is not in src/`;
  if (TEST_FILE.test(target)) return `the product must not import '${target}', which is for tests`;
  const targetFolder = folderOf(target);
  if (targetFolder === undefined) return `'${folder}' must not import the entry point '${target}'`;
  if (targetFolder === folder || layer.imports.includes(targetFolder)) return undefined;
  return `'${folder}' must not import '${targetFolder}' (${target})`;
}

/** A test may import whatever it needs of src/ and test/, so that it can put layers together. */
function checkTestImport(/** @type {string} */ path, /** @type {string} */ specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  return /^(src|test)\//.test(target) ? undefined : `a test must not import '${target}'`;
}

/** A node of the graph has the name of its file, so that a name in a trace or a counter leads to the code. */
function checkNodeName(/** @type {string} */ path, /** @type {string} */ text) {
  /** @type {Violation[]} */
  const violations = [];
  const fileName = posix.basename(path, '.ts');
  for (const { 1: name, index } of text.matchAll(/: NodeSpec(?:<\w+>)? = \{\s*name: '([^']*)'/g)) {
    const message = `node '${name}' stands in a file of another name`;
    if (name !== fileName) violations.push({ path, line: lineAt(text, index), message });
  }
  return violations;
}

/** Each module that a file names: `import`, `export … from`, `import()`, types included. */
function importsOf(/** @type {string} */ text) {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  return importedFiles.map(({ fileName, pos }) => ({ specifier: fileName, position: pos }));
}

/** `src/wire/tcp.ts` → `wire`; `src/index.ts` → undefined. */
function folderOf(/** @type {string} */ path) {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}

function lineAt(/** @type {string} */ text, /** @type {number} */ position) {
  return text.slice(0, position).split('\n').length;
}
