/** Time is a double in nanoseconds since an arbitrary start, never going back; timers count whole milliseconds. */
export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;

/** The clock that everything below engine/ is given. It moves only when the engine moves it: one value per run. */
export interface Clock {
  /** Now, in nanoseconds. Written by: engine. Read by: any. */
  nowNs: number;
}

/** Something that has work to do at a time; the engine asks all of them how long it may sleep. */
export interface TimerSource {
  /** The next time at which `advance` has work, in nanoseconds; Infinity when there is none. */
  nextDeadlineNs(): number;
  /** Does all that is due at `nowNs`. */
  advance(nowNs: number): void;
}
