/**
 * ICMP for IPv4. Read RFC 792 first, then RFC 1122 section 3.2.2, RFC 1812 sections 4.3 and 5.2.7, and RFC 1191 for the
 * MTU of a next hop.
 *
 * ```
 *  0         1         2                   4
 * +---------+---------+-------------------+
 * |  type   |  code   |     checksum      |  0
 * +---------+---------+-------------------+
 * |  depends on the type:                 |  4   echo:               identifier(16) sequence(16)
 * |                                       |      unreachable 3/4:    zero(16) next-hop MTU(16)
 * |                                       |      parameter problem:  pointer(8) zero(24)
 * +---------------------------------------+      redirect:           gateway(32)
 * |  echo: data; errors: the IPv4 header  |  8
 * |  and the first bytes of its payload   |
 * +---------------------------------------+
 * ```
 */

import { checksumAdd, checksumFinish, isChecksumSumValid } from './checksum.js';
import { IPV4_MIN_HEADER_BYTES, IPV4_VERSION, ipv4HeaderBytes } from './ipv4.js';

export const ICMPV4_HEADER_BYTES = 8;
/** An error quotes at least this much of the payload after the IPv4 header. RFC 792. */
export const ICMPV4_MIN_QUOTED_PAYLOAD_BYTES = 8;
/** An error, its own IPv4 header included, is not longer than this. RFC 1812 section 4.3.2.3. */
export const ICMPV4_MAX_ERROR_BYTES = 576;

export const Icmpv4Type = {
  echoReply: 0,
  destinationUnreachable: 3,
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  routerAdvertisement: 9,
  routerSolicitation: 10,
  timeExceeded: 11,
  parameterProblem: 12,
  timestampRequest: 13,
  timestampReply: 14,
} as const;

/** Codes of destination unreachable. RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1. */
export const Icmpv4Unreachable = {
  network: 0,
  host: 1,
  protocol: 2,
  port: 3,
  fragmentationNeeded: 4,
  sourceRouteFailed: 5,
  networkUnknown: 6,
  hostUnknown: 7,
  sourceHostIsolated: 8,
  networkProhibited: 9,
  hostProhibited: 10,
  networkTypeOfService: 11,
  hostTypeOfService: 12,
  administrativelyProhibited: 13,
  hostPrecedenceViolation: 14,
  precedenceCutoff: 15,
} as const;

/** Codes of time exceeded. RFC 792. */
export const Icmpv4TimeExceeded = { ttl: 0, reassembly: 1 } as const;

/** Codes of redirect. RFC 1812 section 5.2.7.2. */
export const Icmpv4Redirect = { network: 0, host: 1, networkTypeOfService: 2, hostTypeOfService: 3 } as const;

/** Codes of parameter problem. RFC 1122 section 3.2.2.5. */
export const Icmpv4ParameterProblem = { pointer: 0, missingOption: 1, badLength: 2 } as const;

/** `badChecksum` is what a caller counts when {@link isIcmpv4ChecksumValid} says no. */
export const Icmpv4Check = { ok: 0, short: 1, badQuote: 2, badChecksum: 3 } as const;
export const ICMPV4_CHECK_NAMES = ['ok', 'short', 'bad quoted packet', 'bad checksum'] as const;

/**
 * Validates a message of `length` bytes; in errors also that the quoted IPv4 header and 8 bytes after it are there, so
 * that the accessors of ipv4.ts and the ports may be read at {@link icmpv4QuoteAt}. The quoted total length may exceed
 * what is quoted. RFC 1122 section 3.2.2.
 */
export function checkIcmpv4(view: DataView, at: number, length: number): number {
  if (length < ICMPV4_HEADER_BYTES) return Icmpv4Check.short;
  if (!isIcmpv4Error(icmpv4Type(view, at))) return Icmpv4Check.ok;
  const quotedBytes = length - ICMPV4_HEADER_BYTES;
  if (quotedBytes < IPV4_MIN_HEADER_BYTES + ICMPV4_MIN_QUOTED_PAYLOAD_BYTES) return Icmpv4Check.badQuote;
  const quoteAt = icmpv4QuoteAt(at);
  const headerBytes = ipv4HeaderBytes(view, quoteAt);
  if (view.getUint8(quoteAt) >>> 4 !== IPV4_VERSION || headerBytes < IPV4_MIN_HEADER_BYTES) return Icmpv4Check.badQuote;
  return quotedBytes < headerBytes + ICMPV4_MIN_QUOTED_PAYLOAD_BYTES ? Icmpv4Check.badQuote : Icmpv4Check.ok;
}

