/** Packets for tests, as bytes. */

import { ArpOperation, writeArp } from '../../wire/arp.js';
import { writeEthernet } from '../../wire/ethernet.js';
import { ICMPV4_HEADER_BYTES, Icmpv4Type, writeIcmpv4Echo } from '../../wire/icmpv4.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { updateIpv4Checksum, writeIpv4 } from '../../wire/ipv4.js';
import { UDP_HEADER_BYTES, updateUdpChecksumIpv4, writeUdp } from '../../wire/udp.js';
import { ip } from './l3-lab.js';

export interface Ipv4PacketOptions {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: number;
  readonly ttl?: number;
  readonly identification?: number;
  /** Flags and offset as they stand in the header. */
  readonly fragmentField?: number;
  readonly trafficClass?: number;
  /** A multiple of 4 bytes. */
  readonly options?: readonly number[];
  readonly payload?: Uint8Array;
}

/** An IPv4 packet with a right header checksum. */
export function ipv4Packet(options: Ipv4PacketOptions): Uint8Array {
  const payload = options.payload ?? new Uint8Array(8);
  const extra = options.options ?? [];
  const headerBytes = 20 + extra.length;
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  writeIpv4(
    view,
    0,
    options.trafficClass ?? 0,
    bytes.length,
    options.identification ?? 0,
    options.fragmentField ?? 0,
    options.ttl ?? 64,
    options.protocol ?? 253,
    ip(options.source),
    ip(options.destination),
  );
  bytes[0] = 0x40 | (headerBytes >>> 2);
  bytes.set(extra, 20);
  bytes.set(payload, headerBytes);
  updateIpv4Checksum(view, 0);
  return bytes;
}

/** A UDP datagram in an IPv4 packet, checksums right. */
export function udpPacket(options: Ipv4PacketOptions, sourcePort = 4000, destinationPort = 5000): Uint8Array {
  const payload = options.payload ?? new Uint8Array(8);
  const datagram = new Uint8Array(UDP_HEADER_BYTES + payload.length);
  const view = new DataView(datagram.buffer);
  writeUdp(view, 0, sourcePort, destinationPort, datagram.length);
  datagram.set(payload, UDP_HEADER_BYTES);
  updateUdpChecksumIpv4(view, 0, datagram.length, ip(options.source), ip(options.destination));
  return ipv4Packet({ ...options, protocol: IpProtocol.udp, payload: datagram });
}

/** An echo request in an IPv4 packet. */
export function echoPacket(options: Ipv4PacketOptions, identifier = 9, sequence = 1): Uint8Array {
  const data = options.payload ?? new Uint8Array(8);
  const message = new Uint8Array(ICMPV4_HEADER_BYTES + data.length);
  message.set(data, ICMPV4_HEADER_BYTES);
  writeIcmpv4Echo(new DataView(message.buffer), 0, Icmpv4Type.echoRequest, identifier, sequence, message.length);
  return ipv4Packet({ ...options, protocol: IpProtocol.icmp, payload: message });
}

/** A frame from the station 02:00:00:00:99:`station`, to the interface with the lab's n-th MAC address unless told otherwise. */
export function frame(payload: Uint8Array, toMac: number, type = 0x0800, station = 1, toHi = 0x0200): Uint8Array {
  const bytes = new Uint8Array(Math.max(60, 14 + payload.length));
  writeEthernet(new DataView(bytes.buffer), 0, toHi, toMac, 0x0200, stationMac(station), type);
  bytes.set(payload, 14);
  return bytes;
}

/** Low 32 bits of a station's MAC address. */
export function stationMac(station: number): number {
  return 0x9900 + station;
}

export interface ArpOptions {
  readonly operation?: number;
  readonly sender: string;
  readonly target: string;
  readonly station?: number;
  readonly toMac?: number;
}

/** An ARP frame from a station; to everybody unless told otherwise. */
export function arpFrame(options: ArpOptions): Uint8Array {
  const { operation = ArpOperation.request, sender, target, station = 1 } = options;
  const message = new Uint8Array(28);
  writeArp(new DataView(message.buffer), 0, operation, 0x0200, stationMac(station), ip(sender), 0, 0, ip(target));
  if (options.toMac !== undefined) return frame(message, options.toMac, 0x0806, station);
  return frame(message, 0xffffffff, 0x0806, station, 0xffff);
}
