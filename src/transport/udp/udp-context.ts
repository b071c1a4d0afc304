import type { L3Context } from '../../l3/l3-context.js';
import type { UdpTransport } from './udp-transport.js';

/** What UDP's nodes are given. */
export interface UdpContext extends L3Context {
  readonly udp: UdpTransport;
}