/** The checksum covers the whole message and no pseudo header. RFC 792. */
export function isIcmpv4ChecksumValid(view: DataView, at: number, length: number): boolean {
  return isChecksumSumValid(checksumAdd(view, at, length, 0));
}

/** True for the messages that quote a packet and to which no error is sent. RFC 1122 section 3.2.2. */
export function isIcmpv4Error(type: number): boolean {
  return (
    type === Icmpv4Type.destinationUnreachable ||
    type === Icmpv4Type.timeExceeded ||
    type === Icmpv4Type.parameterProblem ||
    type === Icmpv4Type.redirect ||
    type === Icmpv4Type.sourceQuench
  );
}

export function icmpv4Type(view: DataView, at: number): number {
  return view.getUint8(at);
}

export function icmpv4Code(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}

export function icmpv4Checksum(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}

export function icmpv4EchoIdentifier(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}

export function icmpv4EchoSequence(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

/** Of "fragmentation needed": 0 from routers older than RFC 1191. */
export function icmpv4NextHopMtu(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

/** Of a parameter problem: the offset in the quoted packet. */
export function icmpv4Pointer(view: DataView, at: number): number {
  return view.getUint8(at + 4);
}

/** Of a redirect: the router to use instead. */
export function icmpv4Gateway(view: DataView, at: number): number {
  return view.getUint32(at + 4);
}

/** Where the quoted packet of an error starts. */
export function icmpv4QuoteAt(at: number): number {
  return at + ICMPV4_HEADER_BYTES;
}

/** Computes and writes the checksum over `length` bytes. */
export function updateIcmpv4Checksum(view: DataView, at: number, length: number): void {
  view.setUint16(at + 2, 0);
  view.setUint16(at + 2, checksumFinish(checksumAdd(view, at, length, 0)));
}

/** Writes the header of an echo request or reply whose data is already in place. `length` counts header and data. */
export function writeIcmpv4Echo(
  view: DataView,
  at: number,
  type: number,
  identifier: number,
  sequence: number,
  length: number,
): void {
  view.setUint16(at, type << 8);
  view.setUint16(at + 4, identifier);
  view.setUint16(at + 6, sequence);
  updateIcmpv4Checksum(view, at, length);
}

/**
 * Writes the header of an error whose quoted packet is already in place. `rest` is the word at offset 4: the next-hop
 * MTU, `pointer << 24`, the gateway, or 0. `length` counts header and quote.
 */
export function writeIcmpv4Error(
  view: DataView,
  at: number,
  type: number,
  code: number,
  rest: number,
  length: number,
): void {
  view.setUint16(at, (type << 8) | code);
  view.setUint32(at + 4, rest);
  updateIcmpv4Checksum(view, at, length);
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [Icmpv4Type.echoReply]: 'echo reply',
  [Icmpv4Type.destinationUnreachable]: 'destination unreachable',
  [Icmpv4Type.sourceQuench]: 'source quench',
  [Icmpv4Type.redirect]: 'redirect',
  [Icmpv4Type.echoRequest]: 'echo request',
  [Icmpv4Type.timeExceeded]: 'time exceeded',
  [Icmpv4Type.parameterProblem]: 'parameter problem',
};

/** `ICMP echo request id 7 seq 1` or `ICMP destination unreachable code 3`. */
export function formatIcmpv4(view: DataView, at: number): string {
  const type = icmpv4Type(view, at);
  const name = `ICMP ${TYPE_NAMES[type] ?? `type ${type}`}`;
  if (type === Icmpv4Type.echoRequest || type === Icmpv4Type.echoReply) {
    return `${name} id ${icmpv4EchoIdentifier(view, at)} seq ${icmpv4EchoSequence(view, at)}`;
  }
  return `${name} code ${icmpv4Code(view, at)}`;
}
