/**
 * ACKs that answer what should not have come: in-window RST and SYN, wrong ACK numbers, segments outside the window.
 * Read RFC 5961 sections 3 to 5 and 7 first.
 *
 * They are limited per connection, not for all together: a limit that strangers share can be observed by one of them.
 */
import type { TcpCore } from './tcp-core.js';
import { TcpCounter } from './tcp-counters.js';
import { ConnectionFlag } from './tcp-state.js';

/** One in this time: two ends that disagree do not answer each other without end. */
const CHALLENGE_INTERVAL_MS = 500;

/** Sends an ACK with the current numbers, unless one was sent a moment ago. */
export function challenge(tcp: TcpCore, connection: number): void {
  answer(tcp, connection, ConnectionFlag.ackNow);
}

/** The same with the SYN-ACK once more. */
export function challengeSyn(tcp: TcpCore, connection: number): void {
  answer(tcp, connection, ConnectionFlag.synNow);
}

function answer(tcp: TcpCore, connection: number, flag: number): void {
  const table = tcp.table;
  const nowMs = tcp.clockMs();
  const last = table.lastChallengeMs[connection]!;
  if (last !== 0 && ((nowMs - last) | 0) < CHALLENGE_INTERVAL_MS) return;
  // 0 stands for never.
  table.lastChallengeMs[connection] = nowMs === 0 ? -1 : nowMs;
  tcp.counters[TcpCounter.challenged]!++;
  tcp.requestOutput(connection, flag);
}
