/**
 * States and flags of a connection. RFC 9293 section 3.3.2.
 *
 * ```
 *            connect                        SYN to a listener
 *   closed ──────────► synSent ───────────► synReceived
 *                         │ SYN-ACK              │ ACK
 *                         └────► established ◄───┘
 *              shutdown │                 │ FIN
 *                  finWait1            closeWait
 *       ACK │     FIN │                   │ shutdown
 *      finWait2    closing             lastAck
 *       FIN │         │ ACK               │ ACK
 *           └──► timeWait ── 2 MSL ──► closed
 * ```
 * LISTEN is not a state of a connection here: listeners have a table of their own.
 */
export const TcpState = {
  closed: 0,
  synSent: 1,
  synReceived: 2,
  established: 3,
  closeWait: 4,
  finWait1: 5,
  finWait2: 6,
  closing: 7,
  lastAck: 8,
  timeWait: 9,
} as const;

export const TCP_STATE_NAMES = [
  'CLOSED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'CLOSE-WAIT',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;

/** Bits of a connection's `flags` column. */
export const ConnectionFlag = {
  /** Both ends use timestamps. RFC 7323 section 3. */
  timestamps: 1,
  /** Both ends use selective acknowledgments. RFC 2018. */
  sack: 2,
  /** Both ends scale windows. RFC 7323 section 2. */
  windowScale: 4,
  /** An ACK goes out with the next pass. */
  ackNow: 8,
  /** Data has come that is not acknowledged yet; the delayed-ACK timer runs. */
  ackDelayed: 16,
  /** The application has no more to send: FIN follows the data in the send FIFO. */
  finQueued: 32,
  /** The peer's FIN has come in order. */
  finReceived: 64,
  /** The session layer holds the index; without this bit the row is freed as soon as the connection is closed. */
  held: 128,
  /** Nagle's algorithm is off. */
  noDelay: 256,
  /** In the output queue, or parked beside it. */
  queued: 512,
  /** A write was short: the session layer waits for room in the send FIFO. */
  wantWritable: 1024,
  /** In fast recovery, until `recover` is acknowledged. RFC 6675, RFC 6582. */
  recovery: 2048,
  /** Retransmitting after a timeout, until `recover` is acknowledged. */
  loss: 4096,
  /** The retransmission timer stands for the persist timer. RFC 9293 section 3.8.6.1. */
  persist: 8192,
  /** A round trip is being timed: from `rttSeq`, sent at `rttStartUs`. */
  timing: 16384,
  /** The application has set the size of the send or receive buffer: it does not grow by itself. */
  fixedSendBuffer: 32768,
  fixedReceiveBuffer: 65536,
  /** Waits for `resumeSyn`. */
  deferred: 131072,
  /** Counts against the listener's accept queue. */
  acceptQueued: 262144,
  /** Made by `connect`. */
  active: 524288,
  /** The rescue retransmission of this recovery is spent. RFC 6675 section 4, NextSeg (4). */
  rescued: 1048576,
  /** A segment is to be sent although the sender's silly window rule says no: after the persist timer. */
  forceSend: 2097152,
  /** The first unacknowledged segment is to be retransmitted, whatever the congestion window says. */
  retransmitFirst: 4194304,
  /** SYN or SYN-ACK goes out with the next pass. */
  synNow: 8388608,
  /** RST goes out with the next pass; then the row is freed. */
  resetNow: 16777216,
  /** The row is freed as soon as neither the output queue nor the event queue holds it. */
  dead: 33554432,
  /** A FIN has come; it stands at `finSeq`, perhaps with gaps before it. */
  finSeen: 67108864,
  /** A keepalive probe goes out with the next pass. */
  probeNow: 134217728,
  /** The last reduction of the window is taken back if its cause turns out to be none. RFC 3522. */
  undoable: 268435456,
} as const;

/** Kinds of timers of a connection: timer number = connection * 4 + kind. */
export const TcpTimer = {
  /** Retransmission or persist. */
  retransmit: 0,
  delayedAck: 1,
  keepAlive: 2,
  /** FIN-WAIT-2 without an application, and TIME-WAIT; before these, waiting for memory. */
  linger: 3,
} as const;
export const TCP_TIMER_BITS = 2;
