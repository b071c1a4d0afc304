/**
 * The IPv4 header. Read RFC 791 section 3.1 first, then RFC 1122 section 3.2.1, RFC 1812 section 5.2.2, RFC 2474 (DSCP)
 * and RFC 3168 (ECN).
 *
 * ```
 *  0                   1                   2                   3
 * +----+----+---------+-------------------+
 * | 4  |ihl | DSCP|ECN|   total length    |  0
 * +----+----+---------+---+---------------+
 * |  identification   |flg|fragm. offset  |  4
 * +---------+---------+---+---------------+
 * |   TTL   | protocol|  header checksum  |  8
 * +---------+---------+-------------------+
 * |            source address             | 12
 * +---------------------------------------+
 * |          destination address          | 16
 * +---------------------------------------+
 * |        options (ihl*4 - 20 bytes)     | 20
 * +---------------------------------------+
 * ```
 * Accessors may be used once {@link checkIpv4} has returned ok.
 */

import { formatIpv4 } from './address.js';
import { checksumAdd, checksumFinish, isChecksumSumValid } from './checksum.js';

export const IPV4_VERSION = 4;
export const IPV4_MIN_HEADER_BYTES = 20;
export const IPV4_MAX_HEADER_BYTES = 60;
export const IPV4_MAX_TOTAL_BYTES = 65535;
/** Every host accepts datagrams of this size. RFC 1122 section 3.3.2. */
export const IPV4_MIN_REASSEMBLY_BYTES = 576;
/** Every link carries datagrams of this size unfragmented. RFC 791 section 3.2. */
export const IPV4_MIN_MTU = 68;
/** RFC 1700 "IP time to live parameter". */
export const IPV4_DEFAULT_TTL = 64;

/** Bits of the 16-bit word at offset 6. RFC 791 section 3.1 "Flags". */
export const Ipv4Flag = { dontFragment: 0x4000, moreFragments: 0x2000 } as const;
const FRAGMENT_OFFSET_MASK = 0x1fff;
const FRAGMENT_UNIT_SHIFT = 3;

/** Code points of the low two bits of the traffic class. RFC 3168 section 5. */
export const Ecn = { notCapable: 0, capable1: 1, capable0: 2, congestionExperienced: 3 } as const;

/** `badChecksum` is what a caller counts when {@link isIpv4ChecksumValid} says no. */
export const Ipv4Check = {
  ok: 0,
  short: 1,
  badVersion: 2,
  badHeaderLength: 3,
  badTotalLength: 4,
  badChecksum: 5,
} as const;
export const IPV4_CHECK_NAMES = [
  'ok',
  'short',
  'bad version',
  'bad header length',
  'bad total length',
  'bad checksum',
] as const;

/**
 * Validates lengths and version of the header at `at`; `length` bytes are there, link padding included. Does not verify
 * the checksum: see {@link isIpv4ChecksumValid}. RFC 1812 section 5.2.2 (1), (3), (4), (5).
 */
export function checkIpv4(view: DataView, at: number, length: number): number {
  if (length < IPV4_MIN_HEADER_BYTES) return Ipv4Check.short;
  const versionAndIhl = view.getUint8(at);
  if (versionAndIhl >>> 4 !== IPV4_VERSION) return Ipv4Check.badVersion;
  const headerBytes = (versionAndIhl & 15) << 2;
  if (headerBytes < IPV4_MIN_HEADER_BYTES || headerBytes > length) return Ipv4Check.badHeaderLength;
  const totalLength = view.getUint16(at + 2);
  if (totalLength < headerBytes || totalLength > length) return Ipv4Check.badTotalLength;
  return Ipv4Check.ok;
}

/** True if the header checksum is right. RFC 1812 section 5.2.2 (2). */
export function isIpv4ChecksumValid(view: DataView, at: number): boolean {
  return isChecksumSumValid(ipv4HeaderSum(view, at));
}

/** Partial sum of the header; the usual 20-byte header without a loop. */
function ipv4HeaderSum(view: DataView, at: number): number {
  const first = view.getUint32(at);
  if (first >>> 24 !== 0x45) return checksumAdd(view, at, ipv4HeaderBytes(view, at), 0);
  const second = view.getUint32(at + 4);
  const third = view.getUint32(at + 8);
  const source = view.getUint32(at + 12);
  const destination = view.getUint32(at + 16);
  const high = (first >>> 16) + (second >>> 16) + (third >>> 16) + (source >>> 16) + (destination >>> 16);
  const low = (first & 0xffff) + (second & 0xffff) + (third & 0xffff) + (source & 0xffff) + (destination & 0xffff);
  return high + low;
}

export function ipv4HeaderBytes(view: DataView, at: number): number {
  return (view.getUint8(at) & 15) << 2;
}

/** DSCP and ECN together. */
export function ipv4TrafficClass(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}

/** RFC 2474 section 3. */
export function ipv4Dscp(view: DataView, at: number): number {
  return view.getUint8(at + 1) >>> 2;
}

/** One of {@link Ecn}. RFC 3168 section 5. */
export function ipv4Ecn(view: DataView, at: number): number {
  return view.getUint8(at + 1) & 3;
}

