/**
 * Puts the stack's handles in the place of the kernel's under Node's own net, dgram and tls. Node's JavaScript takes the
 * classes out of their bindings when it is loaded, so this must come first in a thread; what it replaces stays reachable
 * for what the policy leaves to the kernel.
 */
import { UsernetError } from '../base/errors.js';
import { type HandleWriter, nodeBinding, type StreamHandle } from './node-binding.js';
import { kernelTcpOf, makeTcpClass } from './policy-tcp.js';
import { makeUdpClass, nativeUdpOf } from './policy-udp.js';
import { StackTcp } from './tcp-handle.js';

let isInstalled = false;

/** @throws UsernetError USERNET_TOO_LATE if `net` or `dgram` is loaded already; USERNET_NO_BINDING under --permission. */
export function installBindings(): void {
  if (isInstalled) return;
  const loaded = ['net', 'dgram'].filter(isLoaded);
  if (loaded.length > 0) {
    throw new UsernetError(
      'USERNET_TOO_LATE',
      `usernet/register comes too late: ${loaded.join(' and ')} is loaded already and would go on using the kernel`,
      'make it the first --import or --require of the command line',
    );
  }
  isInstalled = true;
  nodeBinding('tcp_wrap').TCP = makeTcpClass();
  nodeBinding('udp_wrap').UDP = makeUdpClass();
  watchTls();
  guardPassing();
}

export function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes(`NativeModule ${name}`) ?? false;
}

let isTlsWatched = false;

/** Tells each handle of ours which TLS handle C++ puts on it: a broken connection is reported there. */
export function watchTls(): void {
  if (isTlsWatched) return;
  isTlsWatched = true;
  const tls = nodeBinding('tls_wrap');
  const wrap = tls.wrap;
  tls.wrap = (handle, ...rest): StreamHandle => {
    const upper = wrap.call(tls, handle, ...rest);
    if (handle instanceof StackTcp) handle.setUpper(upper);
    return upper;
  };
}

let isPassingGuarded = false;

/**
 * Sending a socket to another process hands its handle to C++, which takes it for a native one and crashes. A handle of
 * the kernel's side goes through, one of the stack throws.
 */
export function guardPassing(): void {
  if (isPassingGuarded) return;
  isPassingGuarded = true;
  const { prototype } = nodeBinding('pipe_wrap').Pipe;
  const { writeUtf8String, writeBuffer } = prototype;
  const guarded: Pick<HandleWriter, 'writeUtf8String' | 'writeBuffer'> = {
    writeUtf8String(request, text, handle) {
      return writeUtf8String.call(this, request, text, handle === undefined ? undefined : passable(handle));
    },
    writeBuffer(request, bytes, handle) {
      return writeBuffer.call(this, request, bytes, handle === undefined ? undefined : passable(handle));
    },
  };
  Object.assign(prototype, guarded);
}

/** @throws UsernetError USERNET_NOT_PASSABLE for a handle of a stack. */
function passable(handle: unknown): unknown {
  if (typeof handle !== 'object' || handle === null) return handle;
  const native = handle instanceof StackTcp ? kernelTcpOf(handle) : nativeUdpOf(handle);
  if (native !== undefined) return native;
  throw new UsernetError(
    'USERNET_NOT_PASSABLE',
    'a socket or server of a usernet stack cannot be sent to another process (child.send with a handle, cluster)',
    'let each process listen on the stack itself: several may share a port with reusePort',
  );
}
