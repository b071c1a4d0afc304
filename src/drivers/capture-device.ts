/**
 * Capture files as a link: packets of a pcap or pcapng file come in, either at their recorded distances in time or as
 * fast as they are taken; packets that go out are written to another file.
 */
import { UsernetError } from '../base/errors.js';
import { type Clock, NS_PER_S, type TimerSource } from '../base/time.js';
import type { PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { type CapturedPacket, LinkType as CaptureLinkType, type CaptureProblem } from '../wire/capture.js';
import { CaptureReader } from '../wire/capture-reader.js';
import type { CaptureWriter } from './capture-writer.js';
import { makePacket } from './copy-packet.js';
import type { Device, DeviceCapabilities, LinkType } from './device.js';

const TX_SPACE = 1024;

export interface CaptureDeviceOptions {
  /** Link type of both files. Packets of the file with another one are skipped. */
  readonly linkType: LinkType;
  /** The whole file that comes in; without it nothing does. */
  readonly replay?: Uint8Array;
  /** 'recorded': packets come in at their distances in time, the first at once. 'fast' (default): without waiting. */
  readonly pace?: 'recorded' | 'fast';
  /** Where packets go that are transmitted; without it they are thrown away. */
  readonly writer?: CaptureWriter;
  /** What the interface is called in the file that is written. */
  readonly name?: string;
}

/** What has happened so far, in packets. */
export interface CaptureCounters {
  replayed: number;
  written: number;
  /** Transmitted packets for which there was no file. */
  discarded: number;
  /** Packets of the file that were cut short, empty, or of another link type. */
  skipped: number;
}

export class CaptureDevice implements Device, TimerSource {
  readonly kind = 'pcap';
  readonly linkType: LinkType;
  /** Packets are written as a wire carries them; the writer computes checksums in its copy. */
  readonly capabilities: DeviceCapabilities = { gso: false, checksum: true };
  readonly txSpace = TX_SPACE;
  onPending: () => void = () => {};
  readonly counters: CaptureCounters = { replayed: 0, written: 0, discarded: 0, skipped: 0 };
  readonly #pool: PacketPool;
  readonly #clock: Clock;
  readonly #reader = new CaptureReader();
  readonly #isPaced: boolean;
  readonly #writer: CaptureWriter | undefined;
  readonly #captureInterface: number;
  /** First packet that has not come in yet. */
  #waiting: CapturedPacket | undefined;
  #waitingDueNs = Infinity;
  /** The first packet's time in the file. */
  #firstSeconds = 0;
  #firstNanoseconds = 0;
  #startNs = 0;

  /** Throws USERNET_CAPTURE when the file to replay is no capture file. */
  constructor(pool: PacketPool, clock: Clock, options: CaptureDeviceOptions) {
    this.linkType = options.linkType;
    this.#pool = pool;
    this.#clock = clock;
    this.#isPaced = options.pace === 'recorded';
    this.#writer = options.writer;
    this.#captureInterface = options.writer?.addInterface(options.name ?? 'pcap', options.linkType) ?? 0;
    if (options.replay !== undefined) this.#open(options.replay);
  }

  /** True when all packets of the file have come in. */
  get isReplayed(): boolean {
    return this.#waiting === undefined;
  }

  /** What is wrong with the file that was replayed; to be asked when all its packets have come in. */
  get problem(): CaptureProblem | undefined {
    return this.#reader.end();
  }

  receive(into: Int32Array, at: number, max: number): number {
    let count = 0;
    while (count < max && this.#waiting !== undefined && this.#waitingDueNs <= this.#clock.nowNs) {
      const slot = makePacket(this.#pool, this.#waiting.bytes);
      if (slot === NO_SLOT) {
        this.onPending();
        break;
      }
      into[at + count++] = slot;
      this.#readNext();
    }
    this.counters.replayed += count;
    return count;
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    for (let i = at; i < at + count; i++) {
      this.#writer?.write(this.#captureInterface, slots[i]!);
      this.#pool.give(slots[i]!);
    }
    if (this.#writer === undefined) this.counters.discarded += count;
    else this.counters.written += count;
    return count;
  }

  get timers(): TimerSource {
    return this;
  }

  nextDeadlineNs(): number {
    return this.#isPaced ? this.#waitingDueNs : Infinity;
  }

  advance(nowNs: number): void {
    if (this.#waitingDueNs <= nowNs) this.onPending();
  }

  close(): void {
    this.#waiting = undefined;
    this.#waitingDueNs = Infinity;
  }

  #open(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    this.#startNs = this.#clock.nowNs;
    this.#readNext();
    const problem = this.#reader.interfaces.length === 0 ? this.#reader.end() : undefined;
    if (problem !== undefined) throw new UsernetError('USERNET_CAPTURE', problem.message);
    this.#firstSeconds = this.#waiting?.seconds ?? 0;
    this.#firstNanoseconds = this.#waiting?.nanoseconds ?? 0;
    if (this.#waiting !== undefined) this.#waitingDueNs = this.#startNs;
  }

  #readNext(): void {
    let packet = this.#reader.next();
    while (packet !== undefined && !this.#isUsable(packet)) {
      this.counters.skipped++;
      packet = this.#reader.next();
    }
    this.#waiting = packet;
    this.#waitingDueNs = Infinity;
    if (packet === undefined) return;
    const seconds = packet.seconds - this.#firstSeconds;
    const distanceNs = seconds * NS_PER_S + (packet.nanoseconds - this.#firstNanoseconds);
    this.#waitingDueNs = this.#isPaced ? this.#startNs + distanceNs : 0;
  }

  #isUsable(packet: CapturedPacket): boolean {
    if (packet.bytes.length === 0 || packet.bytes.length < packet.originalBytes) return false;
    const { linkType } = packet.interface;
    if (this.linkType === 'ethernet') return linkType === CaptureLinkType.ethernet;
    return linkType === CaptureLinkType.raw || linkType === CaptureLinkType.ipv4 || linkType === CaptureLinkType.ipv6;
  }
}
