/** A connection as people want to see it. */
import { seqDiff } from '../../base/seqnum.js';
import { backedOffRtoMs } from './rtt.js';
import type { TcpInfo } from './tcp.js';
import type { TcpCore } from './tcp-core.js';
import { TCP_STATE_NAMES } from './tcp-state.js';

const US_PER_MS = 1_000;

export function connectionInfo(tcp: TcpCore, connection: number): TcpInfo {
  const { table, fifos } = tcp;
  const una = table.sndUna[connection]!;
  const sent = Math.max(0, seqDiff(table.sndMax[connection]!, una));
  const inFifo = fifos.readable(connection * 2 + 1);
  return {
    state: TCP_STATE_NAMES[table.state[connection]!]!,
    localAddress: [
      table.local0[connection]!,
      table.local1[connection]!,
      table.local2[connection]!,
      table.local3[connection]!,
    ],
    localPort: table.ports[connection]! >>> 16,
    remoteAddress: [
      table.remote0[connection]!,
      table.remote1[connection]!,
      table.remote2[connection]!,
      table.remote3[connection]!,
    ],
    remotePort: table.ports[connection]! & 0xffff,
    namespace: table.namespace[connection]!,
    stack: table.stack[connection]!,
    bytesReceivedUnread: fifos.readable(connection * 2),
    bytesUnacknowledged: Math.min(sent, inFifo),
    bytesUnsent: Math.max(0, inFifo - sent),
    mss: table.mss[connection]!,
    congestionWindowBytes: table.cwnd[connection]!,
    slowStartThresholdBytes: table.ssthresh[connection]!,
    sendWindowBytes: table.sndWnd[connection]!,
    receiveWindowBytes: Math.max(0, seqDiff(table.rcvAdv[connection]!, table.rcvNxt[connection]!)),
    smoothedRttMs: table.srttUs[connection]! / US_PER_MS,
    retransmissionTimeoutMs: backedOffRtoMs(tcp, connection),
    retransmits: table.retransmits[connection]!,
  };
}
