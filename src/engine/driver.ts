/** What calls an engine: Node's event loop, or a clock that jumps. */

/** An engine, as its driver sees it. */
export interface Runnable {
  /** Does what is due at `nowNs`. Returns when there is work again: at most `nowNs` for at once, Infinity for never. */
  run(nowNs: number): number;
}

export interface Driver {
  /** The time that this driver lives in, in nanoseconds. */
  readonly nowNs: () => number;
  /** Begins to call the engine. */
  start(engine: Runnable): void;
  /** There is work that the engine did not know of when it last returned. Cheap; may be called at any time. */
  wake(): void;
  /** Calls the engine no more. */
  stop(): void;
}
