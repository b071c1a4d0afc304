import type { L3Context } from '../../l3/l3-context.js';
import type { TcpTransport } from './tcp-transport.js';

/** What TCP's nodes are given. */
export interface TcpContext extends L3Context {
  readonly tcp: TcpTransport;
}
