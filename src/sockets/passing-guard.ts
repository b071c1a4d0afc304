/**
 * Sending a socket to another process hands its handle to C++, which takes it for a native one and crashes. A handle of
 * the kernel's side goes through, one of a stack throws.
 */
import { UsernetError } from '../base/errors.js';
import { type HandleWriter, nodeBinding } from './node-binding.js';
import { nativeTcpOf } from './policy-tcp.js';
import { nativeUdpOf } from './policy-udp.js';

let isGuarded = false;

export function guardPassing(): void {
  if (isGuarded) return;
  isGuarded = true;
  const { prototype } = nodeBinding('pipe_wrap').Pipe;
  const { writeUtf8String, writeBuffer } = prototype;
  const guarded: Pick<HandleWriter, 'writeUtf8String' | 'writeBuffer'> = {
    writeUtf8String(request, text, handle) {
      if (handle === undefined) return writeUtf8String.call(this, request, text);
      return writeUtf8String.call(this, request, text, passable(handle));
    },
    writeBuffer(request, bytes, handle) {
      if (handle === undefined) return writeBuffer.call(this, request, bytes);
      return writeBuffer.call(this, request, bytes, passable(handle));
    },
  };
  Object.assign(prototype, guarded);
}

/** @throws UsernetError USERNET_NOT_PASSABLE for a handle of a stack. */
function passable(handle: unknown): unknown {
  if (typeof handle !== 'object' || handle === null) return handle;
  const native = nativeUdpOf(nativeTcpOf(handle));
  if (native !== undefined) return native;
  throw new UsernetError(
    'USERNET_NOT_PASSABLE',
    'a socket or server of a usernet stack cannot be sent to another process (child.send with a handle, cluster)',
    'let each process listen on the stack itself: several may share a port with reusePort',
  );
}
