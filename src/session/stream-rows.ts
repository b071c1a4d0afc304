/**
 * What stream carriers keep about sessions, or about UDP sockets: columns under the same index as the rows themselves.
 * A row belongs to one application, so all carriers of a session layer share them.
 */
import type { Arena } from '../mem/arena.js';

/** Bits of the `state` column. */
export const StreamState = {
  /** In its carrier's list of rows that have something to send. */
  listed: 1,
  /** Events that wait until everything received is on its way. */
  peerClosed: 2,
  closed: 4,
} as const;

export class StreamRows {
  /** Bytes that may be sent to the application. */
  readonly sendCredit: Int32Array;
  /** Bytes that the application may send: granted and not used yet. */
  readonly granted: Int32Array;
  /** Bytes of datagrams that are sent and not granted anew. */
  readonly owed: Int32Array;
  /** Bits of {@link StreamState}. */
  readonly state: Int32Array;
  /** Errno of a `closed` event that waits. */
  readonly errno: Int32Array;

  constructor(arena: Arena, capacity: number) {
    this.sendCredit = arena.int32(capacity);
    this.granted = arena.int32(capacity);
    this.owed = arena.int32(capacity);
    this.state = arena.int32(capacity);
    this.errno = arena.int32(capacity);
  }
}
