/**
 * Puts the stack's handles in the place of the kernel's under Node's own net, dgram and tls. Node's JavaScript takes the
 * classes out of their bindings when it is loaded, so this must come first in a thread; what it replaces stays reachable
 * for what the policy leaves to the kernel.
 */
import { UsernetError } from '../base/errors.js';
import { nodeBinding } from './node-binding.js';
import { guardPassing } from './passing-guard.js';
import { makeTcpClass } from './policy-tcp.js';
import { makeUdpClass } from './policy-udp.js';
import { watchTls } from './tls-watch.js';

let isInstalled = false;

/** @throws UsernetError USERNET_TOO_LATE if `net` or `dgram` is loaded already; USERNET_NO_BINDING under --permission. */
export function installBindings(): void {
  if (isInstalled) return;
  const loaded = ['net', 'dgram'].filter(isLoaded);
  if (loaded.length > 0) {
    throw new UsernetError(
      'USERNET_TOO_LATE',
      `usernet/register comes too late: ${loaded.join(' and ')} loaded already, which would go on using the kernel`,
      'make it the first --import or --require of the command line',
    );
  }
  isInstalled = true;
  nodeBinding('tcp_wrap').TCP = makeTcpClass();
  nodeBinding('udp_wrap').UDP = makeUdpClass();
  watchTls();
  guardPassing();
}

function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes(`NativeModule ${name}`) ?? false;
}
