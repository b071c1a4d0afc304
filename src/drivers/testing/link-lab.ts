/** What tests of devices and link nodes need: a small arena, a pool, interfaces and a clock that stands still. */
import type { Clock } from '../../base/time.js';
import { type Kernels, makeKernels } from '../../kernels/kernels.js';
import { Arena } from '../../mem/arena.js';
import { PacketFlag, PacketPool } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { writeEthernet } from '../../wire/ethernet.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { writeIpv4 } from '../../wire/ipv4.js';
import { writeTcp } from '../../wire/tcp.js';
import { linearize, makePacket } from '../copy-packet.js';
import type { Device } from '../device.js';
import { InterfaceTable } from '../interface-table.js';
import { RingStore } from '../ring-store.js';

export interface LinkLab {
  readonly arena: Arena;
  readonly pool: PacketPool;
  readonly kernels: Kernels;
  readonly clock: Clock;
  readonly interfaces: InterfaceTable;
  readonly rings: RingStore;
}

export function makeLinkLab(slots = 1024): LinkLab {
  const arena = new Arena(slots * 2500 + (4 << 20));
  const pool = new PacketPool(arena, { slots });
  const clock = { nowNs: 0 };
  const kernels = makeKernels(arena.memory);
  return { arena, pool, kernels, clock, interfaces: new InterfaceTable(64), rings: new RingStore(arena) };
}

/** Takes a packet of these bytes; fails when the pool is out of slots. */
export function packetOf(pool: PacketPool, bytes: Uint8Array): number {
  const slot = makePacket(pool, bytes);
  if (slot === NO_SLOT) throw new Error('the pool is out of slots');
  return slot;
}

/** A packet's bytes in one piece. */
export function bytesOf(pool: PacketPool, slot: number): Uint8Array {
  const bytes = new Uint8Array(pool.totalLength[slot]!);
  linearize(pool, slot, bytes, 0);
  return bytes;
}

/** Transmits packets; gives back what the device did not take. Returns how many it took. */
export function send(pool: PacketPool, device: Device, ...slots: number[]): number {
  const batch = Int32Array.from(slots);
  const taken = device.transmit(batch, 0, batch.length);
  pool.giveMany(batch, batch.length - taken, taken);
  return taken;
}

/** Receives up to `max` packets. */
export function receive(device: Device, max = 256): number[] {
  const slots = new Int32Array(max);
  return [...slots.subarray(0, device.receive(slots, 0, max))];
}

/** Receives up to `max` packets as bytes and gives them back. */
export function receiveBytes(pool: PacketPool, device: Device, max = 256): Uint8Array[] {
  return receive(device, max).map((slot) => {
    const bytes = bytesOf(pool, slot);
    pool.give(slot);
    return bytes;
  });
}

/** A device that keeps what it is told to transmit and gives out what is put into it. */
export class RecordingDevice implements Device {
  readonly kind: string = 'recording';
  readonly linkType: 'ethernet' | 'ip';
  capabilities: { gso: boolean; checksum: boolean };
  onPending: () => void = () => {};
  /** Packets that it was told to transmit, with their columns as they were. */
  readonly sent: { bytes: Uint8Array; flags: number }[] = [];
  /** Count of packets of each call of transmit. */
  readonly runs: number[] = [];
  txSpace = 1_000_000;
  readonly #pool: PacketPool;
  readonly #incoming: number[] = [];

  constructor(pool: PacketPool, linkType: 'ethernet' | 'ip' = 'ethernet', offload = false) {
    this.#pool = pool;
    this.linkType = linkType;
    this.capabilities = { gso: offload, checksum: offload };
  }

  bring(...packets: Uint8Array[]): void {
    for (const bytes of packets) this.#incoming.push(packetOf(this.#pool, bytes));
    this.onPending();
  }

  receive(into: Int32Array, at: number, max: number): number {
    const slots = this.#incoming.splice(0, max);
    into.set(slots, at);
    return slots.length;
  }

  transmit(slots: Int32Array, at: number, count: number): number {
    const taken = Math.min(count, this.txSpace);
    this.runs.push(count);
    for (const slot of slots.subarray(at, at + taken)) {
      this.sent.push({ bytes: bytesOf(this.#pool, slot), flags: this.#pool.flags[slot]! });
      this.#pool.give(slot);
    }
    return taken;
  }

  close(): void {
    for (const slot of this.#incoming.splice(0)) this.#pool.give(slot);
  }
}

export interface TcpFrameOptions {
  readonly payload: Uint8Array;
  readonly flags: number;
  readonly sequence?: number;
  /** Bytes of TCP options, a multiple of 4; filled with no-operations. */
  readonly optionBytes?: number;
  readonly withEthernet?: boolean;
}

export const SOURCE_ADDRESS = 0x0a000001;
export const DESTINATION_ADDRESS = 0x0a000002;

/** An IPv4 TCP segment whose checksum is not computed, behind an Ethernet header unless told otherwise. */
export function tcpFrame(options: TcpFrameOptions): { bytes: Uint8Array; network: number; transport: number } {
  const { payload, flags, sequence = 1, optionBytes = 0, withEthernet = true } = options;
  const network = withEthernet ? 14 : 0;
  const transport = network + 20;
  const headerBytes = 20 + optionBytes;
  const bytes = new Uint8Array(transport + headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  if (withEthernet) writeEthernet(view, 0, 0x0200, 2, 0x0200, 1, 0x0800);
  const total = Math.min(0xffff, bytes.length - network);
  writeIpv4(view, network, 0, total, 100, 0x4000, 64, IpProtocol.tcp, SOURCE_ADDRESS, DESTINATION_ADDRESS);
  writeTcp(view, transport, 40000, 80, sequence, 77, headerBytes, flags, 5000);
  bytes.fill(1, transport + 20, transport + headerBytes);
  bytes.set(payload, transport + headerBytes);
  return { bytes, network, transport };
}

/** Takes a packet of a segment as a transport makes it: columns set, checksum left to be computed. */
export function tcpPacket(pool: PacketPool, options: TcpFrameOptions): number {
  const { bytes, network, transport } = tcpFrame(options);
  const slot = packetOf(pool, bytes);
  pool.network[slot] = pool.head[slot]! + network;
  pool.transport[slot] = pool.head[slot]! + transport;
  pool.flags[slot] = PacketFlag.checksumPartial;
  return slot;
}

/** Bytes that differ from place to place. */
export function pattern(count: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}
