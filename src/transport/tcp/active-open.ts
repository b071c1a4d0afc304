/** `connect`: source address and port are chosen, and SYN goes out. RFC 9293 section 3.10.1. */
import type { ErrnoName } from '../events.js';
import { chooseEphemeralPort, isFlowFree } from './ephemeral-port.js';
import { chooseIss, startSyn } from './handshake.js';
import { openConnection } from './lifecycle.js';
import type { ConnectOptions } from './tcp.js';
import type { TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState } from './tcp-state.js';
import { NO_CONNECTION } from './tcp-table.js';

/** Returns the connection, or why there is none. */
export function connectTo(tcp: TcpCore, options: ConnectOptions): number | ErrnoName {
  const { table, routes } = tcp;
  const { namespace, stack, remotePort } = options;
  const remote = options.remote[3] >>> 0;
  const error = routes.errno(stack, remote);
  if (error !== undefined) return error;
  const wanted = options.local === undefined ? 0 : options.local[3] >>> 0;
  if (wanted !== 0 && !routes.isLocal(stack, wanted)) return 'EADDRNOTAVAIL';
  const local = wanted === 0 ? routes.source(stack, remote) : wanted;
  if (local === 0) return 'EADDRNOTAVAIL';
  let localPort = options.localPort ?? 0;
  if (localPort === 0) {
    localPort = chooseEphemeralPort(tcp, namespace, local | 0, remote | 0, remotePort);
    if (localPort === 0) return 'EADDRNOTAVAIL';
  } else if (!isFlowFree(tcp, namespace, local | 0, remote | 0, (localPort << 16) | remotePort)) {
    return 'EADDRINUSE';
  }
  const ports = (localPort << 16) | remotePort;
  const connection = openConnection(tcp, namespace, stack, local | 0, remote | 0, ports);
  if (connection === NO_CONNECTION) return 'ENOBUFS';
  table.context[connection] = options.context ?? 0;
  table.state[connection] = TcpState.synSent;
  table.flags[connection]! |=
    ConnectionFlag.held |
    ConnectionFlag.active |
    ConnectionFlag.sack |
    ConnectionFlag.timestamps |
    ConnectionFlag.windowScale;
  chooseIss(tcp, connection);
  startSyn(tcp, connection);
  return connection;
}
