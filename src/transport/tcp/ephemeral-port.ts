/** Choice of the local port by double hashing. Read RFC 6056 section 3.3.4 (algorithm 4) first. */
import { setFlowKeyIpv4 } from '../../flow/flow-table.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { portHashes } from './isn.js';
import { PORT_COUNTERS, type TcpCore } from './tcp-core.js';
import { ConnectionFlag, TcpState } from './tcp-state.js';
import { makeRoom } from './time-wait.js';

/** RFC 6191 section 2: with timestamps that count milliseconds, after one second no old segment can be mistaken for a new one. */
const REUSE_AFTER_MS = 1_000;

/** A free local port for a connection to the remote end, or 0 when all are in use. */
export function chooseEphemeralPort(
  tcp: TcpCore,
  namespace: number,
  local: number,
  remote: number,
  remotePort: number,
): number {
  const { firstEphemeralPort, lastEphemeralPort } = tcp.config;
  const count = lastEphemeralPort - firstEphemeralPort + 1;
  const hashes = { offset: 0, counter: 0 };
  portHashes(tcp, namespace, local, remote, remotePort, hashes);
  const counter = hashes.counter % PORT_COUNTERS;
  for (let attempt = 0; attempt < count; attempt++) {
    const step = tcp.portCounters[counter]!;
    tcp.portCounters[counter] = (step + 1) | 0;
    const port = firstEphemeralPort + ((hashes.offset + (step >>> 0)) % count);
    if (isFlowFree(tcp, namespace, local, remote, (port << 16) | remotePort)) return port;
  }
  return 0;
}

/** A free port for a listener, or 0. */
export function chooseListenPort(tcp: TcpCore, namespace: number, local: number): number {
  const { firstEphemeralPort, lastEphemeralPort } = tcp.config;
  const count = lastEphemeralPort - firstEphemeralPort + 1;
  const start = tcp.random.uint32() % count;
  for (let attempt = 0; attempt < count; attempt++) {
    const port = firstEphemeralPort + ((start + attempt) % count);
    if (!isListening(tcp, namespace, local, port) && !isListening(tcp, namespace, 0, port)) return port;
  }
  return 0;
}

/** True if there is a listener for exactly this address (0: any) and port. */
export function isListening(tcp: TcpCore, namespace: number, local: number, port: number): boolean {
  setFlowKeyIpv4(tcp.key, namespace, IpProtocol.tcp, local, 0, port << 16);
  return tcp.flows.find(tcp.key) !== -1;
}

/** True if no connection has this flow; one in TIME-WAIT makes room when timestamps keep the two apart (RFC 6191). */
export function isFlowFree(tcp: TcpCore, namespace: number, local: number, remote: number, ports: number): boolean {
  const { table, key, flows } = tcp;
  setFlowKeyIpv4(key, namespace, IpProtocol.tcp, local, remote, ports);
  const connection = flows.find(key);
  if (connection < 0) return true;
  if (table.state[connection] !== TcpState.timeWait) return false;
  if ((table.flags[connection]! & ConnectionFlag.timestamps) === 0) return false;
  if (((tcp.clockMs() - table.tsRecentMs[connection]!) | 0) <= REUSE_AFTER_MS) return false;
  makeRoom(tcp, connection);
  return true;
}
