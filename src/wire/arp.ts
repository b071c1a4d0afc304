/**
 * Address Resolution Protocol for IPv4 over Ethernet. Read RFC 826 first; RFC 5227 for probes and announcements.
 *
 * ```
 *  0                 2                 4         5         6                 8
 * +-----------------+-----------------+---------+---------+-----------------+
 * | hardware type 1 | protocol 0x0800 | hlen 6  | plen 4  |    operation    |
 * +-----------------+-----------------+---------+---------+-----------------+
 *  8                            14                18                           24               28
 * +----------------------------+-----------------+----------------------------+-----------------+
 * |         sender MAC         |   sender IPv4   |         target MAC         |   target IPv4   |
 * +----------------------------+-----------------+----------------------------+-----------------+
 * ```
 */

import { formatIpv4 } from './address.js';
import { EtherType, formatMac, MAC_BYTES } from './ethernet.js';

export const ARP_BYTES = 28;
const ARP_HARDWARE_ETHERNET = 1;
const IPV4_ADDRESS_BYTES = 4;

export const ArpOperation = { request: 1, reply: 2 } as const;

export const ArpCheck = {
  ok: 0,
  short: 1,
  badHardware: 2,
  badProtocol: 3,
  badAddressLength: 4,
  badOperation: 5,
} as const;
export const ARP_CHECK_NAMES = [
  'ok',
  'short',
  'bad hardware type',
  'bad protocol type',
  'bad address length',
  'bad operation',
] as const;

/** Validates a packet: only IPv4 over Ethernet, only request and reply. RFC 826 "Packet Reception". */
export function checkArp(view: DataView, at: number, length: number): number {
  if (length < ARP_BYTES) return ArpCheck.short;
  if (view.getUint16(at) !== ARP_HARDWARE_ETHERNET) return ArpCheck.badHardware;
  if (view.getUint16(at + 2) !== EtherType.ipv4) return ArpCheck.badProtocol;
  if (view.getUint8(at + 4) !== MAC_BYTES || view.getUint8(at + 5) !== IPV4_ADDRESS_BYTES)
    return ArpCheck.badAddressLength;
  const operation = arpOperation(view, at);
  if (operation !== ArpOperation.request && operation !== ArpOperation.reply) return ArpCheck.badOperation;
  return ArpCheck.ok;
}

export function arpOperation(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

export function arpSenderMacHi(view: DataView, at: number): number {
  return view.getUint16(at + 8);
}

export function arpSenderMacLo(view: DataView, at: number): number {
  return view.getUint32(at + 10);
}

export function arpSenderIpv4(view: DataView, at: number): number {
  return view.getUint32(at + 14);
}

export function arpTargetMacHi(view: DataView, at: number): number {
  return view.getUint16(at + 18);
}

export function arpTargetMacLo(view: DataView, at: number): number {
  return view.getUint32(at + 20);
}

export function arpTargetIpv4(view: DataView, at: number): number {
  return view.getUint32(at + 24);
}

/** Writes all 28 bytes. In a request the target MAC is zero. */
export function writeArp(
  view: DataView,
  at: number,
  operation: number,
  senderMacHi: number,
  senderMacLo: number,
  senderIpv4: number,
  targetMacHi: number,
  targetMacLo: number,
  targetIpv4: number,
): void {
  view.setUint16(at, ARP_HARDWARE_ETHERNET);
  view.setUint16(at + 2, EtherType.ipv4);
  view.setUint8(at + 4, MAC_BYTES);
  view.setUint8(at + 5, IPV4_ADDRESS_BYTES);
  view.setUint16(at + 6, operation);
  view.setUint16(at + 8, senderMacHi);
  view.setUint32(at + 10, senderMacLo);
  view.setUint32(at + 14, senderIpv4);
  view.setUint16(at + 18, targetMacHi);
  view.setUint32(at + 20, targetMacLo);
  view.setUint32(at + 24, targetIpv4);
}

/** `ARP who-has 10.0.0.2 tell 10.0.0.1` or `ARP 10.0.0.2 is-at 02:00:00:00:00:02`. */
export function formatArp(view: DataView, at: number): string {
  const sender = formatIpv4(arpSenderIpv4(view, at));
  if (arpOperation(view, at) === ArpOperation.request)
    return `ARP who-has ${formatIpv4(arpTargetIpv4(view, at))} tell ${sender}`;
  return `ARP ${sender} is-at ${formatMac(arpSenderMacHi(view, at), arpSenderMacLo(view, at))}`;
}
