/**
 * The connections of a worker: a connection is an index, its state is int32 columns. Sequence numbers are signed, sizes
 * are bytes, times of the clock are milliseconds or microseconds modulo 2^32: only differences mean something.
 *
 * Names are those of RFC 9293 section 3.3.1 and of the RFC that introduces the variable.
 * Written by: the worker's transport. Read by: the worker.
 */
import type { Arena } from '../../mem/arena.js';
import { TcpState } from './tcp-state.js';

export const NO_CONNECTION = -1;
export const NO_LISTENER = -1;

/** Columns of one length, which are cleared together. */
class Columns {
  readonly capacity: number;
  readonly #arena: Arena;
  readonly #columns: Int32Array[] = [];

  constructor(arena: Arena, capacity: number) {
    this.#arena = arena;
    this.capacity = capacity;
  }

  protected column(): Int32Array {
    const made = this.#arena.int32(this.capacity);
    this.#columns.push(made);
    return made;
  }

  protected clear(row: number): void {
    for (const column of this.#columns) column[row] = 0;
  }
}

export class TcpTable extends Columns {
  // Identity.
  readonly state = this.column();
  /** Bits of ConnectionFlag. */
  readonly flags = this.column();
  readonly namespace = this.column();
  readonly stack = this.column();
  readonly local0 = this.column();
  readonly local1 = this.column();
  readonly local2 = this.column();
  readonly local3 = this.column();
  readonly remote0 = this.column();
  readonly remote1 = this.column();
  readonly remote2 = this.column();
  readonly remote3 = this.column();
  /** localPort << 16 | remotePort. */
  readonly ports = this.column();
  /** Listener it came from, or NO_LISTENER. */
  readonly listener = this.column();
  /** The session layer's own number. */
  readonly context = this.column();
  /** Counts how often the row was given out. */
  readonly generation = this.column();

  // Sending. RFC 9293 section 3.3.1.
  readonly iss = this.column();
  readonly sndUna = this.column();
  readonly sndNxt = this.column();
  /** Highest sequence number sent so far; above `sndNxt` while retransmitting after a timeout. */
  readonly sndMax = this.column();
  readonly sndWnd = this.column();
  readonly sndWl1 = this.column();
  readonly sndWl2 = this.column();
  /** Largest window the peer has offered. RFC 9293 section 3.8.6.2.1. */
  readonly maxSndWnd = this.column();
  readonly sndScale = this.column();
  /** Payload bytes of a full-sized segment, options deducted (Eff.snd.MSS). RFC 9293 section 3.7.1. */
  readonly mss = this.column();
  /** What the peer announced. */
  readonly peerMss = this.column();
  /** End of the last segment sent that was smaller than `mss`. Minshall, "A suggested modification to Nagle's algorithm". */
  readonly sndSmall = this.column();
  readonly lastSentMs = this.column();

  // Receiving.
  readonly irs = this.column();
  readonly rcvNxt = this.column();
  /** Right edge of the window that was advertised: RCV.NXT + RCV.WND. It never goes back. */
  readonly rcvAdv = this.column();
  readonly rcvScale = this.column();
  /** Acknowledgment number last sent. RFC 7323 section 4.3. */
  readonly lastAckSent = this.column();
  /** Largest payload of a segment seen, the guess of the peer's segment size. RFC 5681 section 4.2. */
  readonly rcvMss = this.column();
  /** Sequence number of the peer's FIN, once it has been seen. */
  readonly finSeq = this.column();
  /** Duplicate ACKs to be sent to a peer without SACK. */
  readonly dupAcksOwed = this.column();
  /** Sequence number in each of the ranges out of order that changed last, newest first. RFC 2018 section 4. */
  readonly recentRange0 = this.column();
  readonly recentRange1 = this.column();
  readonly recentRange2 = this.column();
  readonly lastReceivedMs = this.column();

  /** When the peer was last told off: challenge ACKs and answers to segments outside the window. RFC 5961 section 7. */
  readonly lastChallengeMs = this.column();

  /** Automatic receive buffer: round trip as the receiver sees it, and where and when the current one began. */
  readonly rcvRttUs = this.column();
  readonly rcvSpaceSeq = this.column();
  readonly rcvSpaceUs = this.column();

