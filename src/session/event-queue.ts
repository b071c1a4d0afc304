/** Events on their way to an application in the same thread: a ring of encoded messages that grows as needed. */
import { decodeMessage, encodeMessage, MESSAGE_WORDS, SessionEvent, SessionMessage } from './message.js';

const FIRST_CAPACITY = 64;

export class EventQueue {
  #words = new Int32Array(FIRST_CAPACITY * MESSAGE_WORDS);
  #capacity = FIRST_CAPACITY;
  #head = 0;
  #count = 0;
  /** Payloads by position in the ring; few events have one. */
  readonly #payloads = new Map<number, Uint8Array>();
  readonly #message = new SessionMessage();
  readonly #scratch = new Int32Array(MESSAGE_WORDS);

  get length(): number {
    return this.#count;
  }

  /** Appends a copy of the message; a payload is kept as it is, not copied. */
  push(message: SessionMessage): void {
    if (this.#count === this.#capacity) this.#grow();
    const position = (this.#head + this.#count++) & (this.#capacity - 1);
    encodeMessage(message, this.#words, position * MESSAGE_WORDS);
    if (message.payload.length > 0) this.#payloads.set(position, message.payload);
  }

  /** Takes the oldest event; undefined if there is none. The message is used again for the next. */
  shift(): SessionMessage | undefined {
    if (this.#count === 0) return undefined;
    const position = this.#head;
    this.#head = (position + 1) & (this.#capacity - 1);
    this.#count--;
    this.#decode(position, this.#message);
    return this.#message;
  }

  /** Takes out the event that answers `request` (see SessionPort.wait) and copies it to `into`; false if it is not here. */
  takeAnswer(request: number, into: SessionMessage): boolean {
    const count = this.#count;
    let isFound = false;
    for (let i = 0; i < count; i++) {
      const event = this.shift()!;
      if (!isFound && event.request === request && isWaitable(event.type)) {
        encodeMessage(event, this.#scratch, 0);
        decodeMessage(this.#scratch, 0, into);
        into.payload = event.payload;
        isFound = true;
      } else {
        this.push(event);
      }
    }
    return isFound;
  }

  clear(): void {
    this.#count = 0;
    this.#payloads.clear();
  }

  #decode(position: number, message: SessionMessage): void {
    decodeMessage(this.#words, position * MESSAGE_WORDS, message);
    const payload = this.#payloads.get(position);
    if (payload === undefined) return;
    this.#payloads.delete(position);
    message.payload = payload;
  }

  #grow(): void {
    const mask = this.#capacity - 1;
    const words = new Int32Array(this.#capacity * 2 * MESSAGE_WORDS);
    const split = this.#head * MESSAGE_WORDS;
    words.set(this.#words.subarray(split));
    words.set(this.#words.subarray(0, split), this.#words.length - split);
    const payloads = [...this.#payloads];
    this.#payloads.clear();
    for (const [position, payload] of payloads) this.#payloads.set((position - this.#head) & mask, payload);
    this.#words = words;
    this.#capacity *= 2;
    this.#head = 0;
  }
}

/** True for the events by which the stack answers at once. What a listener reports later has the same request number. */
export function isWaitable(type: number): boolean {
  return (
    type === SessionEvent.listening ||
    type === SessionEvent.bound ||
    type === SessionEvent.done ||
    type === SessionEvent.failed
  );
}
