/**
 * TCP options. Read RFC 9293 section 3.1 "Options" and MUST-4..7, MUST-64, MUST-68 first, then RFC 2018 (SACK), RFC
 * 7323 (window scale, timestamps).
 *
 * ```
 *  end 0             | 0 |
 *  no operation 1    | 1 |
 *  maximum segment   | 2 | 4  |   size(16)  |                      only with SYN
 *  window scale      | 3 | 3  | shift(8) |                         only with SYN
 *  SACK permitted    | 4 | 2  |                                    only with SYN
 *  SACK              | 5 | 2+8n | left(32) | right(32) | …         n = 1..4
 *  timestamps        | 8 | 10 |  TSval(32)  |  TSecr(32)  |
 * ```
 * A reader takes what it understands and skips the rest by its length. An option whose length is illegal ends the walk
 * (MUST-7): what came before it counts, and `malformed` says so.
 */

import { TCP_MIN_HEADER_BYTES, tcpHeaderBytes } from './tcp.js';

/** The IANA "TCP Option Kind Numbers" registry. */
export const TcpOptionKind = {
  end: 0,
  noOperation: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
} as const;

/** Bits of {@link TcpOptions.present}. */
export const TcpOptionBit = {
  mss: 1,
  windowScale: 2,
  sackPermitted: 4,
  sack: 8,
  timestamps: 16,
  malformed: 32,
} as const;

/** What a peer may receive if it does not say: 536. RFC 9293 section 3.7.1, MUST-15. */
export const TCP_DEFAULT_MSS_IPV4 = 536;
/** RFC 7323 section 2.3: a larger shift counts as 14. */
export const TCP_MAX_WINDOW_SCALE = 14;
/** As many as fit into 40 bytes of options. RFC 2018 section 3. */
export const TCP_MAX_SACK_BLOCKS = 4;

const MSS_BYTES = 4;
const WINDOW_SCALE_BYTES = 3;
const SACK_PERMITTED_BYTES = 2;
const TIMESTAMPS_BYTES = 10;
const SACK_BLOCK_BYTES = 8;

/** NOP, NOP, timestamps, 10: how nearly every segment carries timestamps. RFC 7323 appendix A. */
const ALIGNED_TIMESTAMPS = 0x0101080a;
/** With padding: what {@link writeTcpTimestamps} takes of the header. */
export const TCP_ALIGNED_TIMESTAMPS_BYTES = 12;

/** The options of one segment. Make one with {@link makeTcpOptions} and use it again and again. */
export interface TcpOptions {
  /** {@link TcpOptionBit} bits; a field below means something only if its bit is set. */
  present: number;
  mss: number;
  /** 0..14. */
  windowScale: number;
  /** Signed, as sequence numbers are. */
  tsVal: number;
  tsEcr: number;
  sackCount: number;
  /** Left and right edge of each block, signed: `sackCount * 2` numbers. */
  readonly sackEdges: Int32Array;
}

export function makeTcpOptions(): TcpOptions {
  return {
    present: 0,
    mss: 0,
    windowScale: 0,
    tsVal: 0,
    tsEcr: 0,
    sackCount: 0,
    sackEdges: new Int32Array(TCP_MAX_SACK_BLOCKS * 2),
  };
}

/** Reads the options of a header that {@link checkTcp} found ok into `options`. Returns `options.present`. */
export function readTcpOptions(view: DataView, at: number, options: TcpOptions): number {
  const end = at + tcpHeaderBytes(view, at);
  let option = at + TCP_MIN_HEADER_BYTES;
  if (end - option === TCP_ALIGNED_TIMESTAMPS_BYTES && view.getUint32(option) === ALIGNED_TIMESTAMPS) {
    options.tsVal = view.getInt32(option + 4);
    options.tsEcr = view.getInt32(option + 8);
    options.sackCount = 0;
    options.present = TcpOptionBit.timestamps;
    return TcpOptionBit.timestamps;
  }
  options.sackCount = 0;
  let present = 0;
  while (option < end) {
    const kind = view.getUint8(option);
    if (kind === TcpOptionKind.end) break;
    if (kind === TcpOptionKind.noOperation) {
      option++;
      continue;
    }
    const length = option + 1 < end ? view.getUint8(option + 1) : 0;
    if (length < 2 || option + length > end) {
      present |= TcpOptionBit.malformed;
      break;
    }
    present |= readOption(view, option, kind, length, options);
    option += length;
  }
  options.present = present;
  return present;
}

/**
 * Reads one option that lies inside the header. Returns its bit, or 0 if the kind is unknown or its length is not that
 * of the kind.
 */
