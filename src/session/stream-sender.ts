/**
 * Puts messages and payloads together for a byte stream: as many as there are go out with one write. While the stream
 * is blocked, data is held back and messages wait.
 */
import { encodeMessage, MAX_PAYLOAD_BYTES, MESSAGE_BYTES, type SessionMessage } from './message.js';
import { BATCH_BYTES, type ByteSink, MAX_BACKLOG_BYTES, paddedBytes } from './stream-protocol.js';

/** Room for data under which a batch is written out first. */
const MIN_ROOM_BYTES = 4 * 1024;

class Batch {
  readonly bytes = new Uint8Array(BATCH_BYTES);
  readonly words = new Int32Array(this.bytes.buffer);
  used = 0;
}

export class StreamSender {
  readonly #sink: ByteSink;
  #batch = new Batch();
  /** The batch that the stream holds while it is blocked. */
  #inFlight: Batch | undefined;
  #spare: Batch | undefined;
  /** Full batches that wait, oldest first. */
  readonly #waiting: Batch[] = [];

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  get isBlocked(): boolean {
    return this.#inFlight !== undefined;
  }

  /** True if so much waits that the peer must be taken for dead. */
  get isOverrun(): boolean {
    return this.#waiting.length * BATCH_BYTES > MAX_BACKLOG_BYTES;
  }

  /** True if a flush would write something. */
  get hasOutput(): boolean {
    return this.#batch.used > 0;
  }

  /** Appends a message with its payload; never refused. */
  message(message: SessionMessage): void {
    const { payload } = message;
    message.payloadBytes = payload.length;
    this.#makeRoom(MESSAGE_BYTES + paddedBytes(payload.length));
    const batch = this.#batch;
    encodeMessage(message, batch.words, batch.used >> 2);
    batch.used += MESSAGE_BYTES;
    if (payload.length === 0) return;
    batch.bytes.set(payload, batch.used);
    batch.used += paddedBytes(payload.length);
  }

  /** Bytes of data that a message can carry now; 0 when the stream is blocked and the batch is full. */
  dataRoom(): number {
    return this.hasRoom(MIN_ROOM_BYTES) ? Math.min(MAX_PAYLOAD_BYTES, this.#batchRoom()) : 0;
  }

  /** True if a message with `payloadBytes` bytes finds room. */
  hasRoom(payloadBytes: number): boolean {
    if (this.#batchRoom() >= payloadBytes) return true;
    this.flush();
    return this.#batchRoom() >= payloadBytes;
  }

  /** Memory of the batch: valid until the next call. */
  get bytes(): Uint8Array {
    return this.#batch.bytes;
  }

  /** Where the payload of the next message has to be put before {@link placed} is called. */
  get payloadAt(): number {
    return this.#batch.used + MESSAGE_BYTES;
  }

  /** Appends a message whose `count` bytes of payload are in place already. */
  placed(message: SessionMessage, count: number): void {
    const batch = this.#batch;
    message.payloadBytes = count;
    encodeMessage(message, batch.words, batch.used >> 2);
    batch.used += MESSAGE_BYTES + paddedBytes(count);
  }

  /** Writes what there is, unless the stream is blocked. */
  flush(): void {
    if (this.#inFlight !== undefined || this.#batch.used === 0) return;
    this.#write(this.#batch);
    if (this.#inFlight === this.#batch) this.#batch = this.#fresh();
  }

  /** The stream has written everything it had. */
  drained(): void {
    if (this.#inFlight !== undefined) {
      this.#inFlight.used = 0;
      this.#spare = this.#inFlight;
      this.#inFlight = undefined;
    }
    while (this.#waiting.length > 0 && this.#inFlight === undefined) this.#write(this.#waiting.shift()!);
    this.flush();
  }

  /** Writes a batch; it is empty then, or held by the stream. */
  #write(batch: Batch): void {
    const isDone = this.#sink.write(batch.bytes.subarray(0, batch.used));
    if (isDone) batch.used = 0;
    else this.#inFlight = batch;
  }

  #batchRoom(): number {
    // A payload may need 3 bytes of padding.
    return BATCH_BYTES - this.#batch.used - MESSAGE_BYTES - 3;
  }

  #makeRoom(bytes: number): void {
    if (this.#batch.used + bytes <= BATCH_BYTES) return;
    this.flush();
    if (this.#batch.used + bytes <= BATCH_BYTES) return;
    this.#waiting.push(this.#batch);
    this.#batch = this.#fresh();
  }

  #fresh(): Batch {
    const batch = this.#spare ?? new Batch();
    this.#spare = undefined;
    return batch;
  }
}
