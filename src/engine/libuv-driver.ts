/**
 * Runs an engine in Node's event loop.
 *
 *   wake ──► setImmediate ──► turn: run, run, … for at most 1 ms ──┬─► work left: setImmediate
 *                ▲                                                 ├─► a deadline: one timer
 *                └───────────────── wake, timer ◄──────────────────┴─► nothing: asleep
 *
 * Between two turns the loop serves the application's own timers and descriptors. The timer is unref'd: what keeps a
 * process alive are the application's sockets, not the engine. It is left alone while it fires early enough, because
 * deadlines move with almost every packet.
 */
import { NS_PER_MS } from '../base/time.js';
import { monotonicNs } from '../host/clock.js';
import type { Driver, Runnable } from './driver.js';

const TURN_BUDGET_NS = NS_PER_MS;
/** Longer sleeps are cut, which costs nothing and keeps within what setTimeout can do. */
const MAX_SLEEP_MS = 0x7fff_ffff;

export class LibuvDriver implements Driver {
  readonly nowNs = monotonicNs;
  #engine: Runnable | undefined;
  #isScheduled = false;
  #isRunning = false;
  #wasWoken = false;
  #timer: NodeJS.Timeout | undefined;
  #timerNs = Infinity;

  start(engine: Runnable): void {
    this.#engine = engine;
    this.wake();
  }

  wake(): void {
    if (this.#isRunning) this.#wasWoken = true;
    else if (!this.#isScheduled && this.#engine !== undefined) {
      this.#isScheduled = true;
      setImmediate(this.#turn);
    }
  }

  stop(): void {
    this.#engine = undefined;
    clearTimeout(this.#timer);
    this.#timerNs = Infinity;
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    const engine = this.#engine;
    if (engine === undefined) return;
    const startNs = monotonicNs();
    let nowNs = startNs;
    let nextNs = nowNs;
    this.#isRunning = true;
    try {
      do {
        this.#wasWoken = false;
        nextNs = engine.run(nowNs);
        nowNs = monotonicNs();
      } while ((nextNs <= nowNs || this.#wasWoken) && nowNs - startNs < TURN_BUDGET_NS);
    } finally {
      this.#isRunning = false;
    }
    if (this.#engine === undefined) return;
    if (nextNs <= nowNs || this.#wasWoken) this.wake();
    else if (nextNs < this.#timerNs) this.#sleepUntil(nextNs, nowNs);
  };

  #sleepUntil(deadlineNs: number, nowNs: number): void {
    clearTimeout(this.#timer);
    this.#timerNs = deadlineNs;
    const delayMs = Math.min(Math.ceil((deadlineNs - nowNs) / NS_PER_MS), MAX_SLEEP_MS);
    this.#timer = setTimeout(this.#onTimer, delayMs);
    this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    this.#timerNs = Infinity;
    this.wake();
  };
}
