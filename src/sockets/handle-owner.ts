import { type EventEmitter, errorMonitor } from 'node:events';

/** Runs `action`, whose error event of the handle's server or socket then says `why` as well. */
export function explainError(handle: object, why: string, action: () => void): void {
  const owner = ownerOf(handle) as EventEmitter | undefined;
  const explain = (error: Error): void => {
    const { message, stack } = error;
    error.message = `${message}: ${why}`;
    if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
  };
  owner?.once(errorMonitor, explain);
  try {
    action();
  } finally {
    owner?.off(errorMonitor, explain);
  }
}

/** Ends the socket that a handle belongs to as its `destroy()` does: without an error. False if nobody owns the handle. */
export function destroyOwner(handle: object): boolean {
  const owner = ownerOf(handle) as { destroy?: () => void } | undefined;
  if (typeof owner?.destroy !== 'function') return false;
  owner.destroy();
  return true;
}

/** net.js notes the socket or server on its handle under a symbol of its own. */
function ownerOf(handle: object): unknown {
  const symbol = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol');
  return symbol && (handle as Record<symbol, unknown>)[symbol];
}
