/**
 * The TCP header. Read RFC 9293 section 3.1 first, then RFC 3168 section 6.1 for ECE and CWR. Options: tcp-options.ts.
 *
 * ```
 *  0                   2                   4
 * +-------------------+-------------------+
 * |    source port    | destination port  |  0
 * +-------------------+-------------------+
 * |            sequence number            |  4
 * +---------------------------------------+
 * |         acknowledgment number         |  8
 * +----+----+---------+-------------------+
 * |doff| 0  |  flags  |      window       | 12   flags: CWR ECE URG ACK PSH RST SYN FIN
 * +----+----+---------+-------------------+
 * |     checksum      |  urgent pointer   | 16
 * +-------------------+-------------------+
 * |        options (doff*4 - 20 bytes)    | 20
 * +---------------------------------------+
 * ```
 * Sequence numbers come and go as signed 32-bit numbers, the form of base/seqnum.ts and of the connection's columns.
 */

import { checksumAdd, checksumFinish, isChecksumSumValid, pseudoHeaderSumIpv4 } from './checksum.js';
import { IpProtocol } from './ip-protocol.js';

export const TCP_MIN_HEADER_BYTES = 20;
export const TCP_MAX_HEADER_BYTES = 60;

/** Control bits. RFC 9293 section 3.1. */
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

/** `badChecksum` is what a caller counts when {@link isTcpChecksumValidIpv4} says no. */
export const TcpCheck = { ok: 0, short: 1, badHeaderLength: 2, badChecksum: 3 } as const;
export const TCP_CHECK_NAMES = ['ok', 'short', 'bad header length', 'bad checksum'] as const;

/** Validates that header and options lie within `length` bytes. */
export function checkTcp(view: DataView, at: number, length: number): number {
  if (length < TCP_MIN_HEADER_BYTES) return TcpCheck.short;
  const headerBytes = tcpHeaderBytes(view, at);
  return headerBytes < TCP_MIN_HEADER_BYTES || headerBytes > length ? TcpCheck.badHeaderLength : TcpCheck.ok;
}

export function tcpSourcePort(view: DataView, at: number): number {
  return view.getUint16(at);
}

export function tcpDestinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

/** Signed. */
export function tcpSequence(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

/** Signed; meaningful only with the ACK flag. */
export function tcpAcknowledgment(view: DataView, at: number): number {
  return view.getInt32(at + 8);
}

export function tcpHeaderBytes(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) << 2;
}

/** {@link TcpFlag} bits. */
export function tcpFlags(view: DataView, at: number): number {
  return view.getUint8(at + 13);
}

/** As it stands in the header: not scaled. */
export function tcpWindow(view: DataView, at: number): number {
  return view.getUint16(at + 14);
}

export function tcpChecksum(view: DataView, at: number): number {
  return view.getUint16(at + 16);
}

export function tcpUrgentPointer(view: DataView, at: number): number {
  return view.getUint16(at + 18);
}

/** What the segment occupies in sequence space besides its data: one each for SYN and FIN. RFC 9293 section 3.4. */
export function tcpFlagsSequenceLength(flags: number): number {
  return (flags & TcpFlag.fin) + ((flags & TcpFlag.syn) >>> 1);
}

export function setTcpSourcePort(view: DataView, at: number, port: number): void {
  view.setUint16(at, port);
}

export function setTcpDestinationPort(view: DataView, at: number, port: number): void {
  view.setUint16(at + 2, port);
}

export function setTcpSequence(view: DataView, at: number, sequence: number): void {
  view.setInt32(at + 4, sequence);
}

export function setTcpAcknowledgment(view: DataView, at: number, acknowledgment: number): void {
  view.setInt32(at + 8, acknowledgment);
}

export function setTcpFlags(view: DataView, at: number, flags: number): void {
  view.setUint8(at + 13, flags);
}

export function setTcpWindow(view: DataView, at: number, window: number): void {
  view.setUint16(at + 14, window);
}

export function setTcpChecksum(view: DataView, at: number, checksum: number): void {
  view.setUint16(at + 16, checksum);
}

/**
 * True if the segment of `length` bytes (header and data in one piece) has the right checksum. RFC 9293 section 3.1,
 * MUST-3.
 */
export function isTcpChecksumValidIpv4(
  view: DataView,
  at: number,
  length: number,
  source: number,
  destination: number,
): boolean {
  return isChecksumSumValid(
    checksumAdd(view, at, length, pseudoHeaderSumIpv4(source, destination, IpProtocol.tcp, length)),
  );
}

/**
 * Computes and writes the checksum of a segment of `length` bytes that lies in one piece. RFC 9293 section 3.1, MUST-2.
 */
export function updateTcpChecksumIpv4(
  view: DataView,
  at: number,
  length: number,
  source: number,
  destination: number,
): void {
  view.setUint16(at + 16, 0);
  const sum = checksumAdd(view, at, length, pseudoHeaderSumIpv4(source, destination, IpProtocol.tcp, length));
  view.setUint16(at + 16, checksumFinish(sum));
}

/**
 * Writes the first 20 bytes with checksum and urgent pointer 0; `headerBytes` counts the options, which the caller
 * writes.
 */
export function writeTcp(
  view: DataView,
  at: number,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgment: number,
  headerBytes: number,
  flags: number,
  window: number,
): void {
  view.setUint32(at, (sourcePort << 16) | destinationPort);
  view.setInt32(at + 4, sequence);
  view.setInt32(at + 8, acknowledgment);
  view.setUint32(at + 12, (headerBytes << 26) | (flags << 16) | window);
  view.setUint32(at + 16, 0);
}

/** `S`, `SA`, `FA`, … in the letters that tcpdump's users know. */
export function formatTcpFlags(flags: number): string {
  return ['F', 'S', 'R', 'P', 'A', 'U', 'E', 'C'].filter((_letter, bit) => (flags & (1 << bit)) !== 0).join('');
}

/** `TCP 40000 > 80 [SA] seq 1 ack 2 win 65535`. */
export function formatTcp(view: DataView, at: number): string {
  const ports = `${tcpSourcePort(view, at)} > ${tcpDestinationPort(view, at)}`;
  const numbers = `seq ${tcpSequence(view, at) >>> 0} ack ${tcpAcknowledgment(view, at) >>> 0} win ${tcpWindow(view, at)}`;
  return `TCP ${ports} [${formatTcpFlags(tcpFlags(view, at))}] ${numbers}`;
}
