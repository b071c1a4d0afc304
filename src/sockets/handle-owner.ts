/** Ends the socket that a handle belongs to as its `destroy()` does: without an error. False if nobody owns the handle. */
export function destroyOwner(handle: object): boolean {
  // net.js notes the socket on its handle under a symbol of its own.
  const symbol = Object.getOwnPropertySymbols(handle).find(({ description }) => description === 'owner_symbol');
  const owner = symbol && (handle as Record<symbol, { destroy?: () => void } | undefined>)[symbol];
  if (typeof owner?.destroy !== 'function') return false;
  owner.destroy();
  return true;
}
