/**
 * Handles: how an application names what it has in the stack.
 *
 *   52           32 31    24 23  22 21        0
 *   ├─ generation ─┤├ worker ┤├kind┤├─ index ─┤        a safe integer; 0 is no handle
 *
 * The generation of an index changes with each new owner, so that a handle kept too long is refused and never reaches
 * what came after it.
 */
const WORKER_SHIFT = 24;
const KIND_SHIFT = 22;
const INDEX_MASK = 0x3f_ffff;
const HIGH_WORD = 2 ** 32;

export const NO_HANDLE = 0;
export const MAX_HANDLE_INDEX = INDEX_MASK;
export const MAX_HANDLE_WORKER = 0xff;
/** Generations run from 1 to this and start anew. */
export const MAX_HANDLE_GENERATION = 0xf_ffff;

export const HandleKind = { session: 0, udpSocket: 1, listener: 2, application: 3 } as const;

const KIND_NAMES = ['session', 'udp', 'listener', 'application'];

/** @param worker number of the stack's worker thread that owns the index. */
export function makeHandle(worker: number, kind: number, index: number, generation: number): number {
  return generation * HIGH_WORD + worker * 2 ** WORKER_SHIFT + (kind << KIND_SHIFT) + index;
}

export function handleIndex(handle: number): number {
  return handle & INDEX_MASK;
}

/** One of {@link HandleKind}. */
export function handleKind(handle: number): number {
  return (handle >>> KIND_SHIFT) & 3;
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

/** The lower of the two words a message carries: worker, kind and index. */
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

/** `session 17#2`: index 17, generation 2; with the worker in front unless it is the first. */
export function formatHandle(handle: number): string {
  const worker = handleWorker(handle);
  const text = `${KIND_NAMES[handleKind(handle)]} ${handleIndex(handle)}#${handleGeneration(handle)}`;
  return worker === 0 ? text : `${worker}: ${text}`;
}