/** Header and payload, in bytes. */
export function ipv4TotalLength(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

export function ipv4PayloadBytes(view: DataView, at: number): number {
  return view.getUint16(at + 2) - ipv4HeaderBytes(view, at);
}

export function ipv4Identification(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}

/** Flags and fragment offset as they stand in the header: {@link Ipv4Flag} bits and the offset in units of 8 bytes. */
export function ipv4FragmentField(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

export function ipv4FragmentOffsetBytes(view: DataView, at: number): number {
  return (view.getUint16(at + 6) & FRAGMENT_OFFSET_MASK) << FRAGMENT_UNIT_SHIFT;
}

/** True for every fragment, the first one included. */
export function isIpv4Fragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & (Ipv4Flag.moreFragments | FRAGMENT_OFFSET_MASK)) !== 0;
}

export function hasIpv4DontFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & Ipv4Flag.dontFragment) !== 0;
}

export function hasIpv4MoreFragments(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & Ipv4Flag.moreFragments) !== 0;
}

export function ipv4Ttl(view: DataView, at: number): number {
  return view.getUint8(at + 8);
}

/** One of {@link IpProtocol}. */
export function ipv4Protocol(view: DataView, at: number): number {
  return view.getUint8(at + 9);
}

export function ipv4Checksum(view: DataView, at: number): number {
  return view.getUint16(at + 10);
}

export function ipv4Source(view: DataView, at: number): number {
  return view.getUint32(at + 12);
}

export function ipv4Destination(view: DataView, at: number): number {
  return view.getUint32(at + 16);
}

// The setters leave the checksum alone: call updateIpv4Checksum after the last one.

export function setIpv4TrafficClass(view: DataView, at: number, trafficClass: number): void {
  view.setUint8(at + 1, trafficClass);
}

export function setIpv4TotalLength(view: DataView, at: number, bytes: number): void {
  view.setUint16(at + 2, bytes);
}

export function setIpv4Identification(view: DataView, at: number, identification: number): void {
  view.setUint16(at + 4, identification);
}

/** `flags` are {@link Ipv4Flag} bits, `offsetBytes` is a multiple of 8. */
export function setIpv4Fragment(view: DataView, at: number, flags: number, offsetBytes: number): void {
  view.setUint16(at + 6, flags | (offsetBytes >>> FRAGMENT_UNIT_SHIFT));
}

export function setIpv4Ttl(view: DataView, at: number, ttl: number): void {
  view.setUint8(at + 8, ttl);
}

export function setIpv4Checksum(view: DataView, at: number, checksum: number): void {
  view.setUint16(at + 10, checksum);
}

export function setIpv4Source(view: DataView, at: number, address: number): void {
  view.setUint32(at + 12, address);
}

export function setIpv4Destination(view: DataView, at: number, address: number): void {
  view.setUint32(at + 16, address);
}

/** Computes and writes the header checksum, options included. */
export function updateIpv4Checksum(view: DataView, at: number): void {
  view.setUint16(at + 10, 0);
  view.setUint16(at + 10, checksumFinish(ipv4HeaderSum(view, at)));
}

/**
 * Takes one off the TTL and keeps the checksum right. The word that holds the TTL shrinks by 0x0100, so the checksum
 * grows by as much; 0xffff becomes 0, as computing it anew would give. RFC 1624 section 4.
 */
export function decrementIpv4Ttl(view: DataView, at: number): void {
  view.setUint8(at + 8, view.getUint8(at + 8) - 1);
  const checksum = view.getUint16(at + 10) + 0x0100;
  view.setUint16(at + 10, checksum >= 0xffff ? checksum + 1 : checksum);
}

/**
 * Writes a header of 20 bytes, its checksum included; arguments in the order of the header. `fragmentField` is {@link
 * Ipv4Flag} bits or'ed with the offset in units of 8 bytes.
 */
export function writeIpv4(
  view: DataView,
  at: number,
  trafficClass: number,
  totalLength: number,
  identification: number,
  fragmentField: number,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  view.setUint32(at, 0x45000000 | (trafficClass << 16) | totalLength);
  view.setUint32(at + 4, (identification << 16) | fragmentField);
  view.setUint32(at + 8, (ttl << 24) | (protocol << 16));
  view.setUint32(at + 12, source);
  view.setUint32(at + 16, destination);
  view.setUint16(at + 10, checksumFinish(ipv4HeaderSum(view, at)));
}

/** `10.0.0.1 > 10.0.0.2 protocol 6 ttl 64 length 40`, with the fragment if it is one. */
export function formatIpv4Header(view: DataView, at: number): string {
  const addresses = `${formatIpv4(ipv4Source(view, at))} > ${formatIpv4(ipv4Destination(view, at))}`;
  const more = hasIpv4MoreFragments(view, at) ? '+' : '';
  const fragment = isIpv4Fragment(view, at)
    ? ` fragment ${ipv4Identification(view, at)}@${ipv4FragmentOffsetBytes(view, at)}${more}`
    : '';
  return `${addresses} protocol ${ipv4Protocol(view, at)} ttl ${ipv4Ttl(view, at)} length ${ipv4TotalLength(view, at)}${fragment}`;
}
