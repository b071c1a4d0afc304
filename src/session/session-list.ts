/** Lists for people: what `show sessions` prints. */
import type { Udp } from '../transport/udp/udp.js';
import { formatAddressWords } from './address.js';
import type { AppWorker } from './application.js';
import type { SessionLayer } from './session-layer.js';
import type { SessionState } from './session-state.js';

export interface SessionListEntry {
  readonly protocol: 'tcp' | 'udp';
  /** TCP's state; `listen`; `bound` or `connected` for UDP. */
  readonly state: string;
  readonly namespace: number;
  readonly stack: number;
  /** `10.0.0.1:80`; `*` stands for any. */
  readonly local: string;
  /** Empty for listeners and sockets without a peer. */
  readonly remote: string;
  readonly application: string;
  /** Number of the worker within its application, from 1. */
  readonly worker: number;
  /** Bytes that the application has not read yet. */
  readonly receiveQueueBytes: number;
  /** Bytes that are not sent or not acknowledged yet. */
  readonly sendQueueBytes: number;
  /** Datagrams dropped because the receive queue was full. */
  readonly drops: number;
}

const NOTHING_QUEUED = { receiveQueueBytes: 0, sendQueueBytes: 0, drops: 0 };

/** Everything that applications have: listeners first, then connections, then UDP sockets. */
export function listSessions(layer: SessionLayer, udp: Udp): SessionListEntry[] {
  return [...listListeners(layer.state), ...listConnections(layer.state), ...listUdp(layer, udp)];
}

function ownerOf(worker: AppWorker): Pick<SessionListEntry, 'application' | 'worker' | 'namespace' | 'stack'> {
  const { application } = worker;
  return {
    application: application.name,
    worker: application.workers.indexOf(worker) + 1,
    namespace: application.namespace,
    stack: application.stack,
  };
}

function listListeners(state: SessionState): SessionListEntry[] {
  return Array.from(state.members, ({ worker, appListener }) => ({
    protocol: 'tcp' as const,
    state: 'listen',
    local: formatEnd(appListener.session.local, appListener.session.port),
    remote: '',
    ...ownerOf(worker),
    ...NOTHING_QUEUED,
  }));
}

function listConnections(state: SessionState): SessionListEntry[] {
  const { rows, tcp } = state;
  const entries: SessionListEntry[] = [];
  for (let row = 0; row < rows.end; row++) {
    if (!rows.isOpen(row)) continue;
    const info = tcp.info(row);
    entries.push({
      protocol: 'tcp',
      state: info.state,
      local: formatEnd(info.localAddress, info.localPort),
      remote: formatEnd(info.remoteAddress, info.remotePort),
      ...ownerOf(state.workerOfRow(row)),
      receiveQueueBytes: info.bytesReceivedUnread,
      sendQueueBytes: info.bytesUnacknowledged + info.bytesUnsent,
      drops: 0,
    });
  }
  return entries;
}

function listUdp(layer: SessionLayer, udp: Udp): SessionListEntry[] {
  const { rows } = layer.udp;
  const entries: SessionListEntry[] = [];
  for (let row = 0; row < rows.end; row++) {
    if (!rows.isOpen(row)) continue;
    const info = udp.info(row);
    entries.push({
      protocol: 'udp',
      state: info.remotePort === 0 ? 'bound' : 'connected',
      local: formatEnd(info.local, info.localPort),
      remote: info.remotePort === 0 ? '' : formatEnd(info.remote, info.remotePort),
      ...ownerOf(layer.state.workers[rows.ownerOf(row)]!),
      receiveQueueBytes: info.queuedBytes,
      sendQueueBytes: 0,
      drops: info.drops,
    });
  }
  return entries;
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`, `*:80`, `10.0.0.1:*`. */
export function formatEnd(address: ArrayLike<number>, port: number): string {
  const text = formatAddressWords(address);
  const isAny = text === '::' || text === '0.0.0.0';
  const host = isAny ? '*' : text.includes(':') ? `[${text}]` : text;
  return `${host}:${port === 0 ? '*' : port}`;
}