function readOption(view: DataView, option: number, kind: number, length: number, options: TcpOptions): number {
  if (kind === TcpOptionKind.timestamps && length === TIMESTAMPS_BYTES) {
    options.tsVal = view.getInt32(option + 2);
    options.tsEcr = view.getInt32(option + 6);
    return TcpOptionBit.timestamps;
  }
  if (kind === TcpOptionKind.sack) return readSack(view, option, length, options);
  if (kind === TcpOptionKind.mss && length === MSS_BYTES) {
    options.mss = view.getUint16(option + 2);
    return TcpOptionBit.mss;
  }
  if (kind === TcpOptionKind.windowScale && length === WINDOW_SCALE_BYTES) {
    options.windowScale = Math.min(view.getUint8(option + 2), TCP_MAX_WINDOW_SCALE);
    return TcpOptionBit.windowScale;
  }
  return kind === TcpOptionKind.sackPermitted && length === SACK_PERMITTED_BYTES ? TcpOptionBit.sackPermitted : 0;
}

/**
 * RFC 2018 section 3. A length that is not 2 + 8n is no SACK. At most 4 blocks fit, so a second SACK option replaces
 * the first.
 */
function readSack(view: DataView, option: number, length: number, options: TcpOptions): number {
  const count = (length - 2) / SACK_BLOCK_BYTES;
  if (count < 1 || count > TCP_MAX_SACK_BLOCKS || (length - 2) % SACK_BLOCK_BYTES !== 0) return 0;
  const edges = options.sackEdges;
  for (let i = 0; i < count * 2; i++) edges[i] = view.getInt32(option + 2 + i * 4);
  options.sackCount = count;
  return TcpOptionBit.sack;
}

/** Writes 4 bytes. Returns 4. RFC 9293 section 3.7.1. */
export function writeTcpMss(view: DataView, at: number, mss: number): number {
  view.setUint32(at, (TcpOptionKind.mss << 24) | (MSS_BYTES << 16) | mss);
  return MSS_BYTES;
}

/** Writes NOP and the window scale: 4 bytes. Returns 4. RFC 7323 section 2.2. */
export function writeTcpWindowScale(view: DataView, at: number, shift: number): number {
  view.setUint32(
    at,
    (TcpOptionKind.noOperation << 24) | (TcpOptionKind.windowScale << 16) | (WINDOW_SCALE_BYTES << 8) | shift,
  );
  return 4;
}

/** Writes NOP, NOP and SACK permitted: 4 bytes. Returns 4. RFC 2018 section 2. */
export function writeTcpSackPermitted(view: DataView, at: number): number {
  view.setUint32(at, 0x01010000 | (TcpOptionKind.sackPermitted << 8) | SACK_PERMITTED_BYTES);
  return 4;
}

/** Writes NOP, NOP and the timestamps: 12 bytes. Returns 12. RFC 7323 section 3.2 and appendix A. */
export function writeTcpTimestamps(view: DataView, at: number, tsVal: number, tsEcr: number): number {
  view.setUint32(at, ALIGNED_TIMESTAMPS);
  view.setInt32(at + 4, tsVal);
  view.setInt32(at + 8, tsEcr);
  return TCP_ALIGNED_TIMESTAMPS_BYTES;
}

/** How many SACK blocks still fit beside `optionBytes` of other options. RFC 2018 section 3. */
export function tcpSackBlocksThatFit(optionBytes: number): number {
  return (40 - optionBytes - 4) >> 3;
}

/**
 * Writes NOP, NOP and SACK with the first `count` blocks of `edges`: 4 + 8 * count bytes, returned. RFC 2018 section 3.
 */
export function writeTcpSack(view: DataView, at: number, edges: Int32Array, count: number): number {
  view.setUint32(at, 0x01010000 | (TcpOptionKind.sack << 8) | (2 + count * SACK_BLOCK_BYTES));
  for (let i = 0; i < count * 2; i++) view.setInt32(at + 4 + i * 4, edges[i] ?? 0);
  return 4 + count * SACK_BLOCK_BYTES;
}

/** `mss 1460 wscale 7 sackOK ts 1 0 sack 10-20`. */
export function formatTcpOptions(options: TcpOptions): string {
  const words: string[] = [];
  if (options.present & TcpOptionBit.mss) words.push(`mss ${options.mss}`);
  if (options.present & TcpOptionBit.windowScale) words.push(`wscale ${options.windowScale}`);
  if (options.present & TcpOptionBit.sackPermitted) words.push('sackOK');
  if (options.present & TcpOptionBit.timestamps) words.push(`ts ${options.tsVal >>> 0} ${options.tsEcr >>> 0}`);
  for (let i = 0; i < options.sackCount * 2; i += 2) {
    words.push(`sack ${(options.sackEdges[i] ?? 0) >>> 0}-${(options.sackEdges[i + 1] ?? 0) >>> 0}`);
  }
  if (options.present & TcpOptionBit.malformed) words.push('malformed');
  return words.join(' ');
}
