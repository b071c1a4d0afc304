/**
 * ICMP errors about segments that we sent. Read RFC 1122 section 4.2.3.9, RFC 5461, RFC 5927 sections 4 to 7 and RFC 1191 first.
 *
 * An error counts only if the sequence number it quotes is in the network (RFC 5927 section 4.1). On a connection that has come
 * about no error is hard: it is remembered and given as the reason if the connection times out (RFC 5461 section 2.2, RFC 5927
 * section 6). While connecting, it ends the attempt (RFC 5461 section 4.1).
 */
import { seqGeq, seqLeq } from '../../base/seqnum.js';
import { setFlowKeyIpv4 } from '../../flow/flow-table.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../../wire/icmpv4.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { ipv4Destination, ipv4HeaderBytes, ipv4Source } from '../../wire/ipv4.js';
import { tcpDestinationPort, tcpSequence, tcpSourcePort } from '../../wire/tcp.js';
import { type ErrnoName, TRANSPORT_ERRORS } from '../events.js';
import { failConnection } from './lifecycle.js';
import { updateMss } from './path.js';
import { cancelTiming } from './rtt.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState } from './tcp-state.js';

/** What the codes of "destination unreachable" mean to an application; Linux gives the same. */
const UNREACHABLE_ERRORS: Readonly<Partial<Record<number, ErrnoName>>> = {
  [Icmpv4Unreachable.network]: 'ENETUNREACH',
  [Icmpv4Unreachable.host]: 'EHOSTUNREACH',
  [Icmpv4Unreachable.protocol]: 'ENOPROTOOPT',
  [Icmpv4Unreachable.port]: 'ECONNREFUSED',
  [Icmpv4Unreachable.networkUnknown]: 'ENETUNREACH',
  [Icmpv4Unreachable.networkProhibited]: 'ENETUNREACH',
  [Icmpv4Unreachable.networkTypeOfService]: 'ENETUNREACH',
};

/** Takes an error in. `quoteAt`: the IPv4 header of our packet, with 8 bytes behind it. Returns true if it may be genuine. */
export function icmpErrorArrives(
  tcp: TcpCore,
  stack: number,
  type: number,
  code: number,
  mtu: number,
  quoteAt: number,
): boolean {
  const connection = findQuoted(tcp, stack, quoteAt);
  if (connection < 0) return false;
  if (type === Icmpv4Type.destinationUnreachable && code === Icmpv4Unreachable.fragmentationNeeded) {
    shrinkPath(tcp, connection, mtu);
    return true;
  }
  const errno = errorOf(type, code);
  if (errno === undefined) return true;
  const { table } = tcp;
  if (table.state[connection] === TcpState.synSent) failConnection(tcp, connection, errno);
  else table.softError[connection] = TRANSPORT_ERRORS.indexOf(errno) + 1;
  return true;
}

/** The connection of the quoted segment, if the segment is in the network now; else −1. */
function findQuoted(tcp: TcpCore, stack: number, quoteAt: number): number {
  const { table, key } = tcp;
  const { view } = tcp.pool;
  const at = quoteAt + ipv4HeaderBytes(view, quoteAt);
  const ports = (tcpSourcePort(view, at) << 16) | tcpDestinationPort(view, at);
  const local = ipv4Source(view, quoteAt) | 0;
  const remote = ipv4Destination(view, quoteAt) | 0;
  setFlowKeyIpv4(key, tcp.namespaceOfStack[stack]!, IpProtocol.tcp, local, remote, ports);
  const connection = tcp.flows.find(key);
  if (connection < 0) return -1;
  const seq = tcpSequence(view, at);
  const isInNetwork = seqGeq(seq, table.sndUna[connection]!) && seqLeq(seq, table.sndMax[connection]!);
  return isInNetwork ? connection : -1;
}

function errorOf(type: number, code: number): ErrnoName | undefined {
  // Source quench is ignored: RFC 6633.
  if (type === Icmpv4Type.destinationUnreachable) return UNREACHABLE_ERRORS[code] ?? 'EHOSTUNREACH';
  if (type === Icmpv4Type.timeExceeded) return 'EHOSTUNREACH';
  return type === Icmpv4Type.parameterProblem ? 'ENOPROTOOPT' : undefined;
}

/**
 * The path carries less than was thought. What is in the network was too large and is sent again in smaller pieces; that is
 * no sign of congestion (RFC 1191 section 6.4, RFC 5681 section 3.1).
 */
function shrinkPath(tcp: TcpCore, connection: number, mtu: number): void {
  const { table } = tcp;
  if (table.state[connection]! < TcpState.established || mtu >= table.pathMtu[connection]!) return;
  const before = table.mss[connection]!;
  table.pathMtu[connection] = mtu;
  updateMss(tcp, connection);
  if (table.mss[connection]! >= before || table.sndUna[connection] === table.sndMax[connection]) return;
  table.recover[connection] = table.sndMax[connection]!;
  table.sndNxt[connection] = table.sndUna[connection]!;
  table.flags[connection]! &= ~ConnectionFlag.recovery;
  cancelTiming(tcp, connection);
  tcp.requestOutput(connection, ConnectionFlag.loss);
}
