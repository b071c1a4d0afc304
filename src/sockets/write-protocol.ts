/**
 * How a write tells net.js its outcome; see `WriteResult` in node-binding.ts. A caller that brings a request wants the
 * protocol of Node 20 to 24, one that brings null (Node 26's net) the later one, so no version is asked for.
 */
import { AsyncResource } from 'node:async_hooks';
import { callInto } from './callback.js';
import { type NodeRequest, nodeBinding, type WriteResult } from './node-binding.js';
import type { PendingWrite } from './write-queue.js';

const { kBytesWritten, kLastWriteErr, kLastWriteWasAsync, streamBaseState } = nodeBinding('stream_wrap');

/** The write was refused with `code`. */
export function refuseWrite(code: number): WriteResult {
  streamBaseState[kBytesWritten] = 0;
  streamBaseState[kLastWriteWasAsync] = 0;
  return code;
}

/** All `bytes` were taken. */
export function finishWriteNow(bytes: number): WriteResult {
  streamBaseState[kBytesWritten] = bytes;
  streamBaseState[kLastWriteWasAsync] = 0;
  return 0;
}

/** Part of `bytes` waits; `pending` will hear of it. */
export function finishWriteLater(bytes: number, pending: HandleWrite): WriteResult {
  streamBaseState[kBytesWritten] = bytes;
  streamBaseState[kLastWriteWasAsync] = 1;
  if (!pending.isReturned) return 0;
  if (kLastWriteErr !== undefined) streamBaseState[kLastWriteErr] = 0;
  return pending.request;
}

/** A write of net.js that waits for room. Its callback runs in the async context of the write. */
export class HandleWrite implements PendingWrite {
  readonly request: NodeRequest;
  /** True if the request is ours and goes to net.js as the result of the write. */
  readonly isReturned: boolean;
  readonly #handle: object;
  readonly #onDone: () => void;
  readonly #resource = new AsyncResource('WRITEWRAP');

  constructor(handle: object, request: NodeRequest | null, onDone: () => void) {
    this.#handle = handle;
    this.isReturned = request === null;
    this.request = request ?? { oncomplete: undefined, error: undefined, writeStatus: null };
    this.#onDone = onDone;
  }

  complete(status: number): void {
    this.#onDone();
    const { request } = this;
    if (request.oncomplete === undefined) return;
    callInto(this.#resource, request.oncomplete, request, status, this.#handle, undefined);
  }
}
