/**
 * Segments for listeners, and the queue of half-open connections. Read RFC 9293 section 3.10.7.2 and RFC 4987 section 3 first.
 *
 * Up to the backlog, a SYN makes a connection in SYN-RECEIVED; beyond it, a SYN cookie. What waits to be accepted is
 * bounded by the backlog as well.
 */
import { seqAdd } from '../../base/seqnum.js';
import { TcpOptionBit } from '../../wire/tcp-options.js';
import { SynVerdict } from '../events.js';
import { chooseIss, OFFERED_OPTIONS, startSyn, takeSyn } from './handshake.js';
import { endConnection, openConnection } from './lifecycle.js';
import { mssOfInterface } from './path.js';
import { Reply } from './reply.js';
import type { Segment } from './segment.js';
import { segmentArrives } from './segment-arrives.js';
import { COOKIE_LIFETIME_MS, readCookie, type SynCookie, turnIntoCookie } from './syn-cookie.js';
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';
import { ConnectionFlag, TcpState } from './tcp-state.js';
import { NO_CONNECTION } from './tcp-table.js';

/** A SYN for a listener. Returns a {@link Reply}. */
export function synArrives(tcp: TcpCore, listener: number, stack: number, segment: Segment): number {
  const { table, listeners } = tcp;
  const namespace = listeners.namespace[listener]!;
  // A full accept queue: the peer will try again (RFC 4987 section 2: no state without room for it).
  if (listeners.acceptQueued[listener]! >= listeners.backlog[listener]!) {
    tcp.counters[TcpCounter.acceptOverflow]!++;
    return Reply.none;
  }
  if (listeners.halfOpen[listener]! >= listeners.backlog[listener]!) return synOverflows(tcp, listener, stack, segment);
  const ports = (segment.destinationPort << 16) | segment.sourcePort;
  const connection = openConnection(tcp, namespace, stack, segment.destination, segment.source, ports);
  if (connection === NO_CONNECTION) {
    tcp.counters[TcpCounter.noMemory]!++;
    return Reply.none;
  }
  table.listener[connection] = listener;
  table.state[connection] = TcpState.synReceived;
  listeners.halfOpen[listener]!++;
  takeSyn(tcp, connection, segment, OFFERED_OPTIONS);
  chooseIss(tcp, connection);
  return applyVerdict(tcp, connection, tcp.events.onSyn(listener, connection));
}

/** The SYN queue is full: a cookie takes its place, unless the session layer wants to be asked beforehand. RFC 4987 section 3.6. */
function synOverflows(tcp: TcpCore, listener: number, stack: number, segment: Segment): number {
  const { listeners, routes } = tcp;
  tcp.counters[TcpCounter.synOverflow]!++;
  const egress = routes.egress(stack, segment.source >>> 0);
  if (listeners.hasDeferred[listener] !== 0 || egress === 0) return Reply.none;
  tcp.lastCookieMs = tcp.nowMs();
  tcp.counters[TcpCounter.synCookiesSent]!++;
  turnIntoCookie(tcp, listeners.namespace[listener]!, segment, mssOfInterface(tcp, egress));
  return Reply.answer;
}

/** An ACK for a listener: perhaps it brings a cookie back. Returns a {@link Reply}. */
export function ackForListener(tcp: TcpCore, listener: number, stack: number, segment: Segment): number {
  const { table, listeners } = tcp;
  if (tcp.nowMs() - tcp.lastCookieMs > COOKIE_LIFETIME_MS) return Reply.reset;
  const cookie: SynCookie = { mss: 0, sackPermitted: false, windowScale: -1 };
  if (!readCookie(tcp, segment, cookie)) {
    tcp.counters[TcpCounter.badSynCookies]!++;
    return Reply.reset;
  }
  if (listeners.acceptQueued[listener]! >= listeners.backlog[listener]!) {
    tcp.counters[TcpCounter.acceptOverflow]!++;
    return Reply.none;
  }
  const ports = (segment.destinationPort << 16) | segment.sourcePort;
  const namespace = listeners.namespace[listener]!;
  const connection = openConnection(tcp, namespace, stack, segment.destination, segment.source, ports);
  if (connection === NO_CONNECTION) return Reply.none;
  tcp.counters[TcpCounter.synCookiesAccepted]!++;
  table.listener[connection] = listener;
  table.state[connection] = TcpState.synReceived;
  listeners.halfOpen[listener]!++;
  restoreSyn(tcp, connection, segment, cookie);
  if (tcp.events.onSyn(listener, connection) !== SynVerdict.accept) {
    endConnection(tcp, connection);
    return Reply.reset;
  }
  return segmentArrives(tcp, connection, segment) ? Reply.reset : Reply.none;
}

/** Goes on as the session layer has decided. Returns a {@link Reply}. */
function applyVerdict(tcp: TcpCore, connection: number, verdict: number): number {
  const { table, listeners } = tcp;
  if (verdict === SynVerdict.accept) {
    startSyn(tcp, connection);
    return Reply.none;
  }
  if (verdict === SynVerdict.defer) {
    table.flags[connection]! |= ConnectionFlag.deferred | ConnectionFlag.held;
    listeners.hasDeferred[table.listener[connection]!] = 1;
    return Reply.none;
  }
  endConnection(tcp, connection);
  return Reply.reset;
}

/** Decides a deferred SYN. */
export function resumeSyn(tcp: TcpCore, connection: number, verdict: number): void {
  const { table } = tcp;
  if ((table.flags[connection]! & ConnectionFlag.deferred) === 0) return;
  table.flags[connection]! &= ~(ConnectionFlag.deferred | ConnectionFlag.held);
  if (verdict === SynVerdict.accept) {
    startSyn(tcp, connection);
  } else {
    tcp.requestOutput(connection, ConnectionFlag.resetNow);
    endConnection(tcp, connection);
  }
}

/** Puts a connection into the state in which the SYN would have left it. */
function restoreSyn(tcp: TcpCore, connection: number, segment: Segment, cookie: SynCookie): void {
  const { table, config } = tcp;
  const { present } = segment.options;
  segment.seq = seqAdd(segment.seq, -1);
  segment.options.present = cookie.windowScale >= 0 ? present | TcpOptionBit.windowScale : present;
  if (cookie.sackPermitted) segment.options.present |= TcpOptionBit.sackPermitted;
  segment.options.present |= TcpOptionBit.mss;
  segment.options.mss = cookie.mss;
  segment.options.windowScale = cookie.windowScale;
  takeSyn(tcp, connection, segment, OFFERED_OPTIONS);
  chooseIss(tcp, connection);
  segment.seq = seqAdd(segment.seq, 1);
  segment.options.present = present;
  const iss = seqAdd(segment.ack, -1);
  table.iss[connection] = iss;
  table.sndUna[connection] = iss;
  table.sndNxt[connection] = segment.ack;
  table.sndMax[connection] = segment.ack;
  table.sndSmall[connection] = iss;
  table.rcvAdv[connection] = seqAdd(segment.seq, Math.min(config.receiveBufferBytes, 0xffff));
}
