/**
 * What happens when Node puts TLS on a handle, in C++:
 *
 * - a handle of ours learns which native handle sits on it: what breaks the connection is reported there;
 * - a TLS socket that connects by itself makes a TCP handle of its own first: `dialOnStack` has it take a stack's.
 */
import { nodeBinding, type StreamHandle, type TcpHandle } from './node-binding.js';
import type { StackSockets } from './stack-sockets.js';
import { StackTcp } from './tcp-handle.js';

let isWatched = false;
/** The stack whose handle the next TLS socket gets. */
let dialing: StackSockets | undefined;

export function watchTls(): void {
  if (isWatched) return;
  isWatched = true;
  const tls = nodeBinding('tls_wrap');
  const wrap = tls.wrap;
  tls.wrap = (given, ...rest): StreamHandle => {
    const handle = dialing === undefined || given instanceof StackTcp ? given : exchange(given as TcpHandle, dialing);
    dialing = undefined;
    const upper = wrap.call(tls, handle, ...rest);
    if (handle instanceof StackTcp) handle.setUpper(upper);
    // Connecting, addresses and closing go to the handle below.
    if (handle !== given) Object.defineProperty(upper, '_parent', { get: () => handle, set: () => {} });
    return upper;
  };
}

/** Runs `action`, which makes one TLS socket that is to connect, so that its handle is one of the stack. */
export function dialOnStack<Result>(sockets: StackSockets, action: () => Result): Result {
  dialing = sockets;
  try {
    return action();
  } finally {
    dialing = undefined;
  }
}

/** A handle of the stack for a native one that has done nothing yet, with what its owner noted on it. */
function exchange(native: TcpHandle, sockets: StackSockets): StackTcp {
  const handle = new StackTcp(sockets);
  for (const key of Object.getOwnPropertySymbols(native)) {
    Object.assign(handle, { [key]: (native as unknown as Record<symbol, unknown>)[key] });
  }
  native.close();
  return handle;
}
