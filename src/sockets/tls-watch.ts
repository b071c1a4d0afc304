/** Tells each TCP handle of ours which TLS handle C++ puts on it: what breaks the connection is reported there. */
import { nodeBinding, type StreamHandle } from './node-binding.js';
import { StackTcp } from './tcp-handle.js';

let isWatched = false;

export function watchTls(): void {
  if (isWatched) return;
  isWatched = true;
  const tls = nodeBinding('tls_wrap');
  const wrap = tls.wrap;
  tls.wrap = (handle, ...rest): StreamHandle => {
    const upper = wrap.call(tls, handle, ...rest);
    if (handle instanceof StackTcp) handle.setUpper(upper);
    return upper;
  };
}
