import type { L3 } from '../../l3/l3.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import type { UdpOptions } from './udp-core.js';
import { L3UdpRoutes } from './udp-routes.js';
import { UdpTransport } from './udp-transport.js';

export interface MakeUdpOptions extends Omit<UdpOptions, 'routes'> {
  readonly l3: L3;
}

/** UDP over the network layer of this worker: asks it for routes, and is told of ICMP errors. */
export function makeUdp(options: MakeUdpOptions): UdpTransport {
  const { l3 } = options;
  const udp = new UdpTransport({ ...options, routes: new L3UdpRoutes(l3) });
  l3.onIcmpError(IpProtocol.udp, (stack, type, code, _info, quoteAt) =>
    udp.icmpErrorArrives(stack, type, code, quoteAt),
  );
  return udp;
}
