/** Counters of nodes that tell of what should happen; all others are reasons why something did not. */
const NORMAL = new Set([
  'ok',
  'received',
  'sent',
  'packets',
  'forwarded',
  'flooded',
  'learned',
  'moved',
  'copies',
  'segmented',
  'requests',
  'replies',
  'echo requests',
  'echo replies',
  'errors',
  'fragmented',
  'fragments',
  'reassembled',
  'fast path',
  'datagrams',
  'delivered',
  'told to the transport',
  'syn cookies sent',
  'syn cookies accepted',
]);

export function isErrorCounter(counter: string): boolean {
  return !NORMAL.has(counter);
}
