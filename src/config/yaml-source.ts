/** A YAML text with the place of everything in it. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { ConfigPath, ConfigProblem } from './problem.js';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export class YamlSource {
  readonly file: string;
  /** What the text says, as plain values. Undefined when it is no YAML. */
  readonly data: unknown;
  /** Errors of the YAML itself. */
  readonly problems: readonly ConfigProblem[];
  readonly #document: Document;
  readonly #lines = new LineCounter();

  constructor(text: string, file: string) {
    this.file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, resolveKnownTags: false });
    const problems: ConfigProblem[] = this.#document.errors.map((error) => ({
      file,
      ...this.#place(error.pos[0]),
      path: '',
      message: describeYamlError(error.code, error.message),
      ...(error.code === 'TAB_AS_INDENT' ? { hint: 'indent with spaces' } : {}),
    }));
    this.data = problems.length > 0 ? undefined : this.#toPlain(problems);
    this.problems = problems;
  }

  /** Where the value at `path` begins, or that of its closest existing ancestor. */
  placeOfValue(path: ConfigPath): Place {
    return this.#find(path, false);
  }

  /** Where the key at the end of `path` begins, or the closest existing ancestor's value. */
  placeOfKey(path: ConfigPath): Place {
    return this.#find(path, true);
  }

  #toPlain(problems: ConfigProblem[]): unknown {
    try {
      return this.#document.toJS();
    } catch (error) {
      // Aliases that would unfold to more than the parser allows.
      const message = error instanceof Error ? error.message : String(error);
      problems.push({ file: this.file, line: 1, column: 1, path: '', message });
      return undefined;
    }
  }

  #find(path: ConfigPath, wantKey: boolean): Place {
    let node = this.#document.contents as Node | null;
    let start = node?.range?.[0] ?? 0;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#document) ?? null;
      if (!isCollection(node)) break;
      const item: unknown = isSeq(node) ? node.items[Number(step)] : undefined;
      const pair = isMap(node)
        ? node.items.find((each) => isPair(each) && keyText(each.key) === String(step))
        : undefined;
      const key = pair?.key as Node | undefined;
      const value = (pair === undefined ? item : pair.value) as Node | null | undefined;
      if (pair === undefined && item === undefined) break;
      if (wantKey && depth === path.length - 1 && key?.range) return this.#place(key.range[0]);
      start = value?.range?.[0] ?? key?.range?.[0] ?? start;
      node = value ?? null;
    }
    return this.#place(start);
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function describeYamlError(code: string, message: string): string {
  return code === 'DUPLICATE_KEY' ? 'the same key stands here twice' : message;
}
