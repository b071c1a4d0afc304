/**
 * Keeps the event loop alive for exactly as long as libuv would: while a referenced handle is active (listening, reading,
 * receiving) or a request is under way (connect, write, shutdown, send), and not for a handle that is merely open.
 */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class Liveness {
  readonly #timer = setInterval(() => {}, LONGEST_TIMEOUT_MS).unref();
  #count = 0;

  retain(): void {
    if (this.#count++ === 0) this.#timer.ref();
  }

  release(): void {
    if (--this.#count === 0) this.#timer.unref();
  }

  /** Lets go of the event loop for good. */
  close(): void {
    clearInterval(this.#timer);
  }
}

/** One handle's share: counts while it is both active and referenced. */
export class HandleLiveness {
  readonly #loop: Liveness;
  #isReferenced = true;
  #isActive = false;

  constructor(loop: Liveness) {
    this.#loop = loop;
  }

  get isReferenced(): boolean {
    return this.#isReferenced;
  }

  setReferenced(isReferenced: boolean): void {
    if (isReferenced === this.#isReferenced) return;
    this.#isReferenced = isReferenced;
    if (this.#isActive) this.#count(isReferenced);
  }

  setActive(isActive: boolean): void {
    if (isActive === this.#isActive) return;
    this.#isActive = isActive;
    if (this.#isReferenced) this.#count(isActive);
  }

  #count(isCounted: boolean): void {
    if (isCounted) this.#loop.retain();
    else this.#loop.release();
  }
}
