/**
 * The UDP header. Read RFC 768 first, then RFC 1122 section 4.1.
 *
 * ```
 *  0                   2                   4
 * +-------------------+-------------------+
 * |    source port    | destination port  |  0
 * +-------------------+-------------------+
 * |      length       |     checksum      |  4   length counts the header; checksum 0 = none (IPv4 only)
 * +-------------------+-------------------+
 * ```
 */

import { checksumAdd, checksumFinish, isChecksumSumValid, pseudoHeaderSumIpv4 } from './checksum.js';
import { IpProtocol } from './ip-protocol.js';

export const UDP_HEADER_BYTES = 8;

/** `badChecksum` is what a caller counts when {@link isUdpChecksumValidIpv4} says no. */
export const UdpCheck = { ok: 0, short: 1, badLength: 2, badChecksum: 3 } as const;
export const UDP_CHECK_NAMES = ['ok', 'short', 'bad length', 'bad checksum'] as const;

/** Validates a datagram; `length` is the payload of the IP packet, which may be longer than the datagram. */
export function checkUdp(view: DataView, at: number, length: number): number {
  if (length < UDP_HEADER_BYTES) return UdpCheck.short;
  const datagramBytes = view.getUint16(at + 4);
  return datagramBytes < UDP_HEADER_BYTES || datagramBytes > length ? UdpCheck.badLength : UdpCheck.ok;
}

export function udpSourcePort(view: DataView, at: number): number {
  return view.getUint16(at);
}

export function udpDestinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

/** Header and payload, in bytes. */
export function udpLength(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}

export function udpChecksum(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

export function setUdpLength(view: DataView, at: number, bytes: number): void {
  view.setUint16(at + 4, bytes);
}

export function setUdpChecksum(view: DataView, at: number, checksum: number): void {
  view.setUint16(at + 6, checksum);
}

/**
 * The checksum field for a partial sum over pseudo header and datagram: 0 means "none", so 0xffff stands for it. RFC
 * 768.
 */
export function udpChecksumFinish(sum: number): number {
  return checksumFinish(sum) || 0xffff;
}

/** True if the datagram of `length` bytes has no checksum or a right one. RFC 1122 section 4.1.3.4. */
export function isUdpChecksumValidIpv4(
  view: DataView,
  at: number,
  length: number,
  source: number,
  destination: number,
): boolean {
  if (udpChecksum(view, at) === 0) return true;
  return isChecksumSumValid(
    checksumAdd(view, at, length, pseudoHeaderSumIpv4(source, destination, IpProtocol.udp, length)),
  );
}

/** Computes and writes the checksum of a datagram of `length` bytes that lies in one piece. */
export function updateUdpChecksumIpv4(
  view: DataView,
  at: number,
  length: number,
  source: number,
  destination: number,
): void {
  view.setUint16(at + 6, 0);
  const sum = checksumAdd(view, at, length, pseudoHeaderSumIpv4(source, destination, IpProtocol.udp, length));
  view.setUint16(at + 6, udpChecksumFinish(sum));
}

/** Writes the 8 bytes of the header with checksum 0. `length` counts header and payload. */
export function writeUdp(
  view: DataView,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
): void {
  view.setUint32(at, (sourcePort << 16) | destinationPort);
  view.setUint32(at + 4, length << 16);
}

/** `UDP 5353 > 53 length 40`. */
export function formatUdp(view: DataView, at: number): string {
  return `UDP ${udpSourcePort(view, at)} > ${udpDestinationPort(view, at)} length ${udpLength(view, at)}`;
}
