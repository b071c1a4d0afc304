/**
 * The bytes of a connection that the session layer has not taken yet, and the write requests they belong to.
 *
 *     head ──► chunk, chunk, chunk (end of request A) ──► chunk (end of request B) ──► …
 *
 * Writes go straight to the port while nothing waits here.
 */
import type { SessionPort } from '../session/port.js';

/** So many chunks that are done stay in the list before it is moved up. */
const COMPACT_AT = 256;

/** A write request that could not be carried out at once. */
export interface PendingWrite {
  complete(status: number): void;
}

interface Chunk {
  readonly bytes: Uint8Array;
  at: number;
  /** With the last chunk of a request. */
  readonly request: PendingWrite | undefined;
}

export class WriteQueue {
  readonly #port: SessionPort;
  readonly #session: number;
  readonly #chunks: Chunk[] = [];
  #head = 0;
  /** Bytes that wait. */
  length = 0;

  constructor(port: SessionPort, session: number) {
    this.#port = port;
    this.#session = session;
  }

  get isEmpty(): boolean {
    return this.#head === this.#chunks.length;
  }

  /** Writes as much of the first `count` bytes as the port takes now and returns how much; nothing while others wait. */
  offer(bytes: Uint8Array, count: number): number {
    return this.isEmpty && count > 0 ? this.#port.write(this.#session, bytes, 0, count) : 0;
  }

  /** Appends `bytes[at…]`, which must stay as they are until the request is completed. */
  push(bytes: Uint8Array, at: number, request: PendingWrite | undefined): void {
    this.#chunks.push({ bytes, at, request });
    this.length += bytes.length - at;
  }

  /** Writes on after a `writable` event. */
  flush(): void {
    while (!this.isEmpty) {
      const chunk = this.#chunks[this.#head]!;
      const left = chunk.bytes.length - chunk.at;
      const taken = left === 0 ? 0 : this.#port.write(this.#session, chunk.bytes, chunk.at, left);
      chunk.at += taken;
      this.length -= taken;
      if (taken < left) return;
      this.#shift();
      chunk.request?.complete(0);
    }
  }

  /** Gives up everything that waits. */
  fail(status: number): void {
    this.length = 0;
    while (!this.isEmpty) {
      const chunk = this.#chunks[this.#head]!;
      this.#shift();
      chunk.request?.complete(status);
    }
  }

  #shift(): void {
    if (++this.#head < COMPACT_AT && !this.isEmpty) return;
    this.#chunks.splice(0, this.#head);
    this.#head = 0;
  }
}
