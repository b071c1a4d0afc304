/** Small helpers over the file system, shared by the tools. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './process.mjs';

/**
 * All files under a folder of the checkout, sorted, as paths relative to the root with `/`. A folder that does not
 * exist has none.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function listFiles(folder) {
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {string} */ path) => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      if (entry.isDirectory()) visit(`${path}/${entry.name}`);
      else found.push(`${path}/${entry.name}`);
    }
  };
  if (existsSync(join(root, folder))) visit(folder);
  return found.sort();
}

/**
 * A hash that changes when one of the files is edited, added or removed. It reads no contents: path, size and
 * modification time suffice, and a warm check of a thousand files takes milliseconds.
 *
 * @param {readonly string[]} files
 */
export function signatureOf(files) {
  const hash = createHash('sha1');
  for (const file of files) {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    hash.update(stat === undefined ? `${file}:none\n` : `${file}:${stat.size}:${stat.mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @returns {any} the parsed file, or undefined when there is none or it is damaged */
export function readJson(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Writes a file when its content differs, at once (rename), so that a program that runs from the folder never reads
 * half a file.
 *
 * @param {string} file
 * @param {string | Uint8Array} content
 */
export function writeIfChanged(file, content) {
  const path = join(root, file);
  const bytes = Buffer.from(content);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}
