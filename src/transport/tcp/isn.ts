/**
 * Numbers that a stranger must not be able to guess: initial sequence numbers (RFC 6528 section 3), timestamp offsets (RFC 7323
 * section 5.4), ephemeral ports (RFC 6056 section 3.3.4).
 */
import { NS_PER_US } from '../../base/time.js';
import type { TcpCore } from './tcp-core.js';

const US_PER_TICK = 4;
/** First word of what is hashed: results for different purposes have nothing to do with each other. */
export const Purpose = { sequence: 1, timestamp: 2, port: 3, portCounter: 4, cookie: 5 } as const;

/** ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M counting 4 µs. RFC 6528 section 3. */
export function initialSequence(tcp: TcpCore, connection: number): number {
  const { table, sip, hashWords: words } = tcp;
  words[0] = Purpose.sequence;
  words[1] = table.namespace[connection]!;
  words[2] = table.local0[connection]!;
  words[3] = table.local1[connection]!;
  words[4] = table.local2[connection]!;
  words[5] = table.local3[connection]!;
  words[6] = table.remote0[connection]!;
  words[7] = table.remote1[connection]!;
  words[8] = table.remote2[connection]!;
  words[9] = table.remote3[connection]!;
  words[10] = table.ports[connection]!;
  const ticks = Math.floor(tcp.clock.nowNs / (US_PER_TICK * NS_PER_US));
  return (ticks + sip.hash(words, 11)) | 0;
}

/** The same for all connections between two addresses, so that the clock goes on when a port is used again. */
export function timestampOffset(tcp: TcpCore, namespace: number, local: number, remote: number): number {
  const { sip, hashWords: words } = tcp;
  words[0] = Purpose.timestamp;
  words[1] = namespace;
  words[2] = local;
  words[3] = remote;
  return sip.hash(words, 4);
}

/** Where the search for a port begins, and which of the counters it advances: F() and G() of RFC 6056 section 3.3.4. */
export function portHashes(
  tcp: TcpCore,
  namespace: number,
  local: number,
  remote: number,
  remotePort: number,
  into: { offset: number; counter: number },
): void {
  const { sip, hashWords: words } = tcp;
  words[0] = Purpose.port;
  words[1] = namespace;
  words[2] = local;
  words[3] = remote;
  words[4] = remotePort;
  into.offset = sip.hash(words, 5) >>> 0;
  words[0] = Purpose.portCounter;
  into.counter = sip.hash(words, 5) >>> 0;
}
