/**
 * Who owns what: one row for each connection of TCP, or each socket of UDP, under the same index. A row is open while an
 * application's worker holds it; its handle dies with the row.
 */
import type { Arena } from '../mem/arena.js';
import {
  handleGeneration,
  handleIndex,
  handleKind,
  handleWorker,
  makeHandle,
  NO_HANDLE,
  nextGeneration,
} from './handle.js';

export const NO_ROW = -1;
export const NO_OWNER = 0;

/** Bits of the `flags` column. */
export const RowFlag = {
  /** A `readable` event was sent and nothing was read since. */
  readableKnown: 1,
  /** A connect without an answer. */
  connecting: 2,
  /** A SYN that waits for the application's answer. */
  deferred: 4,
  /** Reported as accepted, not taken by the application yet. */
  untaken: 8,
  /** The application writes no more. */
  shutdown: 16,
  /** The peer writes no more. */
  peerClosed: 32,
  /** The connection is gone; what it received can still be read. */
  gone: 64,
} as const;

export class RowTable {
  /** Number of the application worker + 1, or NO_OWNER. */
  readonly owner: Int32Array;
  readonly generation: Int32Array;
  /** Bits of {@link RowFlag}. */
  readonly flags: Int32Array;
  /** Request of the connect, or of the listen it came by. */
  readonly request: Int32Array;
  /** Index of the listener's member it came by + 1 while it is deferred or untaken. */
  readonly member: Int32Array;
  readonly #worker: number;
  readonly #kind: number;
  #end = 0;
  #count = 0;

  /** @param kind the kind of its handles. @param worker number of the stack's worker thread. */
  constructor(arena: Arena, capacity: number, kind: number, worker: number) {
    this.#kind = kind;
    this.#worker = worker;
    this.owner = arena.int32(capacity);
    this.generation = arena.int32(capacity);
    this.flags = arena.int32(capacity);
    this.request = arena.int32(capacity);
    this.member = arena.int32(capacity);
  }

  /** Open rows. */
  get count(): number {
    return this.#count;
  }

  /** One more than the highest row that was ever open. */
  get end(): number {
    return this.#end;
  }

  /** Gives a row to an application worker. */
  open(row: number, workerIndex: number, flags: number, request: number): void {
    this.owner[row] = workerIndex + 1;
    this.generation[row] = nextGeneration(this.generation[row]!);
    this.flags[row] = flags;
    this.request[row] = request;
    this.member[row] = 0;
    if (row >= this.#end) this.#end = row + 1;
    this.#count++;
  }

  close(row: number): void {
    this.owner[row] = NO_OWNER;
    this.#count--;
  }

  isOpen(row: number): boolean {
    return this.owner[row] !== NO_OWNER;
  }

  /** Number of the application worker that holds an open row. */
  ownerOf(row: number): number {
    return this.owner[row]! - 1;
  }

  has(row: number, flag: number): boolean {
    return (this.flags[row]! & flag) !== 0;
  }

  set(row: number, flag: number): void {
    this.flags[row]! |= flag;
  }

  clear(row: number, flag: number): void {
    this.flags[row]! &= ~flag;
  }

  handle(row: number): number {
    return this.isOpen(row) ? makeHandle(this.#worker, this.#kind, row, this.generation[row]!) : NO_HANDLE;
  }

  /** The row of a handle that application worker `workerIndex` holds; NO_ROW if it is stale, another's or made up. */
  find(handle: number, workerIndex: number): number {
    const row = handleIndex(handle);
    if (this.owner[row] !== workerIndex + 1 || this.generation[row] !== handleGeneration(handle)) return NO_ROW;
    if (handleKind(handle) !== this.#kind || handleWorker(handle) !== this.#worker) return NO_ROW;
    return row;
  }
}
