/** Listeners, connections and UDP sockets, with the application that holds each. */
import type { Network } from '../engine/network.js';
import { formatAddressWords } from '../session/address.js';
import { formatIpv4 } from '../wire/address.js';

export interface SessionRow {
  readonly protocol: 'tcp' | 'udp';
  readonly stack: string;
  /** LISTEN, ESTABLISHED …; UNCONNECTED or CONNECTED for UDP. */
  readonly state: string;
  /** `10.0.0.2:80`; a port of `*` stands for all. */
  readonly local: string;
  readonly remote: string | null;
  readonly application: string | null;
  /** Connections only. */
  readonly unreadBytes?: number;
  readonly unsentBytes?: number;
  readonly unacknowledgedBytes?: number;
  readonly congestionWindowBytes?: number;
  readonly smoothedRttMs?: number;
  readonly retransmits?: number;
}

export function showSessions(network: Network): SessionRow[] {
  return [...showListeners(network), ...showConnections(network), ...showUdpSockets(network)];
}

function showListeners(network: Network): SessionRow[] {
  const { state } = network.worker.sessions;
  return [...state.tables].flatMap((table) =>
    [...table.listenSessions].map((session) => ({
      protocol: 'tcp' as const,
      stack: network.stackName(session.namespace) ?? String(session.namespace),
      state: 'LISTEN',
      local: `${formatHost(session.local)}:${session.isAnyPort ? '*' : session.port}`,
      remote: null,
      application: session.group.listeners.map((listener) => listener.application.name).join(', '),
    })),
  );
}

function showConnections(network: Network): SessionRow[] {
  const { tcp, sessions } = network.worker;
  const { rows, workers } = sessions.state;
  const shown: SessionRow[] = [];
  for (let row = 0; row < rows.end; row++) {
    if (!rows.isOpen(row)) continue;
    const info = tcp.info(row);
    shown.push({
      protocol: 'tcp',
      stack: network.stackName(info.stack) ?? String(info.stack),
      state: info.state,
      local: `${formatHost(info.localAddress)}:${info.localPort}`,
      remote: `${formatHost(info.remoteAddress)}:${info.remotePort}`,
      application: workers[rows.ownerOf(row)]?.application.name ?? null,
      unreadBytes: info.bytesReceivedUnread,
      unsentBytes: info.bytesUnsent,
      unacknowledgedBytes: info.bytesUnacknowledged,
      congestionWindowBytes: info.congestionWindowBytes,
      smoothedRttMs: info.smoothedRttMs,
      retransmits: info.retransmits,
    });
  }
  return shown;
}

function showUdpSockets(network: Network): SessionRow[] {
  const { udp, sessions } = network.worker;
  const { rows } = sessions.udp;
  const shown: SessionRow[] = [];
  for (let row = 0; row < rows.end; row++) {
    if (!rows.isOpen(row)) continue;
    const info = udp.info(row);
    shown.push({
      protocol: 'udp',
      stack: network.stackName(info.stack) ?? String(info.stack),
      state: info.remotePort === 0 ? 'UNCONNECTED' : 'CONNECTED',
      local: `${formatHost(info.local)}:${info.localPort}`,
      remote: info.remotePort === 0 ? null : `${formatHost(info.remote)}:${info.remotePort}`,
      application: sessions.state.workers[rows.ownerOf(row)]?.application.name ?? null,
      unreadBytes: info.queuedBytes,
    });
  }
  return shown;
}

/** `*` for any address; IPv6 in brackets. */
function formatHost(words: ArrayLike<number>): string {
  if (words[0] === 0 && words[1] === 0 && words[3] === 0) return '*';
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return formatIpv4(words[3]! >>> 0);
  return `[${formatAddressWords(words)}]`;
}
