/** What handles of one kind stand for: objects by index, each index with the generation of its present owner. */
import { assert } from '../base/assert.js';
import {
  handleGeneration,
  handleIndex,
  handleKind,
  handleWorker,
  MAX_HANDLE_INDEX,
  makeHandle,
  nextGeneration,
} from './handle.js';

/** Forgotten indexes at the front of the free list before it is cut. */
const MAX_SPENT = 1024;

export class HandleTable<Value> {
  readonly #worker: number;
  readonly #kind: number;
  readonly #values: (Value | undefined)[] = [];
  readonly #generations: number[] = [];
  /** Free indexes, oldest first: an index rests as long as possible before it is used again. */
  readonly #free: number[] = [];
  #freeHead = 0;
  #size = 0;

  constructor(worker: number, kind: number) {
    this.#worker = worker;
    this.#kind = kind;
  }

  get size(): number {
    return this.#size;
  }

  /** Keeps a value and returns its handle. */
  add(value: Value): number {
    const index = this.#takeIndex();
    assert(index <= MAX_HANDLE_INDEX, 'out of handles');
    const generation = nextGeneration(this.#generations[index] ?? 0);
    this.#generations[index] = generation;
    this.#values[index] = value;
    this.#size++;
    return makeHandle(this.#worker, this.#kind, index, generation);
  }

  /** The value of a handle, or undefined for a handle that is stale, foreign or made up. */
  get(handle: number): Value | undefined {
    const index = handleIndex(handle);
    if (this.#generations[index] !== handleGeneration(handle)) return undefined;
    if (handleWorker(handle) !== this.#worker || handleKind(handle) !== this.#kind) return undefined;
    return this.#values[index];
  }

  /** Forgets a handle; false if it was dead already. */
  remove(handle: number): boolean {
    if (this.get(handle) === undefined) return false;
    const index = handleIndex(handle);
    this.#values[index] = undefined;
    this.#free.push(index);
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): Generator<Value> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }

  #takeIndex(): number {
    if (this.#freeHead === this.#free.length) return this.#values.length;
    const index = this.#free[this.#freeHead++]!;
    if (this.#freeHead > MAX_SPENT && this.#freeHead * 2 > this.#free.length) {
      this.#free.splice(0, this.#freeHead);
      this.#freeHead = 0;
    }
    return index;
  }
}
