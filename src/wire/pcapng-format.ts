/**
 * The pcapng file format: reading. Read draft-ietf-opsawg-pcapng first; pcapng.ts has the pictures.
 *
 * Blocks of unknown types are skipped. Each section has a byte order and interfaces of its own.
 */

import {
  CAPTURE_MAX_RECORD_BYTES,
  CAPTURE_STARVED,
  type CaptureFormat,
  type CaptureInterface,
  type CaptureStep,
} from './capture.js';
import { PCAPNG_BYTE_ORDER_MAGIC, PCAPNG_MIN_BLOCK_BYTES, PcapngBlock, PcapngOption } from './pcapng.js';
import { readUtf8 } from './utf8.js';

const VERSION_MAJOR = 1;
/** Section header: up to the section length. */
const MIN_SECTION_BYTES = 28;
const MIN_INTERFACE_BYTES = 20;
const MIN_PACKET_BYTES = 32;
const MIN_SIMPLE_PACKET_BYTES = 16;
/** Bounds the memory that a file can make a reader take. */
const MAX_INTERFACES = 65_536;

const DEFAULT_RESOLUTION = 6;
const NS_PER_S = 1_000_000_000n;

interface PcapngInterface extends CaptureInterface {
  /** Units of time per second. */
  readonly unitsPerSecond: bigint;
  /** Seconds to add to every time. */
  readonly offsetSeconds: bigint;
}

/** True if a pcapng file starts with these four bytes: they read the same in both byte orders. */
export function isPcapngMagic(view: DataView, at: number): boolean {
  return view.getUint32(at) === PcapngBlock.sectionHeader;
}

/** Reads pcapng files of both byte orders. */
export class PcapngFormat implements CaptureFormat {
  /** Of all sections so far. */
  readonly interfaces: PcapngInterface[] = [];
  /** Index of the current section's first interface. */
  #sectionStart = 0;
  #littleEndian = false;

