/**
 * Handles: how an application names a session, a listener or a UDP socket that lives in the stack.
 *
 *   52           32 31    24 23            0
 *   ├─ generation ─┤├ worker ┤├── index ───┤        a safe integer; 0 is no handle
 *
 * The generation of an index changes with each new owner, so that a handle kept too long is refused and never reaches
 * what came after it.
 */
const WORKER_SHIFT = 24;
const INDEX_MASK = 0xff_ffff;
const HIGH_WORD = 2 ** 32;

export const NO_HANDLE = 0;
export const MAX_HANDLE_INDEX = INDEX_MASK;
export const MAX_HANDLE_WORKER = 0xff;
/** Generations run from 1 to this and start anew. */
export const MAX_HANDLE_GENERATION = 0xf_ffff;

export function makeHandle(worker: number, index: number, generation: number): number {
  return generation * HIGH_WORD + worker * 2 ** WORKER_SHIFT + index;
}

export function handleIndex(handle: number): number {
  return handle & INDEX_MASK;
}

export function handleWorker(handle: number): number {
  return (handle >>> WORKER_SHIFT) & MAX_HANDLE_WORKER;
}

export function handleGeneration(handle: number): number {
  return Math.floor(handle / HIGH_WORD);
}

/** The generation after `generation`. */
export function nextGeneration(generation: number): number {
  return generation >= MAX_HANDLE_GENERATION ? 1 : generation + 1;
}

/** The lower of the two words a message carries: worker and index. */
export function handleLowWord(handle: number): number {
  return handle | 0;
}

/** The upper of the two words: the generation. */
export function handleHighWord(handle: number): number {
  return handleGeneration(handle);
}

/** The handle from the two words of a message; words that no handle has give one that nobody owns. */
export function handleFromWords(low: number, high: number): number {
  return (high & MAX_HANDLE_GENERATION) * HIGH_WORD + (low >>> 0);
}

/** `3.17#2`: worker 3, index 17, generation 2. */
export function formatHandle(handle: number): string {
  return `${handleWorker(handle)}.${handleIndex(handle)}#${handleGeneration(handle)}`;
}
