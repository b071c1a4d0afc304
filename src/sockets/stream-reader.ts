/** The reading half of a stream handle: from the session's FIFO to `onread`, or to whoever reads in C++. */
import { callInto, emptyQueues } from './callback.js';
import { nodeBinding } from './node-binding.js';
import { MAX_READ_BYTES, readSlab } from './read-slab.js';
import type { Turn } from './stack-sockets.js';
import type { StreamState } from './stream-state.js';
import { uvCode } from './uv-errno.js';

const { kReadBytesOrError, kArrayBufferOffset, streamBaseState } = nodeBinding('stream_wrap');
const UV_EOF = uvCode('EOF');

/** Reads of one connection before others get their turn, as libuv's. */
const MAX_READS_PER_TURN = 32;

export class StreamReader implements Turn {
  readonly #state: StreamState;
  #isReading = false;
  #isScheduled = false;
  #hasReadEof = false;

  constructor(state: StreamState) {
    this.#state = state;
  }

  /** Starts to read; the first bytes come in the next turn, never from inside this call. */
  start(): void {
    this.#isReading = true;
    this.#state.loop.setActive(!this.#hasReadEof);
    this.#schedule();
  }

  stop(): void {
    this.#isReading = false;
    this.#state.loop.setActive(false);
  }

  runTurn(): void {
    this.#isScheduled = false;
    this.#pump();
  }

  /** Something changed: bytes, FIN or the end of the session. */
  wake(): void {
    if (this.#isReading && !this.#isScheduled) this.#pump();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#state.sockets.schedule(this);
  }

  #pump(): void {
    const state = this.#state;
    for (let reads = 0; this.#isReading && !state.isClosed; reads++) {
      const count = Math.min(state.port.readable(state.session), MAX_READ_BYTES);
      if (count === 0) {
        this.#reportEnd();
        return;
      }
      if (reads === MAX_READS_PER_TURN) {
        this.#schedule();
        return;
      }
      if (state.isNative) this.#readToNative(count);
      else if (state.userBuffer !== undefined) this.#readToUser(state.userBuffer);
      else this.#read(count);
    }
  }

  #read(count: number): void {
    const state = this.#state;
    readSlab.reserve(count);
    const { bytes, at } = readSlab;
    const taken = state.port.read(state.session, bytes, at, count);
    state.bytesRead += taken;
    if (state.onread === undefined) return;
    streamBaseState[kReadBytesOrError] = taken;
    streamBaseState[kArrayBufferOffset] = at;
    callInto(state.resource, state.onread, state.handle, bytes.buffer);
  }

  #readToNative(count: number): void {
    const state = this.#state;
    readSlab.reserve(count);
    const { bytes, at } = readSlab;
    const taken = state.port.read(state.session, bytes, at, count);
    state.bytesRead += taken;
    state.handle.readBuffer(bytes.subarray(at, at + taken));
    emptyQueues();
  }

  /** For net.Socket's `onread` option: into the application's own buffer, and the next one if it gives another. */
  #readToUser(buffer: Uint8Array): void {
    const state = this.#state;
    const taken = state.port.read(state.session, buffer, 0, Math.min(buffer.length, MAX_READ_BYTES));
    state.bytesRead += taken;
    const { onread } = state;
    if (onread === undefined) return;
    streamBaseState[kReadBytesOrError] = taken;
    const read = (): void => {
      const next = onread.call(state.handle);
      if (next instanceof Uint8Array) state.userBuffer = next;
    };
    callInto(state.resource, read, undefined);
  }

  /** All bytes are read: tells what comes after them, once. */
  #reportEnd(): void {
    const state = this.#state;
    if (state.isGone && state.hasError) {
      this.stop();
      this.#reportCode(state.takeError());
    } else if ((state.hasPeerClosed || state.isGone) && !this.#hasReadEof) {
      this.#hasReadEof = true;
      this.stop();
      if (!state.isNative) {
        this.#reportCode(UV_EOF);
        return;
      }
      state.handle.emitEOF();
      emptyQueues();
    }
  }

  /** Calls the topmost `onread` with an error: consumers in C++ have no other way to hear of one. */
  #reportCode(code: number): void {
    const state = this.#state;
    const target = state.upper ?? state.handle;
    const report = (): void => {
      streamBaseState[kReadBytesOrError] = code;
      streamBaseState[kArrayBufferOffset] = 0;
      target.onread?.call(target);
    };
    callInto(state.resource, report, undefined);
  }
}
