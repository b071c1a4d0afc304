/**
 * Where stations are: an open-addressing hash table from (bridge domain, MAC address) to port, in rows of four int32.
 *
 *   row: │ bridge << 16 | macHi │ macLo │ port │ seconds last seen │        port 0 = free row
 *
 * Linear probing at a load of at most one half; a removal moves later rows of the run back, so there are no tombstones.
 * The table never grows: as a constant it is looked up faster (docs/adr/0002).
 */
import { assert } from '../base/assert.js';

export const MacColumn = { key: 0, macLo: 1, port: 2, seen: 3 } as const;
const ROW_WORDS = 4;
const ROW_SHIFT = 2;

/** In the column `seen`: a static entry, which neither ages nor moves. */
export const SEEN_ALWAYS = 0x7fff_ffff;
export const NO_ROW = -1;

export class MacTable {
  /** Written in place by the bridge. */
  readonly rows: Int32Array;
  /** Index in `rows` of the row of a key, or NO_ROW. `macLo` is signed. */
  readonly find: (key: number, macLo: number) => number;
  readonly #mask: number;
  #count = 0;

  /** @param maxAddresses how many it has room for, at least. */
  constructor(maxAddresses: number) {
    const capacityRows = 2 ** Math.ceil(Math.log2(maxAddresses * 2));
    this.rows = new Int32Array(capacityRows * ROW_WORDS);
    this.#mask = capacityRows - 1;
    this.find = makeFind(this.rows, this.#mask);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return (this.#count + 1) * 2 > this.#mask + 1;
  }

  /** Adds a key that is not in the table, which is not full. */
  add(key: number, macLo: number, port: number, seen: number): void {
    assert(!this.isFull, 'a station was added to a full table');
    const { rows } = this;
    let i = hash(key, macLo) & this.#mask;
    while (rows[(i << ROW_SHIFT) + MacColumn.port] !== 0) i = (i + 1) & this.#mask;
    const at = i << ROW_SHIFT;
    rows[at] = key;
    rows[at + MacColumn.macLo] = macLo;
    rows[at + MacColumn.port] = port;
    rows[at + MacColumn.seen] = seen;
    this.#count++;
  }

  /** Removes the row at index `at`, which `find` returned. Rows may move: indexes found before are void. */
  remove(at: number): void {
    const rows = this.rows;
    const mask = this.#mask;
    let hole = at >> ROW_SHIFT;
    for (let i = (hole + 1) & mask; rows[(i << ROW_SHIFT) + MacColumn.port] !== 0; i = (i + 1) & mask) {
      const home = hash(rows[i << ROW_SHIFT]!, rows[(i << ROW_SHIFT) + MacColumn.macLo]!) & mask;
      // A row may fill the hole unless its probe sequence begins behind it.
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      rows.copyWithin(hole << ROW_SHIFT, i << ROW_SHIFT, (i + 1) << ROW_SHIFT);
      hole = i;
    }
    rows.fill(0, hole << ROW_SHIFT, (hole + 1) << ROW_SHIFT);
    this.#count--;
  }

  /** Removes all rows for which `condition` holds, given their index. */
  removeWhere(condition: (at: number) => boolean): void {
    // A removal may move a row to this place, so the place is looked at again; one that wraps round is met later.
    for (let at = 0; at < this.rows.length; ) {
      if (this.rows[at + MacColumn.port] !== 0 && condition(at)) this.remove(at);
      else at += ROW_WORDS;
    }
  }

  /** Calls `visit` with the index of each row. */
  forEach(visit: (at: number) => void): void {
    for (let at = 0; at < this.rows.length; at += ROW_WORDS) if (this.rows[at + MacColumn.port] !== 0) visit(at);
  }
}

function makeFind(rows: Int32Array, mask: number): (key: number, macLo: number) => number {
  function probe(from: number, key: number, macLo: number): number {
    for (let i = from; ; i = (i + 1) & mask) {
      const at = i << ROW_SHIFT;
      if (rows[at + MacColumn.port] === 0) return NO_ROW;
      if (rows[at + MacColumn.macLo] === macLo && rows[at] === key) return at;
    }
  }

  return function find(key, macLo) {
    const home = hash(key, macLo) & mask;
    const at = home << ROW_SHIFT;
    // Most stations stand where their hash says; without the loop this is small enough to be inlined.
    if (rows[at + MacColumn.macLo] === macLo && rows[at] === key && rows[at + MacColumn.port] !== 0) return at;
    return probe(home, key, macLo);
  };
}

function hash(key: number, macLo: number): number {
  const mixed = Math.imul(macLo, 0x9e3779b1) ^ Math.imul(key, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
