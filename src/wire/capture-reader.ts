/**
 * Reads pcap and pcapng files piece by piece; the first bytes tell which one it is.
 *
 * ```ts
 * const reader = new CaptureReader();
 * for (const piece of pieces) {
 *   reader.push(piece);
 *   for (let packet = reader.next(); packet !== undefined; packet = reader.next()) …
 * }
 * const problem = reader.end();
 * ```
 */

import type { CapturedPacket, CaptureFormat, CaptureInterface, CaptureProblem } from './capture.js';
import { isPcapMagic, PcapFormat } from './pcap.js';
import { isPcapngMagic, PcapngFormat } from './pcapng-format.js';

const MAGIC_BYTES = 4;

export class CaptureReader {
  #format: CaptureFormat | undefined;
  #problem: CaptureProblem | undefined;
  #buffer = new Uint8Array(0);
  #view = new DataView(this.#buffer.buffer);
  /** Next byte of the buffer to read. */
  #at = 0;
  /** Offset in the file of the buffer's first byte. */
  #bufferOffset = 0;

  /** All that the file has described so far. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#format?.interfaces ?? [];
  }

  /** Adds the next bytes of the file. Packets that {@link next} gave before are no longer good. */
  push(bytes: Uint8Array): void {
    const left = this.#buffer.length - this.#at;
    const buffer = new Uint8Array(left + bytes.length);
    buffer.set(this.#buffer.subarray(this.#at));
    buffer.set(bytes, left);
    this.#bufferOffset += this.#at;
    this.#at = 0;
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }

  /** The next packet; undefined if more bytes are needed or the file is damaged: {@link end} tells which. */
  next(): CapturedPacket | undefined {
    while (this.#problem === undefined) {
      this.#format ??= this.#detect();
      const step = this.#format?.step(this.#view, this.#at, this.#buffer.length);
      if (step?.problem !== undefined) this.#fail(step.problem);
      if (step === undefined || step.bytes === 0) return undefined;
      this.#at += step.bytes;
      if (step.packet !== undefined) return step.packet;
    }
    return undefined;
  }

  /** After the last byte of the file: what is wrong with it, a record that stops in the middle included. */
  end(): CaptureProblem | undefined {
    if (this.#problem === undefined && this.#at < this.#buffer.length) this.#fail('the file ends in the middle');
    if (this.#problem === undefined && this.#format === undefined) this.#fail('the file is empty');
    return this.#problem;
  }

  #detect(): CaptureFormat | undefined {
    if (this.#buffer.length - this.#at < MAGIC_BYTES) return undefined;
    if (isPcapngMagic(this.#view, this.#at)) return new PcapngFormat();
    if (isPcapMagic(this.#view, this.#at)) return new PcapFormat();
    this.#fail('neither a pcap nor a pcapng file');
    return undefined;
  }

  #fail(message: string): void {
    this.#problem = { offset: this.#bufferOffset + this.#at, message };
  }
}

/** Reads a file that lies in memory as a whole. What comes before a problem is given all the same. */
export function parseCapture(bytes: Uint8Array): { packets: CapturedPacket[]; problem: CaptureProblem | undefined } {
  const reader = new CaptureReader();
  reader.push(bytes);
  const packets: CapturedPacket[] = [];
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
  return { packets, problem: reader.end() };
}
