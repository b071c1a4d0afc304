/**
 * The pcapng file format: writing. Read draft-ietf-opsawg-pcapng first. Reading: pcapng-format.ts.
 *
 * ```
 *  every block                              option
 * +-------------------------------+        +---------------+---------------+
 * | block type                    |  0     | code          | length        |  0
 * +-------------------------------+        +---------------+---------------+
 * | block total length            |  4     | value, padded to 4 bytes      |  4
 * +-------------------------------+        +-------------------------------+
 * | body, padded to 4 bytes       |  8
 * +-------------------------------+
 * | block total length, again     |
 * +-------------------------------+
 *
 *  section header:    byte-order magic(32) major(16) minor(16) section length(64) options
 *  interface:         link type(16) reserved(16) snap length(32) options
 *  enhanced packet:   interface(32) time high(32) time low(32) captured length(32) original length(32) packet options
 * ```
 */

import { CAPTURE_SNAP_LENGTH } from './capture.js';
import { utf8Bytes, writeUtf8 } from './utf8.js';

/** Section 11.1 of the draft. */
export const PcapngBlock = {
  sectionHeader: 0x0a0d0d0a,
  interface: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  enhancedPacket: 6,
} as const;

/** Sections 3.5, 4.1 and 4.2 of the draft. Codes from 2 on depend on the block. */
export const PcapngOption = {
  end: 0,
  comment: 1,
  interfaceName: 2,
  application: 4,
  resolution: 9,
  timeOffset: 14,
} as const;

export const PCAPNG_BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const PCAPNG_MIN_BLOCK_BYTES = 12;
/** Where the packet starts within an enhanced packet block. */
export const PCAPNG_PACKET_OFFSET = 28;

const VERSION_MAJOR = 1;
const VERSION_MINOR = 0;
const RESOLUTION_NANOSECONDS = 9;
const NS_PER_S = 1_000_000_000;

/** Writes a section header, big-endian, of unknown length. Returns its bytes. Section 4.1 of the draft. */
export function writePcapngSectionHeader(view: DataView, at: number, application: string): number {
  view.setUint32(at + 8, PCAPNG_BYTE_ORDER_MAGIC);
  view.setUint16(at + 12, VERSION_MAJOR);
  view.setUint16(at + 14, VERSION_MINOR);
  view.setInt32(at + 16, -1);
  view.setInt32(at + 20, -1);
  const end = writeOptionsEnd(view, writeTextOption(view, at + 24, PcapngOption.application, application));
  return finishBlock(view, at, PcapngBlock.sectionHeader, end);
}

/** Writes an interface with times in nanoseconds. Its index is its place in the section. Section 4.2 of the draft. */
export function writePcapngInterface(view: DataView, at: number, linkType: number, name: string): number {
  view.setUint16(at + 8, linkType);
  view.setUint16(at + 10, 0);
  view.setUint32(at + 12, CAPTURE_SNAP_LENGTH);
  let to = writeTextOption(view, at + 16, PcapngOption.interfaceName, name);
  view.setUint32(to, (PcapngOption.resolution << 16) | 1);
  view.setUint32(to + 4, RESOLUTION_NANOSECONDS << 24);
  to = writeOptionsEnd(view, to + 8);
  return finishBlock(view, at, PcapngBlock.interface, to);
}

/**
 * Writes an enhanced packet block around the packet, whose `capturedBytes` bytes the caller puts at `at +
 * PCAPNG_PACKET_OFFSET`. Returns the bytes of the whole block: {@link pcapngPacketBytes}. Section 4.3 of the draft.
 */
export function writePcapngPacket(
  view: DataView,
  at: number,
  interfaceIndex: number,
  seconds: number,
  nanoseconds: number,
  capturedBytes: number,
  originalBytes: number,
  comment = '',
): number {
  // The 64-bit count of nanoseconds in two steps that stay below 2⁵³: the seconds above and below bit 16.
  const upper = Math.floor(seconds / 0x10000) * NS_PER_S;
  const lower = (seconds % 0x10000) * NS_PER_S + nanoseconds;
  const low = (upper % 0x10000) * 0x10000 + (lower % 0x1_0000_0000);
  view.setUint32(at + 8, interfaceIndex);
  view.setUint32(
    at + 12,
    Math.floor(upper / 0x10000) + Math.floor(lower / 0x1_0000_0000) + Math.floor(low / 0x1_0000_0000),
  );
  view.setUint32(at + 16, low % 0x1_0000_0000);
  view.setUint32(at + 20, capturedBytes);
  view.setUint32(at + 24, originalBytes);
  let to = pad(view, at + PCAPNG_PACKET_OFFSET, capturedBytes);
  if (comment !== '') to = writeOptionsEnd(view, writeTextOption(view, to, PcapngOption.comment, comment));
  return finishBlock(view, at, PcapngBlock.enhancedPacket, to);
}

/** How many bytes {@link writePcapngPacket} needs. */
export function pcapngPacketBytes(capturedBytes: number, comment = ''): number {
  const options = comment === '' ? 0 : 4 + padded(utf8Bytes(comment)) + 4;
  return PCAPNG_PACKET_OFFSET + padded(capturedBytes) + options + 4;
}

/** Writes type and both lengths. Returns the length. */
function finishBlock(view: DataView, at: number, type: number, end: number): number {
  const length = end + 4 - at;
  view.setUint32(at, type);
  view.setUint32(at + 4, length);
  view.setUint32(end, length);
  return length;
}

/** Returns the offset behind the option. */
function writeTextOption(view: DataView, at: number, code: number, text: string): number {
  const bytes = writeUtf8(view, at + 4, text);
  view.setUint16(at, code);
  view.setUint16(at + 2, bytes);
  return pad(view, at + 4, bytes);
}

function writeOptionsEnd(view: DataView, at: number): number {
  view.setUint32(at, PcapngOption.end);
  return at + 4;
}

function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** Zeroes what is between the end of a value and the next multiple of 4. Returns the offset behind. */
function pad(view: DataView, at: number, bytes: number): number {
  for (let i = bytes; i < padded(bytes); i++) view.setUint8(at + i, 0);
  return at + padded(bytes);
}
