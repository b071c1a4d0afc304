/** Writes packets as a pcapng file, as they would be on the wire: in one piece and with their checksums computed. */
import { type Clock, NS_PER_MS } from '../base/time.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { LinkType as CaptureLinkType } from '../wire/capture.js';
import { checksumAdd, checksumFinish } from '../wire/checksum.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { ipv4Destination, ipv4Protocol, ipv4Source } from '../wire/ipv4.js';
import {
  PCAPNG_PACKET_OFFSET,
  pcapngPacketBytes,
  writePcapngInterface,
  writePcapngPacket,
  writePcapngSectionHeader,
} from '../wire/pcapng.js';
import { updateTcpChecksumIpv4 } from '../wire/tcp.js';
import { updateUdpChecksumIpv4 } from '../wire/udp.js';
import { linearize } from './copy-packet.js';
import type { LinkType } from './device.js';

const APPLICATION = 'usernet';
/** More than the fixed parts of a section header or an interface block. */
const BLOCK_OVERHEAD_BYTES = 64;
const MAX_UTF8_BYTES = 3;

export interface CaptureWriterOptions {
  readonly pool: PacketPool;
  readonly clock: Clock;
  /** Takes the next bytes of the file; they are its own. */
  readonly sink: (bytes: Uint8Array) => void;
  /** Unix time in milliseconds at which the clock stood at 0. Default: 0, for virtual time. */
  readonly epochMs?: number;
}

export class CaptureWriter {
  readonly #pool: PacketPool;
  readonly #clock: Clock;
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #epochMs: number;
  #interfaces = 0;

  constructor(options: CaptureWriterOptions) {
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#sink = options.sink;
    this.#epochMs = Math.floor(options.epochMs ?? 0);
    this.#writeBlock(APPLICATION, (view) => writePcapngSectionHeader(view, 0, APPLICATION));
  }

  /** Describes an interface of which packets will be written; returns its number in the file. */
  addInterface(name: string, linkType: LinkType): number {
    const type = linkType === 'ethernet' ? CaptureLinkType.ethernet : CaptureLinkType.raw;
    this.#writeBlock(name, (view) => writePcapngInterface(view, 0, type, name));
    return this.#interfaces++;
  }

  /** Writes a packet of interface number `captureInterface`, which stays the caller's and is not changed. */
  write(captureInterface: number, slot: number): void {
    const pool = this.#pool;
    const length = pool.totalLength[slot]!;
    const bytes = new Uint8Array(pcapngPacketBytes(length));
    const view = new DataView(bytes.buffer);
    linearize(pool, slot, bytes, PCAPNG_PACKET_OFFSET);
    if ((pool.flags[slot]! & PacketFlag.checksumPartial) !== 0) {
      const toCopy = PCAPNG_PACKET_OFFSET - pool.head[slot]!;
      const end = PCAPNG_PACKET_OFFSET + length;
      fillChecksum(view, pool.network[slot]! + toCopy, pool.transport[slot]! + toCopy, end);
    }
    const nowNs = this.#clock.nowNs;
    const ms = this.#epochMs + Math.floor(nowNs / NS_PER_MS);
    const nanoseconds = (ms % 1000) * NS_PER_MS + Math.floor(nowNs % NS_PER_MS);
    writePcapngPacket(view, 0, captureInterface, Math.floor(ms / 1000), nanoseconds, length, length);
    this.#sink(bytes);
  }

  #writeBlock(text: string, write: (view: DataView) => number): void {
    const bytes = new Uint8Array(BLOCK_OVERHEAD_BYTES + text.length * MAX_UTF8_BYTES);
    const used = write(new DataView(bytes.buffer));
    this.#sink(bytes.subarray(0, used));
  }
}

/** Computes the transport checksum of an IPv4 packet that lies in one piece and ends before `end`. */
function fillChecksum(view: DataView, network: number, transport: number, end: number): void {
  const protocol = ipv4Protocol(view, network);
  const source = ipv4Source(view, network);
  const destination = ipv4Destination(view, network);
  if (protocol === IpProtocol.tcp) updateTcpChecksumIpv4(view, transport, end - transport, source, destination);
  if (protocol === IpProtocol.udp) updateUdpChecksumIpv4(view, transport, end - transport, source, destination);
  if (protocol === IpProtocol.icmp) {
    view.setUint16(transport + 2, 0);
    view.setUint16(transport + 2, checksumFinish(checksumAdd(view, transport, end - transport, 0)));
  }
}
