/**
 * Timers by number, on a hierarchical timing wheel (Varghese and Lauck, 1987): start, stop and expiry cost O(1) and
 * nothing is allocated after construction.
 *
 *   level 0: 256 slots of 1 ms │ level 1: 256 of 256 ms │ level 2: 256 of 65.5 s │ level 3: 256 of 4.7 h
 *
 * A timer lies in the level whose span covers its distance; when the hand of a level comes round, the next slot of the
 * level above is spread over it. Timers of one slot form a doubly linked list.
 */
const SLOT_BITS = 8;
const SLOTS = 1 << SLOT_BITS;
const LEVELS = 4;
const NONE = -1;
const MAX_DELAY_MS = 0x7fff_ffff;

export class TimingWheel {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Slot list a timer is in, or NONE when it is not running. */
  readonly #slotOf: Int32Array;
  readonly #deadline: Float64Array;
  readonly #heads = new Int32Array(LEVELS * SLOTS).fill(NONE);
  readonly #counts = new Int32Array(LEVELS);
  #nowMs: number;
  /** No timer expires before. */
  #earliestMs = Infinity;
  /** No slot that holds timers begins before, of any level: up to here the hand may jump. */
  #eventMs = Infinity;

  /** @param timers how many timers: their numbers are 0 … timers − 1. @param nowMs the time it is. */
  constructor(timers: number, nowMs = 0) {
    this.#next = new Int32Array(timers);
    this.#previous = new Int32Array(timers);
    this.#slotOf = new Int32Array(timers).fill(NONE);
    this.#deadline = new Float64Array(timers);
    this.#nowMs = Math.floor(nowMs);
  }

  /** Starts timer `timer`, or starts it anew; it expires `delayMs` (at least 1) milliseconds after `nowMs`. */
  start(timer: number, delayMs: number, nowMs: number): void {
    if (this.#slotOf[timer] !== NONE) this.#unlink(timer);
    const delay = delayMs > MAX_DELAY_MS ? MAX_DELAY_MS : delayMs;
    const deadline = Math.max(Math.ceil(nowMs + delay), this.#nowMs + 1);
    this.#deadline[timer] = deadline;
    this.#link(timer);
    if (deadline < this.#earliestMs) this.#earliestMs = deadline;
  }

  /** Stops a timer; nothing happens when it is not running. */
  stop(timer: number): void {
    if (this.#slotOf[timer] !== NONE) this.#unlink(timer);
  }

  isRunning(timer: number): boolean {
    return this.#slotOf[timer] !== NONE;
  }

  /** When the timer expires, in milliseconds; Infinity when it is not running. */
  deadlineMs(timer: number): number {
    return this.isRunning(timer) ? this.#deadline[timer]! : Infinity;
  }

  /** Moves the hand to `nowMs` and calls `expire` with each timer that is due; it may start and stop timers. */
  advance(nowMs: number, expire: (timer: number) => void): void {
    const now = Math.floor(nowMs);
    const isDue = now >= this.nextDeadlineMs();
    while (this.#eventMs <= now) {
      this.#nowMs = this.#eventMs;
      this.#cascade();
      const slot = this.#nowMs & (SLOTS - 1);
      for (let timer = this.#heads[slot]!; timer !== NONE; timer = this.#heads[slot]!) {
        this.#unlink(timer);
        expire(timer);
      }
      this.#eventMs = this.#findEvent();
    }
    if (now > this.#nowMs) this.#nowMs = now;
    if (isDue) this.#earliestMs = this.#eventMs;
  }

  /** When the next timer expires, in milliseconds; Infinity when none runs. Never later than the truth. */
  nextDeadlineMs(): number {
    return this.#isEmpty() ? Infinity : this.#earliestMs;
  }

  #isEmpty(): boolean {
    const counts = this.#counts;
    return counts[0] === 0 && counts[1] === 0 && counts[2] === 0 && counts[3] === 0;
  }

  /** Spreads the upper levels' slots that begin now over the levels below. */
  #cascade(): void {
    for (let level = LEVELS - 1; level > 0; level--) {
      const span = 2 ** (SLOT_BITS * level);
      if (this.#nowMs % span !== 0) continue;
      const head = level * SLOTS + (Math.floor(this.#nowMs / span) & (SLOTS - 1));
      let timer = this.#heads[head]!;
      while (timer !== NONE) {
        const following = this.#next[timer]!;
        this.#unlink(timer);
        this.#link(timer);
        timer = following;
      }
    }
  }

  #link(timer: number): void {
    const deadline = this.#deadline[timer]!;
    let level = 0;
    let span = 1;
    // The slot of the current moment is being run off: what is due now goes into it, later turns of it do not.
    while (level < LEVELS - 1 && Math.floor(deadline / span) - Math.floor(this.#nowMs / span) >= SLOTS) {
      level++;
      span *= SLOTS;
    }
    const slot = level * SLOTS + (Math.floor(deadline / span) & (SLOTS - 1));
    const head = this.#heads[slot]!;
    this.#next[timer] = head;
    this.#previous[timer] = NONE;
    if (head !== NONE) this.#previous[head] = timer;
    this.#heads[slot] = timer;
    this.#slotOf[timer] = slot;
    this.#counts[level]!++;
    const beginMs = Math.floor(deadline / span) * span;
    if (beginMs < this.#eventMs) this.#eventMs = beginMs;
  }

  #unlink(timer: number): void {
    const slot = this.#slotOf[timer]!;
    const next = this.#next[timer]!;
    const previous = this.#previous[timer]!;
    if (previous === NONE) this.#heads[slot] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#slotOf[timer] = NONE;
    this.#counts[slot >> SLOT_BITS]!--;
  }

  /** When the first slot begins that holds timers: a deadline within the next 256 ms; beyond, a slot to come down. */
  #findEvent(): number {
    let earliest = Infinity;
    let span = 1;
    for (let level = 0; level < LEVELS; level++, span *= SLOTS) {
      if (this.#counts[level] === 0) continue;
      const hand = Math.floor(this.#nowMs / span);
      for (let step = 1; step < SLOTS; step++) {
        if (this.#heads[level * SLOTS + ((hand + step) & (SLOTS - 1))] === NONE) continue;
        earliest = Math.min(earliest, (hand + step) * span);
        break;
      }
    }
    return earliest;
  }
}
