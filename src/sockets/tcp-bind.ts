/** What a TCP handle was bound to. There is nothing in the stack yet: a listener or a connection takes the address. */
import { Endpoint } from './endpoint.js';
import { nodeBinding } from './node-binding.js';
import { parseSocketAddress } from './socket-address.js';
import { uvCode } from './uv-errno.js';

const { constants } = nodeBinding('tcp_wrap');
const REUSEPORT = constants.UV_TCP_REUSEPORT ?? 0;
const ANY_IPV4 = '0.0.0.0';

export class TcpBind {
  readonly local = new Endpoint();
  isBound = false;
  isReuseport = false;

  /** Returns libuv's error code or 0. */
  bind(address: string, port: number, flags: number): number {
    const words = parseSocketAddress(address, 4);
    if (words === undefined || this.isBound) return uvCode('EINVAL');
    this.local.set(words, port);
    this.isBound = true;
    this.isReuseport = (flags & REUSEPORT) !== 0;
    return 0;
  }

  /** Listening without a bind means any address and any port. */
  bindIfNeeded(): void {
    if (!this.isBound) this.bind(ANY_IPV4, 0, 0);
  }
}
