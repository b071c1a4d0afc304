/** The writing half of a stream handle: write, writev and the string forms, shutdown, and what waits for room. */
import { AsyncResource } from 'node:async_hooks';
import { callInto, emptyQueues } from './callback.js';
import type { JsStream, NodeRequest, WriteResult } from './node-binding.js';
import type { Turn } from './stack-sockets.js';
import type { StreamState } from './stream-state.js';
import { encodeToScratch, textScratch } from './text-scratch.js';
import { uvCode } from './uv-errno.js';
import { finishWriteLater, finishWriteNow, HandleWrite, refuseWrite } from './write-protocol.js';
import { type PendingWrite, WriteQueue } from './write-queue.js';

const UV_EPIPE = uvCode('EPIPE');
const UV_ENOTCONN = uvCode('ENOTCONN');

const NOTHING = new Uint8Array(0);

export class StreamWriter {
  readonly #state: StreamState;
  readonly #queue: WriteQueue;
  #hasShutdown = false;
  /** A shutdown that waits for the queue, or for its turn. */
  #shutdown: ShutdownTurn | undefined;

  constructor(state: StreamState) {
    this.#state = state;
    this.#queue = new WriteQueue(state.port, state.session);
  }

  get queuedBytes(): number {
    return this.#queue.length;
  }

  get isShuttingDown(): boolean {
    return this.#shutdown !== undefined;
  }

  writeBytes(request: NodeRequest | null, bytes: Uint8Array): WriteResult {
    const code = this.#refusal();
    if (code !== 0) return refuseWrite(code);
    const count = bytes.length;
    const taken = this.#queue.offer(bytes, count);
    return taken === count ? this.#finish(count) : this.#defer(request, count, bytes, taken);
  }

  writeText(request: NodeRequest | null, text: string, encoding: BufferEncoding): WriteResult {
    const code = this.#refusal();
    if (code !== 0) return refuseWrite(code);
    const count = encodeToScratch(text, encoding);
    if (count < 0) return this.writeBytes(request, Buffer.from(text, encoding));
    const taken = this.#queue.offer(textScratch, count);
    if (taken === count) return this.#finish(count);
    return this.#defer(request, count, Buffer.from(textScratch.subarray(taken, count)), 0);
  }

  /** `chunks` are buffers, or in turn a buffer or string and its encoding. */
  writeChunks(request: NodeRequest | null, chunks: readonly unknown[], areBuffers: boolean): WriteResult {
    const code = this.#refusal();
    if (code !== 0) return refuseWrite(code);
    let total = 0;
    for (let i = 0; i < chunks.length; i += areBuffers ? 1 : 2) {
      const chunk = chunks[i];
      total +=
        typeof chunk === 'string'
          ? this.#appendText(chunk, chunks[i + 1] as BufferEncoding)
          : this.#append(chunk as Uint8Array);
    }
    return this.#queue.isEmpty ? this.#finish(total) : this.#defer(request, total, NOTHING, 0);
  }

  /** A write of a consumer in C++, which hears of its end later in any case. Returns an error code. */
  writeNative(request: NodeRequest, chunks: readonly Uint8Array[]): number {
    const code = this.#refusal();
    if (code !== 0) return code;
    for (const chunk of chunks) this.#state.bytesWritten += this.#append(chunk);
    const write = new NativeWrite(this.#state.handle, request);
    if (this.#queue.isEmpty) this.#state.sockets.schedule(write);
    else this.#queue.push(NOTHING, 0, write);
    return 0;
  }

  shutdown(request: NodeRequest): number {
    const resource = new AsyncResource('SHUTDOWNWRAP');
    return this.#shutdownThen((status) => {
      if (request.oncomplete !== undefined) callInto(resource, request.oncomplete, request, status);
    });
  }

  shutdownNative(request: NodeRequest): number {
    return this.#shutdownThen((status) => {
      this.#state.handle.finishShutdown(request, status);
      emptyQueues();
    });
  }

  /** There is room again. */
  flush(): void {
    this.#queue.flush();
    this.#scheduleFin();
  }

  /** Nothing more can be written: what waits ends with `code`. */
  fail(code: number): void {
    this.#queue.fail(code);
    this.#shutdown?.complete(code);
  }

  /** The bytes of `bytes` are written or stand in the queue. */
  #append(bytes: Uint8Array): number {
    const count = bytes.length;
    const taken = this.#queue.offer(bytes, count);
    if (taken < count) this.#queue.push(bytes, taken, undefined);
    return count;
  }

  #appendText(text: string, encoding: BufferEncoding): number {
    const count = encodeToScratch(text, encoding);
    if (count < 0) return this.#append(Buffer.from(text, encoding));
    const taken = this.#queue.offer(textScratch, count);
    if (taken < count) this.#queue.push(Buffer.from(textScratch.subarray(taken, count)), 0, undefined);
    return count;
  }

  /** The code of the error that every write meets now, else 0. */
  #refusal(): number {
    if (this.#hasShutdown) return UV_EPIPE;
    return this.#state.isGone ? this.#state.takeError() : 0;
  }

  #finish(count: number): WriteResult {
    this.#state.bytesWritten += count;
    return finishWriteNow(count);
  }

  #defer(request: NodeRequest | null, count: number, rest: Uint8Array, at: number): WriteResult {
    const { sockets, handle } = this.#state;
    this.#state.bytesWritten += count;
    sockets.liveness.retain();
    const write = new HandleWrite(handle, request, () => sockets.liveness.release());
    this.#queue.push(rest, at, write);
    return finishWriteLater(count, write);
  }

  #shutdownThen(done: (status: number) => void): number {
    if (this.#hasShutdown || this.#state.isGone) return UV_ENOTCONN;
    this.#hasShutdown = true;
    this.#shutdown = new ShutdownTurn(this.#state, (status) => {
      this.#shutdown = undefined;
      done(status);
    });
    this.#scheduleFin();
    return 0;
  }

  /** Has FIN sent in the next turn, when a shutdown waits and everything before it is written. */
  #scheduleFin(): void {
    if (this.#shutdown !== undefined && this.#queue.isEmpty) this.#shutdown.schedule();
  }
}

/** A shutdown under way: it keeps the event loop alive, and FIN is sent in a turn of its own, as libuv does it. */
class ShutdownTurn implements Turn {
  readonly #state: StreamState;
  #isScheduled = false;
  #done: ((status: number) => void) | undefined;

  constructor(state: StreamState, done: (status: number) => void) {
    this.#state = state;
    this.#done = done;
    state.sockets.liveness.retain();
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#state.sockets.schedule(this);
  }

  runTurn(): void {
    if (this.#done === undefined) return;
    this.#state.port.shutdown(this.#state.session);
    this.complete(0);
  }

  complete(status: number): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#state.sockets.liveness.release();
    done(status);
  }
}

class NativeWrite implements PendingWrite, Turn {
  readonly #handle: JsStream;
  readonly #request: NodeRequest;

  constructor(handle: JsStream, request: NodeRequest) {
    this.#handle = handle;
    this.#request = request;
  }

  runTurn(): void {
    this.complete(0);
  }

  complete(status: number): void {
    this.#handle.finishWrite(this.#request, status);
    emptyQueues();
  }
}
