/**
 * The pcap file format. Read draft-ietf-opsawg-pcap first.
 *
 * ```
 *  file header, 24 bytes                         record header, 16 bytes, then the packet
 * +---------------------------------------+     +---------------------------------------+
 * | magic: also tells the byte order      |  0  | seconds                               |  0
 * +-------------------+-------------------+     +---------------------------------------+
 * | major version 2   | minor version 4   |  4  | microseconds or nanoseconds           |  4
 * +-------------------+-------------------+     +---------------------------------------+
 * | reserved (8 bytes)                    |  8  | captured length                       |  8
 * +---------------------------------------+     +---------------------------------------+
 * | snap length                           | 16  | original length                       | 12
 * +---------------------------------------+     +---------------------------------------+
 * | link type (low 16 bits)               | 20
 * +---------------------------------------+
 * ```
 */

import {
  CAPTURE_MAX_RECORD_BYTES,
  CAPTURE_SNAP_LENGTH,
  CAPTURE_STARVED,
  type CaptureFormat,
  type CaptureInterface,
  type CaptureStep,
} from './capture.js';

export const PCAP_HEADER_BYTES = 24;
export const PCAP_RECORD_HEADER_BYTES = 16;

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
const NS_PER_US = 1_000;

/** Writes the header of a file with nanoseconds, big-endian. Returns 24. */
export function writePcapHeader(view: DataView, at: number, linkType: number): number {
  view.setUint32(at, MAGIC_NANOSECONDS);
  view.setUint16(at + 4, VERSION_MAJOR);
  view.setUint16(at + 6, VERSION_MINOR);
  view.setUint32(at + 8, 0);
  view.setUint32(at + 12, 0);
  view.setUint32(at + 16, CAPTURE_SNAP_LENGTH);
  view.setUint32(at + 20, linkType);
  return PCAP_HEADER_BYTES;
}

/** Writes the header of a record; `capturedBytes` of the packet follow. Returns 16. */
export function writePcapRecordHeader(
  view: DataView,
  at: number,
  seconds: number,
  nanoseconds: number,
  capturedBytes: number,
  originalBytes: number,
): number {
  view.setUint32(at, seconds);
  view.setUint32(at + 4, nanoseconds);
  view.setUint32(at + 8, capturedBytes);
  view.setUint32(at + 12, originalBytes);
  return PCAP_RECORD_HEADER_BYTES;
}

/** True if a pcap file starts with these four bytes. */
export function isPcapMagic(view: DataView, at: number): boolean {
  return unitNs(view.getUint32(at)) !== 0 || unitNs(view.getUint32(at, true)) !== 0;
}

/** Nanoseconds per unit of a time stamp's second word; 0 for another magic. */
function unitNs(magic: number): number {
  if (magic === MAGIC_NANOSECONDS) return 1;
  return magic === MAGIC_MICROSECONDS ? NS_PER_US : 0;
}

/** Reads pcap files of both byte orders and both resolutions. */
export class PcapFormat implements CaptureFormat {
  readonly interfaces: CaptureInterface[] = [];
  #littleEndian = false;
  #unitNs = 1;

  step(view: DataView, at: number, end: number): CaptureStep {
    const file = this.interfaces[0];
    return file === undefined ? this.#header(view, at, end) : this.#record(view, at, end, file);
  }

  #header(view: DataView, at: number, end: number): CaptureStep {
    if (end - at < PCAP_HEADER_BYTES) return CAPTURE_STARVED;
    this.#littleEndian = unitNs(view.getUint32(at)) === 0;
    const order = this.#littleEndian;
    this.#unitNs = unitNs(view.getUint32(at, order));
    const major = view.getUint16(at + 4, order);
    if (major !== VERSION_MAJOR) return { bytes: 0, problem: `pcap version ${major} is not known` };
    this.interfaces.push({
      linkType: view.getUint32(at + 20, order) & 0xffff,
      snapLength: view.getUint32(at + 16, order),
      name: '',
    });
    return { bytes: PCAP_HEADER_BYTES };
  }

  #record(view: DataView, at: number, end: number, file: CaptureInterface): CaptureStep {
    if (end - at < PCAP_RECORD_HEADER_BYTES) return CAPTURE_STARVED;
    const order = this.#littleEndian;
    const capturedBytes = view.getUint32(at + 8, order);
    if (capturedBytes > CAPTURE_MAX_RECORD_BYTES) return { bytes: 0, problem: `record of ${capturedBytes} bytes` };
    const bytes = PCAP_RECORD_HEADER_BYTES + capturedBytes;
    if (end - at < bytes) return CAPTURE_STARVED;
    const nanoseconds = view.getUint32(at + 4, order) * this.#unitNs;
    if (nanoseconds >= 1e9) return { bytes: 0, problem: 'time stamp with more than a second of fractions' };
    const packet = {
      interface: file,
      seconds: view.getUint32(at, order),
      nanoseconds,
      originalBytes: view.getUint32(at + 12, order),
      bytes: new Uint8Array(view.buffer, view.byteOffset + at + PCAP_RECORD_HEADER_BYTES, capturedBytes),
      comment: '',
    };
    return { bytes, packet };
  }
}
