/**
 * Runs an engine in virtual time, for tests and labs: time stands still while anything is to be done and jumps to the
 * next deadline when nothing is. An hour of retransmission timers takes milliseconds, and takes the same way each time.
 */
import type { Driver, Runnable } from './driver.js';

/** Runs after which something must be wrong. */
const MAX_RUNS = 10_000_000;
/** Turns of the event loop without work for the engine before time goes on: streams hand things on over several. */
const QUIET_TURNS = 4;

export class VirtualDriver implements Driver {
  #timeNs = 0;
  readonly nowNs = (): number => this.#timeNs;
  #engine: Runnable | undefined;
  #isAwake = false;
  #nextNs = Infinity;

  start(engine: Runnable): void {
    this.#engine = engine;
    this.#isAwake = true;
  }

  wake(): void {
    this.#isAwake = true;
  }

  stop(): void {
    this.#engine = undefined;
    this.#nextNs = Infinity;
  }

  /**
   * Runs until the time is `deadlineNs`, or until `isDone` says so. After each step the event loop turns once, so that
   * the application's callbacks, promises and ticks run at their virtual time. Returns false when `isDone` was given and
   * did not come true.
   */
  async runUntil(deadlineNs: number, isDone?: () => boolean): Promise<boolean> {
    for (let runs = 0; ; ) {
      while (this.#isAwake || this.#nextNs <= this.#timeNs) {
        this.#runOnce();
        await turnOfTheLoop();
        if (isDone?.()) return true;
        if (++runs > MAX_RUNS) throw new Error('the network does not come to rest');
      }
      for (let turns = 0; turns < QUIET_TURNS && !this.#isAwake; turns++) {
        await turnOfTheLoop();
        if (isDone?.()) return true;
      }
      if (this.#isAwake) continue;
      if (this.#nextNs === Infinity || this.#nextNs > deadlineNs) break;
      this.#timeNs = this.#nextNs;
    }
    if (Number.isFinite(deadlineNs)) this.#timeNs = Math.max(this.#timeNs, deadlineNs);
    return isDone === undefined;
  }

  /** Runs for `durationNs`. */
  runFor(durationNs: number): Promise<boolean> {
    return this.runUntil(this.#timeNs + durationNs);
  }

  /** Runs until nothing is left to do, however late; with `isDone`, at the latest until that is true. */
  runUntilIdle(isDone?: () => boolean): Promise<boolean> {
    return this.runUntil(Infinity, isDone);
  }

  /** Lets time pass without running, as when a process stands still. */
  skip(durationNs: number): void {
    this.#timeNs += durationNs;
  }

  /** Runs without turning the event loop: for networks whose applications are plain callbacks. */
  runUntilSync(deadlineNs: number, isDone?: () => boolean): boolean {
    for (;;) {
      while (this.#isAwake || this.#nextNs <= this.#timeNs) {
        this.#runOnce();
        if (isDone?.()) return true;
      }
      if (this.#nextNs === Infinity || this.#nextNs > deadlineNs) break;
      this.#timeNs = this.#nextNs;
    }
    if (Number.isFinite(deadlineNs)) this.#timeNs = Math.max(this.#timeNs, deadlineNs);
    return isDone === undefined;
  }

  #runOnce(): void {
    this.#isAwake = false;
    this.#nextNs = this.#engine?.run(this.#timeNs) ?? Infinity;
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
