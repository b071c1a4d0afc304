/**
 * Compiles src/kernels/assembly (AssemblyScript) and embeds the result as text in src/kernels/wasm-bytes.generated.ts.
 * Does nothing when the generated file was made from the same sources.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles, writeIfChanged } from './lib/files.mjs';
import { isMain, root, runMain, say, ToolError } from './lib/process.mjs';

const FOLDER = 'src/kernels/assembly';
const ENTRY = `${FOLDER}/index.ts`;
const OUTPUT = 'src/kernels/wasm-bytes.generated.ts';

/**
 * The module imports the packet arena, whatever its size, and must place nothing in it: no runtime, no stack, no abort
 * messages.
 */
const OPTIONS = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--stackSize', '0'],
  ...['--importMemory', '--noExportMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'threads', '--enable', 'simd', '--enable', 'bulk-memory'],
];

/** Sections that would mean state of the module's own. WebAssembly core specification, section 5.5.2. */
const FORBIDDEN_SECTIONS = new Map([
  [6, 'global'],
  [8, 'start'],
  [11, 'data'],
]);

export async function buildKernels() {
  const stamp = `// Made by tools/build-kernels.mjs from ${FOLDER}. Sources: ${hashOfSources()}\n`;
  if (existsSync(join(root, OUTPUT)) && readFileSync(join(root, OUTPUT), 'utf8').startsWith(stamp)) return;
  const bytes = await compile();
  assertStateless(bytes);
  const base64 = Buffer.from(bytes).toString('base64');
  writeIfChanged(OUTPUT, `${stamp}export const KERNELS_WASM_BASE64 =\n  '${base64}';\n`);
  say(`usernet: kernels compiled, ${bytes.length} bytes`);
}

function hashOfSources() {
  const hash = createHash('sha256');
  for (const file of [...listFiles(FOLDER), 'tools/build-kernels.mjs']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

/** @returns {Promise<Uint8Array>} */
async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  /** @type {Uint8Array | undefined} */
  let bytes;
  const { error, stderr } = await asc.main([ENTRY, '--outFile', 'kernels.wasm', ...OPTIONS], {
    readFile: (name) => (existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8') : null),
    writeFile: (_name, contents) => {
      bytes = Buffer.from(contents);
    },
    listFiles: () => [],
  });
  if (error !== null || bytes === undefined) throw new ToolError(`usernet: the kernels do not compile\n${stderr}`);
  return bytes;
}

/** Walks the sections: one byte of id, then a LEB128 length. */
function assertStateless(/** @type {Uint8Array} */ bytes) {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++] ?? 0;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    const name = FORBIDDEN_SECTIONS.get(id);
    if (name !== undefined) throw new ToolError(`usernet: the kernels must be stateless, but have a ${name} section`);
    at += length;
  }
}

if (isMain(import.meta.url)) await runMain(() => buildKernels().then(() => 0));
