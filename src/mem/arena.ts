/**
 * One fixed shared WebAssembly memory that holds packets, columns, tables, rings and FIFOs.
 *
 * The maximum is reserved at once and never grows (a growable buffer is 10–20 times slower); the system commits a page
 * when it is first touched. It holds offsets, never pointers, so that other threads and processes can map it.
 * An offset is absolute: a byte position in this memory, below 2 GiB, so that it is an int32.
 */
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';

const WASM_PAGE_BYTES = 65_536;
const CACHE_LINE_BYTES = 64;
const MAX_ARENA_BYTES = 0x8000_0000 - WASM_PAGE_BYTES;
/** The first line stays unused: offset 0 means "nothing". */
const FIRST_OFFSET = CACHE_LINE_BYTES;
/** Bytes that copyIn and copyOut take at a time. */
const STAGING_BYTES = 65_536;
/** Shorter copies are not worth a detour. */
const MIN_STAGED_BYTES = 128;
const NO_AREA = 0;

export const DEFAULT_ARENA_BYTES = 1024 * 1024 * 1024;

export class Arena {
  readonly memory: WebAssembly.Memory;
  /** The one DataView; every wire accessor takes it. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  /**
   * Copies inside the arena: (destination, source, bytes), offsets. The kernels put a faster one here.
   * Overlapping ranges are allowed.
   */
  copy: (destination: number, source: number, bytes: number) => void;
  #end = FIRST_OFFSET;
  /** Offset of the staging area. */
  #staging = NO_AREA;

  constructor(sizeBytes: number = DEFAULT_ARENA_BYTES) {
    assert(sizeBytes > 0 && sizeBytes <= MAX_ARENA_BYTES, `arena of ${sizeBytes} bytes: at most ${MAX_ARENA_BYTES}`);
    const pages = Math.ceil(sizeBytes / WASM_PAGE_BYTES);
    this.sizeBytes = pages * WASM_PAGE_BYTES;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.view = new DataView(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    const bytes = this.bytes;
    this.copy = (destination, source, count) => {
      bytes.copyWithin(destination, source, source + count);
    };
  }

  get usedBytes(): number {
    return this.#end;
  }

  /** Reserves `bytes` zeroed bytes for the arena's life and returns their offset. Throws USERNET_ARENA_FULL. */
  allocate(bytes: number, align: number = CACHE_LINE_BYTES): number {
    const at = Math.ceil(this.#end / align) * align;
    if (at + bytes > this.sizeBytes) {
      throw new UsernetError(
        'USERNET_ARENA_FULL',
        `the packet memory of ${this.sizeBytes} bytes is full: ${bytes} more bytes were asked for`,
        'raise memory.arenaBytes or lower the limits of connections and packets',
      );
    }
    this.#end = at + bytes;
    return at;
  }

  /**
   * Copies `count` bytes from index `from` of an application's bytes to offset `to`.
   *
   * Between private and shared memory V8 copies byte by byte unless both sides lie alike within their 8 bytes, at a
   * quarter of the speed. So the bytes first go to a place in here that lies like theirs, and from there by `copy`.
   */
  copyIn(to: number, source: Uint8Array, from: number, count: number): void {
    const alignment = (source.byteOffset + from) & 7;
    const isAlike = alignment === (to & 7) || count < MIN_STAGED_BYTES;
    const area = isAlike ? NO_AREA : this.#stagingArea();
    if (area === NO_AREA) {
      this.bytes.set(source.subarray(from, from + count), to);
      return;
    }
    const staging = area + alignment;
    for (let done = 0; done < count; done += STAGING_BYTES) {
      const piece = Math.min(count - done, STAGING_BYTES);
      this.bytes.set(source.subarray(from + done, from + done + piece), staging);
      this.copy(to + done, staging, piece);
    }
  }

  /** Copies `count` bytes from offset `from` to index `at` of an application's bytes. See {@link copyIn}. */
  copyOut(from: number, target: Uint8Array, at: number, count: number): void {
    const alignment = (target.byteOffset + at) & 7;
    const isAlike = alignment === (from & 7) || count < MIN_STAGED_BYTES;
    const area = isAlike ? NO_AREA : this.#stagingArea();
    if (area === NO_AREA) {
      target.set(this.bytes.subarray(from, from + count), at);
      return;
    }
    const staging = area + alignment;
    for (let done = 0; done < count; done += STAGING_BYTES) {
      const piece = Math.min(count - done, STAGING_BYTES);
      this.copy(staging, from + done, piece);
      target.set(this.bytes.subarray(staging, staging + piece), at + done);
    }
  }

  /** A zeroed column of `count` int32, on a cache line of its own. */
  int32(count: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.allocate(count * 4), count);
  }

  /** A zeroed column of `count` doubles, on a cache line of its own. */
  float64(count: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.allocate(count * 8), count);
  }

  /** The staging area, reserved when first needed; NO_AREA in an arena that is full. */
  #stagingArea(): number {
    if (this.#staging === NO_AREA && this.#end + STAGING_BYTES + 2 * CACHE_LINE_BYTES <= this.sizeBytes) {
      this.#staging = this.allocate(STAGING_BYTES + CACHE_LINE_BYTES);
    }
    return this.#staging;
  }
}
