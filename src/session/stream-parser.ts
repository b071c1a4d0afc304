/** Takes a byte stream apart into messages, wherever it was cut. See stream-protocol.ts. */
import { decodeMessage, MAX_PAYLOAD_BYTES, MESSAGE_BYTES, MESSAGE_WORDS, SessionMessage } from './message.js';
import { paddedBytes } from './stream-protocol.js';

export interface StreamHandler {
  /** A message; its payload, if it has one, is in `message.payload` and valid during the call. */
  onMessage(message: SessionMessage): void;
  /** A piece of the payload of a data message, as it came; `bytes` is the chunk that was received. */
  onData(session: number, bytes: Uint8Array, from: number, count: number): void;
}

export class StreamParser {
  readonly #handler: StreamHandler;
  /** Type whose payload is handed on in pieces. */
  readonly #dataType: number;
  readonly #words = new Int32Array(MESSAGE_WORDS);
  readonly #header = new Uint8Array(this.#words.buffer);
  readonly #message = new SessionMessage();
  /** Bytes of the header that are there. */
  #headerBytes = 0;
  /** Bytes of payload and padding still to come. */
  #payloadLeft = 0;
  #paddingLeft = 0;
  /** A payload that comes in several chunks. */
  #collected: Uint8Array | undefined;
  #isStopped = false;

  constructor(handler: StreamHandler, dataType: number) {
    this.#handler = handler;
    this.#dataType = dataType;
  }

  /** Nothing is handed on any more, not even of the chunk at hand. */
  stop(): void {
    this.#isStopped = true;
  }

  /** True if the stream may end here: between two messages. */
  get isAtBoundary(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0 && this.#paddingLeft === 0;
  }

  /** Takes the next chunk. Returns false for bytes that are no message; the parser has stopped then. */
  receive(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length && !this.#isStopped) {
      if (this.#payloadLeft > 0) {
        at += this.#takePayload(bytes, at);
      } else if (this.#paddingLeft > 0) {
        const padding = Math.min(this.#paddingLeft, bytes.length - at);
        this.#paddingLeft -= padding;
        at += padding;
      } else {
        at += this.#takeHeader(bytes, at);
        if (this.#headerBytes === MESSAGE_BYTES && !this.#begin()) {
          this.#isStopped = true;
          return false;
        }
      }
    }
    return true;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    const count = Math.min(MESSAGE_BYTES - this.#headerBytes, bytes.length - at);
    this.#header.set(bytes.subarray(at, at + count), this.#headerBytes);
    this.#headerBytes += count;
    return count;
  }

  /** The header is complete. */
  #begin(): boolean {
    const message = this.#message;
    this.#headerBytes = 0;
    decodeMessage(this.#words, 0, message);
    const { payloadBytes } = message;
    if (payloadBytes < 0 || payloadBytes > MAX_PAYLOAD_BYTES) return false;
    this.#payloadLeft = payloadBytes;
    this.#paddingLeft = paddedBytes(payloadBytes) - payloadBytes;
    if (payloadBytes === 0) this.#handler.onMessage(message);
    return true;
  }

  #takePayload(bytes: Uint8Array, at: number): number {
    const message = this.#message;
    const count = Math.min(this.#payloadLeft, bytes.length - at);
    this.#payloadLeft -= count;
    if (message.type === this.#dataType) {
      this.#handler.onData(message.session, bytes, at, count);
    } else if (count === message.payloadBytes) {
      message.payload = bytes.subarray(at, at + count);
      this.#handler.onMessage(message);
    } else {
      this.#collect(bytes, at, count);
    }
    return count;
  }

  #collect(bytes: Uint8Array, at: number, count: number): void {
    const message = this.#message;
    this.#collected ??= new Uint8Array(message.payloadBytes);
    this.#collected.set(bytes.subarray(at, at + count), message.payloadBytes - this.#payloadLeft - count);
    if (this.#payloadLeft > 0) return;
    message.payload = this.#collected;
    this.#collected = undefined;
    this.#handler.onMessage(message);
  }
}
