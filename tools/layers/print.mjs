/** Prints the table of layers as Markdown, for ARCHITECTURE.md. */

/** @typedef {import('./table.mjs').Layer} Layer */

const BEGIN = '<!-- layers: printed from tools/layers/table.mjs by `node tools/layers.mjs --write` -->';
const END = '<!-- /layers -->';

export function formatLayers(/** @type {Readonly<Record<string, Layer>>} */ layers) {
  const rows = Object.entries(layers).map(
    ([folder, { purpose, imports, portable }]) =>
      `| \`${folder}\` | ${purpose} | ${formatImports(layers, folder, imports)} | ${portable ? 'yes' : ''} |`,
  );
  return ['| folder | holds | may import | portable |', '|---|---|---|---|', ...rows].join('\n');
}

/** Names all folders below at once where all are allowed. */
function formatImports(
  /** @type {Readonly<Record<string, Layer>>} */ layers,
  /** @type {string} */ folder,
  /** @type {readonly string[]} */ imports,
) {
  const folders = Object.keys(layers);
  const below = folders.slice(0, folders.indexOf(folder));
  if (below.length === 0) return 'nothing';
  const missing = below.filter((name) => !imports.includes(name));
  if (missing.length === 0) return below.length > 1 ? 'all above' : imports.join(', ');
  if (missing.length <= 2 && below.length > 4) return `all above but ${missing.join(', ')}`;
  return imports.join(', ');
}

/**
 * The document with the current table between its markers.
 *
 * @param {string} document
 * @param {Readonly<Record<string, Layer>>} layers
 * @returns {string}
 */
export function withLayers(document, layers) {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`no markers for the table of layers: ${BEGIN} … ${END}`);
  return `${document.slice(0, begin)}${BEGIN}\n${formatLayers(layers)}\n${document.slice(end)}`;
}
