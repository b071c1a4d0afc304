/**
 * The session protocol on a byte stream, between two processes of one machine:
 *
 *   │ message, 64 bytes │ payload, `payloadBytes` │ 0 … 3 bytes of padding │ message …
 *
 * Bytes of sessions and datagrams travel as payloads of `data`, `udpSend` and `datagram`. Credits hold both sides back:
 *
 *   to the application   a window for each session and socket; the application returns what it has read
 *   to the session layer what the session layer has granted: in the `value` of connected, accepted and bound, and then by
 *                        credit events, as room becomes free in the FIFO to the peer
 *
 * A datagram costs its length and MESSAGE_BYTES.
 * The first message is attach or registerWorker. Who breaks the rules loses the carrier and all that it had.
 */
import { MESSAGE_BYTES } from './message.js';

/** Bytes that may be on their way to an application, for each session or socket. */
export const WINDOW_BYTES = 1024 * 1024;
/** Bytes of datagrams that may be on their way, for each socket and direction. */
export const UDP_WINDOW_BYTES = 256 * 1024;
/** Bytes that are written at once: as many messages as there are. */
export const BATCH_BYTES = 256 * 1024;
/** Bytes that may wait for a peer that does not read; then the carrier is given up. */
export const MAX_BACKLOG_BYTES = 16 * 1024 * 1024;

/** Where the bytes go: the writing side of a Unix socket. */
export interface ByteSink {
  /**
   * Writes. True: done, the memory may be used again. False: it is kept until the carrier's `drained()` is called, and
   * nothing else is written before that. Must not call back at once.
   */
  write(bytes: Uint8Array): boolean;
  /** Closes the stream: nothing will be written any more. */
  end(): void;
}

/** What a datagram takes from a credit. */
export function datagramCost(bytes: number): number {
  return bytes + MESSAGE_BYTES;
}

/** Length of a payload with its padding. */
export function paddedBytes(bytes: number): number {
  return (bytes + 3) & ~3;
}
