/**
 * What a transport tells the session layer, which registers one object of this kind per worker.
 *
 * Events of a run are coalesced: each is given at most once per connection by `flushEvents()` at the end of the run, in
 * the order in which they stand below. `onSyn` alone is called at once, because its answer decides.
 *
 * Life of a connection index: it is the session layer's from `connect` or `onAccepted` on (a deferred one from `onSyn` on) until the session layer
 * calls `close` or `abort`. `onFailed` and `onClosed` do not end that: bytes that arrived before stay readable, and the
 * index must still be let go by `close` or `abort`. After that no event carries it any more, until it is given out anew.
 */

/** Why a connection failed: names of errno values, as Node's errors carry them in `code`. */
export const TRANSPORT_ERRORS = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOPROTOOPT',
  'EMSGSIZE',
  'EACCES',
  'ENOBUFS',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EPIPE',
] as const;

export type ErrnoName = (typeof TRANSPORT_ERRORS)[number];

/** The answer to a first SYN. */
export const SynVerdict = {
  /** Answer with SYN-ACK now. */
  accept: 0,
  /** Answer with RST. */
  reject: 1,
  /** Nothing yet: `resumeSyn` will tell. Until then retransmitted SYNs are ignored. */
  defer: 2,
} as const;

export interface TransportEvents {
  /**
   * The first SYN of a connection to a listener. Returns a {@link SynVerdict}. Addresses and ports of the connection can
   * be read from the table; the index may be kept only with `defer`.
   */
  onSyn(listener: number, connection: number): number;
  /** The handshake is complete; the connection counts against the backlog until `accepted(connection)`. */
  onAccepted(listener: number, connection: number): void;
  /** A `connect` has succeeded. */
  onConnected(connection: number): void;
  /** Bytes were added to the receive FIFO. */
  onReadable(connection: number): void;
  /** There is room in the send FIFO again, after `wantWritable`. */
  onWritable(connection: number): void;
  /** The peer's FIN has come in order: all of its data is in the receive FIFO. */
  onPeerClosed(connection: number): void;
  /** Connect failed, the peer reset, or it no longer answers. */
  onFailed(connection: number, errno: ErrnoName): void;
  /** Both sides have sent FIN and ours is acknowledged. */
  onClosed(connection: number): void;
}
