/**
 * What pcap and pcapng files have in common. Read draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng first.
 *
 * A point in time is two numbers, seconds since 1970 and nanoseconds within the second: one number of nanoseconds would
 * lose the last eight bits.
 */

/** The registry of draft-ietf-opsawg-pcaplinktype; as far as it matters here. */
export const LinkType = { null: 0, ethernet: 1, raw: 101, loop: 108, linuxSll: 113, ipv4: 228, ipv6: 229 } as const;

/** What writers declare as the most that they store of a packet. */
export const CAPTURE_SNAP_LENGTH = 262_144;

/** No block and no record may be longer: what bounds a reader's memory. */
export const CAPTURE_MAX_RECORD_BYTES = 16 << 20;

export interface CaptureInterface {
  /** One of {@link LinkType}, or another number. */
  readonly linkType: number;
  /** 0 = no limit. */
  readonly snapLength: number;
  /** Empty if the file does not say. */
  readonly name: string;
}

export interface CapturedPacket {
  readonly interface: CaptureInterface;
  /** 0 for packets without a time. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Length on the wire; `bytes` may be shorter. */
  readonly originalBytes: number;
  /** A view into the reader's buffer: good until the next `push`. */
  readonly bytes: Uint8Array;
  /** Comments, joined by line breaks. */
  readonly comment: string;
}

/** Why reading stopped. */
export interface CaptureProblem {
  /** Of the record or block at fault, in bytes from the start of the file. */
  readonly offset: number;
  readonly message: string;
}

/** What a format's reader finds at an offset: how far to go on, and what was there. */
export interface CaptureStep {
  /** Bytes to skip; 0 if more bytes are needed. */
  readonly bytes: number;
  readonly packet?: CapturedPacket;
  readonly problem?: string;
}

/** One file format: takes the records or blocks one by one. */
export interface CaptureFormat {
  /** Looks at what starts at `at` and ends before `end` or later. */
  step(view: DataView, at: number, end: number): CaptureStep;
  readonly interfaces: readonly CaptureInterface[];
}

/** More bytes are needed. */
export const CAPTURE_STARVED: CaptureStep = { bytes: 0 };