  step(view: DataView, at: number, end: number): CaptureStep {
    if (end - at < PCAPNG_MIN_BLOCK_BYTES) return CAPTURE_STARVED;
    const isSection = isPcapngMagic(view, at);
    if (isSection) {
      this.#littleEndian = view.getUint32(at + 8) !== PCAPNG_BYTE_ORDER_MAGIC;
      if (view.getUint32(at + 8, this.#littleEndian) !== PCAPNG_BYTE_ORDER_MAGIC)
        return problem('bad byte-order magic');
    }
    const bytes = view.getUint32(at + 4, this.#littleEndian);
    if (bytes < PCAPNG_MIN_BLOCK_BYTES || bytes > CAPTURE_MAX_RECORD_BYTES || (bytes & 3) !== 0) {
      return problem(`block of ${bytes} bytes`);
    }
    if (end - at < bytes) return CAPTURE_STARVED;
    if (view.getUint32(at + bytes - 4, this.#littleEndian) !== bytes)
      return problem('the two lengths of the block differ');
    return this.#block(view, at, bytes);
  }

  #block(view: DataView, at: number, bytes: number): CaptureStep {
    switch (view.getUint32(at, this.#littleEndian)) {
      case PcapngBlock.sectionHeader:
        return this.#section(view, at, bytes);
      case PcapngBlock.interface:
        return this.#interface(view, at, bytes);
      case PcapngBlock.enhancedPacket:
        return this.#packet(view, at, bytes, view.getUint32(at + 8, this.#littleEndian));
      case PcapngBlock.obsoletePacket:
        return this.#packet(view, at, bytes, view.getUint16(at + 8, this.#littleEndian));
      case PcapngBlock.simplePacket:
        return this.#simplePacket(view, at, bytes);
      default:
        return { bytes };
    }
  }

  #section(view: DataView, at: number, bytes: number): CaptureStep {
    if (bytes < MIN_SECTION_BYTES) return problem('short section header');
    const major = view.getUint16(at + 12, this.#littleEndian);
    if (major !== VERSION_MAJOR) return problem(`pcapng version ${major} is not known`);
    this.#sectionStart = this.interfaces.length;
    return { bytes };
  }

  /** Section 4.2 of the draft. */
  #interface(view: DataView, at: number, bytes: number): CaptureStep {
    if (bytes < MIN_INTERFACE_BYTES) return problem('short interface description');
    if (this.interfaces.length === MAX_INTERFACES) return problem(`more than ${MAX_INTERFACES} interfaces`);
    const order = this.#littleEndian;
    let name = '';
    let resolution = DEFAULT_RESOLUTION;
    let offsetSeconds = 0n;
    eachOption(view, at + 16, at + bytes - 4, order, (code, valueAt, length) => {
      if (code === PcapngOption.interfaceName) name = readUtf8(view, valueAt, length);
      else if (code === PcapngOption.resolution && length === 1) resolution = view.getUint8(valueAt);
      else if (code === PcapngOption.timeOffset && length === 8) offsetSeconds = view.getBigInt64(valueAt, order);
    });
    this.interfaces.push({
      linkType: view.getUint16(at + 8, order),
      snapLength: view.getUint32(at + 12, order),
      name,
      // The top bit tells negative powers of 2 from negative powers of 10.
      unitsPerSecond: (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f),
      offsetSeconds,
    });
    return { bytes };
  }

  /**
   * Section 4.3 of the draft, and appendix A for the obsolete block, which differs in the size of the interface's
   * index.
   */
  #packet(view: DataView, at: number, bytes: number, index: number): CaptureStep {
    if (bytes < MIN_PACKET_BYTES) return problem('short packet block');
    const order = this.#littleEndian;
    const source = this.interfaces[this.#sectionStart + index];
    if (source === undefined) return problem(`interface ${index} is not described`);
    const capturedBytes = view.getUint32(at + 20, order);
    const blockEnd = at + bytes - 4;
    const optionsAt = at + 28 + Math.ceil(capturedBytes / 4) * 4;
    if (optionsAt > blockEnd) return problem('the packet is longer than its block');
    const units = (BigInt(view.getUint32(at + 12, order)) << 32n) | BigInt(view.getUint32(at + 16, order));
    const comments: string[] = [];
    eachOption(view, optionsAt, blockEnd, order, (code, valueAt, length) => {
      if (code === PcapngOption.comment) comments.push(readUtf8(view, valueAt, length));
    });
    const packet = {
      interface: source,
      seconds: Number(units / source.unitsPerSecond + source.offsetSeconds),
      nanoseconds: Number(((units % source.unitsPerSecond) * NS_PER_S) / source.unitsPerSecond),
      originalBytes: view.getUint32(at + 24, order),
      bytes: new Uint8Array(view.buffer, view.byteOffset + at + 28, capturedBytes),
      comment: comments.join('\n'),
    };
    return { bytes, packet };
  }

  /** Section 4.4 of the draft: no time, no captured length, always the first interface. */
  #simplePacket(view: DataView, at: number, bytes: number): CaptureStep {
    const source = this.interfaces[this.#sectionStart];
    if (bytes < MIN_SIMPLE_PACKET_BYTES) return problem('short packet block');
    if (source === undefined) return problem('interface 0 is not described');
    const originalBytes = view.getUint32(at + 8, this.#littleEndian);
    const snapLength = source.snapLength || originalBytes;
    const capturedBytes = Math.min(originalBytes, snapLength, bytes - MIN_SIMPLE_PACKET_BYTES);
    const data = new Uint8Array(view.buffer, view.byteOffset + at + 12, capturedBytes);
    return {
      bytes,
      packet: { interface: source, seconds: 0, nanoseconds: 0, originalBytes, bytes: data, comment: '' },
    };
  }
}

function problem(message: string): CaptureStep {
  return { bytes: 0, problem: message };
}

/** Calls back for each option until the end mark or the first one that does not fit. Section 3.5 of the draft. */
function eachOption(
  view: DataView,
  from: number,
  end: number,
  littleEndian: boolean,
  take: (code: number, valueAt: number, length: number) => void,
): void {
  for (let at = from; at + 4 <= end; ) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === PcapngOption.end || at + 4 + length > end) return;
    take(code, at + 4, length);
    at += 4 + ((length + 3) & ~3);
  }
}
