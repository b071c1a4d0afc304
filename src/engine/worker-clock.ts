import type { Clock } from '../base/time.js';

/**
 * The clock that a worker's layers read. During a run it stands still, so that a vector of packets costs one look at
 * the machine's clock; between runs, when applications call in, it shows the driver's time.
 */
export class WorkerClock implements Clock {
  readonly #source: () => number;
  #frozenNs = 0;
  #isFrozen = false;

  /** @param source the driver's clock, in nanoseconds, never going back. */
  constructor(source: () => number) {
    this.#source = source;
  }

  get nowNs(): number {
    return this.#isFrozen ? this.#frozenNs : this.#source();
  }

  /** A run begins. */
  freeze(nowNs: number): void {
    this.#frozenNs = nowNs;
    this.#isFrozen = true;
  }

  /** The run is over. */
  release(): void {
    this.#isFrozen = false;
  }
}
