/** The TCP segment that is being processed: one object, filled anew for each packet. RFC 9293 section 3.3.1 (SEG.SEQ …). */
import { makeTcpOptions, type TcpOptions } from '../../wire/tcp-options.js';

export interface Segment {
  slot: number;
  /** Offset of the TCP header. */
  at: number;
  headerBytes: number;
  /** SEG.SEQ, SEG.ACK; signed. */
  seq: number;
  ack: number;
  flags: number;
  /** SEG.WND as it stands in the header, not scaled. */
  window: number;
  /** Bytes of payload. */
  length: number;
  /** IPv4 addresses, signed: ours is the destination. */
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
  readonly options: TcpOptions;
}

export function makeSegment(): Segment {
  return {
    slot: 0,
    at: 0,
    headerBytes: 0,
    seq: 0,
    ack: 0,
    flags: 0,
    window: 0,
    length: 0,
    source: 0,
    destination: 0,
    sourcePort: 0,
    destinationPort: 0,
    options: makeTcpOptions(),
  };
}
