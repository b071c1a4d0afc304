/** ICMP errors about datagrams that were sent. Read RFC 1122 section 4.1.3.3 first. */
import { Icmpv4Type, Icmpv4Unreachable } from '../../wire/icmpv4.js';
import { ipv4Destination, ipv4HeaderBytes, ipv4Source } from '../../wire/ipv4.js';
import { udpDestinationPort, udpSourcePort } from '../../wire/udp.js';
import { type ErrnoName, TRANSPORT_ERRORS } from '../events.js';
import type { UdpCore } from './udp-core.js';
import { UdpEvent } from './udp-event-queue.js';

/**
 * An error quotes a datagram whose IPv4 header begins at `quoteAt`. Returns true if a socket here may have sent it.
 *
 * Only a connected socket can be told: on others an error could not be matched to a send. It is told what will not go
 * away by itself; that a network or host is out of reach now is no reason to give up (RFC 1122 section 3.2.2.1).
 */
export function udpIcmpErrorArrives(
  core: UdpCore,
  stack: number,
  type: number,
  code: number,
  quoteAt: number,
): boolean {
  const { view } = core.pool;
  const { bindings, table } = core;
  const at = quoteAt + ipv4HeaderBytes(view, quoteAt);
  const local = ipv4Source(view, quoteAt);
  const localPort = udpSourcePort(view, at);
  const socket = bindings.findConnected(
    stack,
    local,
    localPort,
    ipv4Destination(view, quoteAt),
    udpDestinationPort(view, at),
  );
  if (socket < 0) return bindings.group(stack, local, localPort) >= 0 || bindings.group(stack, 0, localPort) >= 0;
  const errno = hardError(type, code);
  if (errno !== undefined) {
    table.error[socket] = TRANSPORT_ERRORS.indexOf(errno) + 1;
    core.eventQueue.add(socket, UdpEvent.error);
  }
  return true;
}

function hardError(type: number, code: number): ErrnoName | undefined {
  if (type !== Icmpv4Type.destinationUnreachable) return undefined;
  if (code === Icmpv4Unreachable.port) return 'ECONNREFUSED';
  return code === Icmpv4Unreachable.protocol ? 'ENOPROTOOPT' : undefined;
}
