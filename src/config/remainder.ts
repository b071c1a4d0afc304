/** A copy of plain data from which wrong parts are taken out, and which remembers where list entries stood before. */
import type { ConfigPath } from './problem.js';

export class Remainder {
  readonly data: unknown;
  /** For each copied list: the positions that its entries have in the original. */
  readonly #positions = new Map<unknown, number[]>();

  constructor(data: unknown) {
    this.data = this.#copy(data);
  }

  /** Removes what stands at these paths of the data as it is now, or the closest things that would have held them. */
  remove(paths: readonly ConfigPath[]): void {
    const targets = new Map<string, ConfigPath>();
    for (const path of paths) {
      const target = this.#closest(path);
      targets.set(JSON.stringify(target), target);
    }
    // Last entries of lists first, so that the positions of the others stay; inner values before their holders.
    for (const target of [...targets.values()].sort(comparePaths).reverse()) {
      const parent = this.#walk(target.slice(0, -1));
      const step = target.at(-1)!;
      if (Array.isArray(parent)) this.#removeEntry(parent, Number(step));
      else if (typeof parent === 'object' && parent !== null) delete (parent as Record<string, unknown>)[step];
    }
  }

  /** The path in the original data of what stands at `path` now. */
  originalPath(path: ConfigPath): ConfigPath {
    return path.map((step, depth) => {
      const positions = this.#positions.get(this.#walk(path.slice(0, depth)));
      return positions?.[Number(step)] ?? step;
    });
  }

  #closest(path: ConfigPath): ConfigPath {
    for (let depth = path.length; depth > 1; depth--) {
      const parent = this.#walk(path.slice(0, depth - 1));
      if (typeof parent === 'object' && parent !== null && path[depth - 1]! in parent) return path.slice(0, depth);
    }
    return path.slice(0, 1);
  }

  #removeEntry(list: unknown[], index: number): void {
    list.splice(index, 1);
    this.#positions.get(list)?.splice(index, 1);
  }

  #walk(path: ConfigPath): unknown {
    let value = this.data;
    for (const step of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = (value as Record<string | number, unknown>)[step];
    }
    return value;
  }

  /** Groups and lists are copied; what they hold (texts, streams, functions) is not. */
  #copy(value: unknown): unknown {
    if (Array.isArray(value)) {
      const list = value.map((each) => this.#copy(each));
      this.#positions.set(list, [...list.keys()]);
      return list;
    }
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#copy(each)]));
  }
}

function comparePaths(a: ConfigPath, b: ConfigPath): number {
  for (let depth = 0; depth < Math.min(a.length, b.length); depth++) {
    const left = a[depth]!;
    const right = b[depth]!;
    if (left === right) continue;
    return typeof left === 'number' && typeof right === 'number' ? left - right : String(left) < String(right) ? -1 : 1;
  }
  return a.length - b.length;
}
