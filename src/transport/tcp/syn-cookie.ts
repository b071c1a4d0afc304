/**
 * SYN cookies: under a flood of SYNs the state of half-open connections travels in our initial sequence number instead of in memory.
 * Read RFC 4987 section 3.6 first.
 *
 * ```
 *   sequence number: │ minutes, 5 bits │ MSS, 3 bits │ keyed hash over flow, peer's ISN, minutes, MSS: 24 bits │
 *   timestamp:       │ clock …                        │ SACK, 1 bit │ window scale, 4 bits (15: none) │
 * ```
 * Only peers with timestamps keep SACK and window scale, which go back to us with the echo.
 */
import { seqAdd, seqGt } from '../../base/seqnum.js';
import { NS_PER_MS, NS_PER_S } from '../../base/time.js';
import { TCP_MIN_HEADER_BYTES, TcpFlag } from '../../wire/tcp.js';
import {
  TCP_DEFAULT_MSS_IPV4,
  TcpOptionBit,
  writeTcpMss,
  writeTcpSackPermitted,
  writeTcpTimestamps,
  writeTcpWindowScale,
} from '../../wire/tcp-options.js';
import { Purpose, timestampOffset } from './isn.js';
import { windowScaleFor } from './receive-window.js';
import { turnInto } from './reply.js';
import type { Segment } from './segment.js';
import type { TcpCore } from './tcp-core.js';

/** What a cookie is good for, in units of 64 s: this one and the one before. */
const PERIOD_NS = 64 * NS_PER_S;
export const COOKIE_LIFETIME_MS = (2 * PERIOD_NS) / NS_PER_MS;
const MSS_VALUES = [TCP_DEFAULT_MSS_IPV4, 1220, 1300, 1400, 1440, 1460, 8_960, 65_495] as const;
const NO_SCALE = 15;
const OPTION_BITS = 0x1f;

/** The handshake as a cookie holds it. */
export interface SynCookie {
  mss: number;
  sackPermitted: boolean;
  /** −1: none. */
  windowScale: number;
}

/** Turns the SYN into a SYN-ACK that holds all we need to know. `mss`: what we announce. */
export function turnIntoCookie(tcp: TcpCore, namespace: number, segment: Segment, mss: number): void {
  const { options } = segment;
  const { view } = tcp.pool;
  const period = Math.floor(tcp.clock.nowNs / PERIOD_NS);
  const offered = options.present & TcpOptionBit.mss ? options.mss : TCP_DEFAULT_MSS_IPV4;
  let index = MSS_VALUES.length - 1;
  while (index > 0 && MSS_VALUES[index]! > offered) index--;
  const sequence = cookie(tcp, segment, segment.seq, period, index);
  const hasTimestamps = (options.present & TcpOptionBit.timestamps) !== 0;
  const scale = hasTimestamps && options.present & TcpOptionBit.windowScale ? options.windowScale : NO_SCALE;
  const hasSack = hasTimestamps && (options.present & TcpOptionBit.sackPermitted) !== 0;
  const echo = options.tsVal;
  const optionBytes = 4 + (hasTimestamps ? 12 : 0) + (scale === NO_SCALE ? 0 : 4) + (hasSack ? 4 : 0);
  const window = Math.min(tcp.config.receiveBufferBytes, 0xffff);
  const ack = seqAdd(segment.seq, 1);
  turnInto(tcp, segment, sequence, ack, TcpFlag.syn | TcpFlag.ack, window, optionBytes);
  let at = tcp.pool.transport[segment.slot]! + TCP_MIN_HEADER_BYTES;
  at += writeTcpMss(view, at, mss);
  if (hasSack) at += writeTcpSackPermitted(view, at);
  if (hasTimestamps) {
    at += writeTcpTimestamps(view, at, cookieTimestamp(tcp, namespace, segment, (hasSack ? 16 : 0) | scale), echo);
  }
  if (scale !== NO_SCALE) writeTcpWindowScale(view, at, windowScaleFor(tcp.config.maxReceiveBufferBytes));
}

/** Reads the cookie that the ACK acknowledges into `into`; false if it is none of ours, or too old. */
export function readCookie(tcp: TcpCore, segment: Segment, into: SynCookie): boolean {
  const sequence = seqAdd(segment.ack, -1);
  const now = Math.floor(tcp.clock.nowNs / PERIOD_NS);
  const age = (now - (sequence >>> 27)) & 31;
  const index = (sequence >>> 24) & 7;
  if (age > 1 || cookie(tcp, segment, seqAdd(segment.seq, -1), now - age, index) !== sequence) return false;
  into.mss = MSS_VALUES[index]!;
  into.sackPermitted = false;
  into.windowScale = -1;
  if (segment.options.present & TcpOptionBit.timestamps) {
    const bits = segment.options.tsEcr & OPTION_BITS;
    into.sackPermitted = (bits & 16) !== 0;
    into.windowScale = (bits & 15) === NO_SCALE ? -1 : bits & 15;
  }
  return true;
}

/** TSval of a cookie: the clock that the connection will go on with, set back a little to hold the options. */
function cookieTimestamp(tcp: TcpCore, namespace: number, segment: Segment, bits: number): number {
  const now = (tcp.clockMs() + timestampOffset(tcp, namespace, segment.destination, segment.source)) | 0;
  const value = (now & ~OPTION_BITS) | bits;
  return seqGt(value, now) ? (value - OPTION_BITS - 1) | 0 : value;
}

function cookie(tcp: TcpCore, segment: Segment, peerIss: number, period: number, index: number): number {
  const words = tcp.hashWords;
  words[0] = Purpose.cookie;
  words[1] = segment.destination;
  words[2] = segment.source;
  words[3] = (segment.destinationPort << 16) | segment.sourcePort;
  words[4] = peerIss;
  words[5] = period;
  words[6] = index;
  return ((period & 31) << 27) | (index << 24) | (tcp.sip.hash(words, 7) & 0xff_ffff);
}