  // Timestamps. RFC 7323.
  readonly tsRecent = this.column();
  readonly tsRecentMs = this.column();
  readonly tsOffset = this.column();

  // Round-trip time and retransmission timeout. RFC 6298.
  /** 0 before the first measurement. */
  readonly srttUs = this.column();
  readonly rttvarUs = this.column();
  readonly rtoMs = this.column();
  /** Timeouts (or probes) since the last sign of progress. */
  readonly backoff = this.column();
  /** When the first of these began. */
  readonly stalledSinceMs = this.column();
  readonly rttSeq = this.column();
  readonly rttStartUs = this.column();
  /** Retransmitted segments since the connection began. */
  readonly retransmits = this.column();

  // Congestion control. RFC 5681, RFC 6675, RFC 6937, RFC 9438.
  readonly cwnd = this.column();
  readonly ssthresh = this.column();
  readonly dupAcks = this.column();
  /** Highest sequence number sent when the loss was noticed. RFC 6582 section 3.2. */
  readonly recover = this.column();
  /** Highest sequence number retransmitted in this recovery. RFC 6675 section 2. */
  readonly highRxt = this.column();
  readonly prrDelivered = this.column();
  readonly prrOut = this.column();
  readonly recoverFs = this.column();
  /** Window before the last reduction, and the timestamp of the retransmission. RFC 4015, RFC 3522. */
  readonly priorWindow = this.column();
  readonly retransmitTs = this.column();
  /** CUBIC: window before the last reduction, start of the epoch, K in ms, origin, Reno-friendly estimate. */
  readonly cubicWMax = this.column();
  readonly cubicEpochMs = this.column();
  readonly cubicKMs = this.column();
  readonly cubicOrigin = this.column();
  readonly cubicWEst = this.column();
  /** Acknowledged bytes that have not moved the window yet. */
  readonly ackedBytes = this.column();

  // Path.
  /** Interface packets leave by, valid while `routeGeneration` is the routes' own. */
  readonly egress = this.column();
  readonly routeGeneration = this.column();
  /** Most bytes of a packet on the path; 0 without a route. RFC 1191. */
  readonly pathMtu = this.column();
  /** Traffic class << 8 | time to live. */
  readonly ipFields = this.column();

  // Others.
  readonly keepAliveMs = this.column();
  readonly keepAliveIntervalMs = this.column();
  readonly keepAliveProbes = this.column();
  /** Probes sent without an answer. */
  readonly keepAliveSent = this.column();
  readonly userTimeoutMs = this.column();
  /** The last soft error, as ErrnoName index + 1. RFC 5461. */
  readonly softError = this.column();
  /** Error to report, as ErrnoName index + 1. */
  readonly error = this.column();
  /** Bits of events that wait to be reported. */
  readonly pendingEvents = this.column();
  /** Links of the output queue. */
  readonly outputNext = this.column();
  /** Links of the list the row is in: free rows, TIME-WAIT. */
  readonly next = this.column();
  readonly previous = this.column();

  #free = NO_CONNECTION;
  #end = 0;
  #count = 0;

  /** Rows in use. */
  get count(): number {
    return this.#count;
  }

  /** One more than the highest row ever used: for loops over all connections; free ones are in state closed and not held. */
  get end(): number {
    return this.#end;
  }

  get isFull(): boolean {
    return this.#count === this.capacity;
  }

  /** Takes a row, all of it zero; or NO_CONNECTION when the table is full. */
  take(): number {
    let connection = this.#free;
    if (connection !== NO_CONNECTION) {
      this.#free = this.next[connection]!;
      const generation = this.generation[connection]!;
      this.clear(connection);
      this.generation[connection] = generation;
    } else if (this.#end < this.capacity) {
      connection = this.#end++;
    } else {
      return NO_CONNECTION;
    }
    this.#count++;
    this.listener[connection] = NO_LISTENER;
    this.generation[connection]!++;
    return connection;
  }

  give(connection: number): void {
    this.state[connection] = TcpState.closed;
    this.flags[connection] = 0;
    this.next[connection] = this.#free;
    this.#free = connection;
    this.#count--;
  }
}
