/**
 * Ethernet II frames and MAC addresses. Read IEEE 802.3 clause 3 and RFC 894 first; RFC 1112 section 6.4 for multicast
 * addresses.
 *
 * ```
 *  0                   6                   12        14
 * +-------------------+-------------------+---------+-----------
 * |  destination MAC  |    source MAC     |  type   | payload …
 * +-------------------+-------------------+---------+-----------
 *
 * with an 802.1Q tag:                     12        14        16        18
 *                                        +---------+---------+---------+-----------
 *                                        | 0x8100  |   TCI   |  type   | payload …
 *                                        +---------+---------+---------+-----------
 * ```
 * A MAC address is two unsigned numbers: `hi` the first 16 bits, `lo` the last 32.
 */

export const ETHERNET_HEADER_BYTES = 14;
export const MAC_BYTES = 6;
/** Smallest frame without its frame check sequence. Devices that need padding add it. */
export const ETHERNET_MIN_FRAME_BYTES = 60;
export const VLAN_TAG_BYTES = 4;

/** IEEE 802 numbers, as assigned. Values below 0x0600 are lengths of 802.3 frames. */
export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  ipv6: 0x86dd,
  serviceVlan: 0x88a8,
  lldp: 0x88cc,
} as const;

export const MIN_ETHER_TYPE = 0x0600;
export const MAC_BROADCAST_HI = 0xffff;
export const MAC_BROADCAST_LO = 0xffffffff;

export const EthernetCheck = { ok: 0, short: 1 } as const;
export const ETHERNET_CHECK_NAMES = ['ok', 'short'] as const;

/** True for group addresses, broadcast among them. */
export function isMacMulticast(hi: number): boolean {
  return (hi & 0x0100) !== 0;
}

export function isMacBroadcast(hi: number, lo: number): boolean {
  return hi === MAC_BROADCAST_HI && lo === MAC_BROADCAST_LO;
}

export function isMacZero(hi: number, lo: number): boolean {
  return hi === 0 && lo === 0;
}

/** `hi` of the MAC address of every IPv4 group. RFC 1112 section 6.4. */
export const IPV4_MULTICAST_MAC_HI = 0x0100;

/** `lo` of the MAC address of an IPv4 group: its low 23 bits. RFC 1112 section 6.4. */
export function ipv4MulticastMacLo(group: number): number {
  return (0x5e000000 | (group & 0x007fffff)) >>> 0;
}

/** Validates that `length` bytes at `at` hold a header. */
export function checkEthernet(_view: DataView, _at: number, length: number): number {
  return length < ETHERNET_HEADER_BYTES ? EthernetCheck.short : EthernetCheck.ok;
}

export function ethernetDestinationHi(view: DataView, at: number): number {
  return view.getUint16(at);
}

export function ethernetDestinationLo(view: DataView, at: number): number {
  return view.getUint32(at + 2);
}

export function ethernetSourceHi(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

export function ethernetSourceLo(view: DataView, at: number): number {
  return view.getUint32(at + 8);
}

export function ethernetType(view: DataView, at: number): number {
  return view.getUint16(at + 12);
}

export function setEthernetDestination(view: DataView, at: number, hi: number, lo: number): void {
  view.setUint16(at, hi);
  view.setUint32(at + 2, lo);
}

export function setEthernetSource(view: DataView, at: number, hi: number, lo: number): void {
  view.setUint16(at + 6, hi);
  view.setUint32(at + 8, lo);
}

export function setEthernetType(view: DataView, at: number, type: number): void {
  view.setUint16(at + 12, type);
}

/** Writes the 14 bytes of an untagged header. */
export function writeEthernet(
  view: DataView,
  at: number,
  destinationHi: number,
  destinationLo: number,
  sourceHi: number,
  sourceLo: number,
  type: number,
): void {
  view.setUint16(at, destinationHi);
  view.setUint32(at + 2, destinationLo);
  view.setUint16(at + 6, sourceHi);
  view.setUint32(at + 8, sourceLo);
  view.setUint16(at + 12, type);
}

/** A MAC address as `hi` (16 bits) and `lo` (32 bits), both unsigned. */
export interface Mac {
  hi: number;
  lo: number;
}

/** Reads `02:00:00:00:00:01` or `02-00-00-00-00-01`; undefined if the text is neither. */
export function parseMac(text: string): Mac | undefined {
  const groups = text.split(text.includes('-') ? '-' : ':');
  if (groups.length !== MAC_BYTES || !groups.every((group) => /^[0-9a-f]{2}$/i.test(group))) return undefined;
  return { hi: Number.parseInt(groups.slice(0, 2).join(''), 16), lo: Number.parseInt(groups.slice(2).join(''), 16) };
}

/** `02:00:00:00:00:01`. */
export function formatMac(hi: number, lo: number): string {
  const digits = hi.toString(16).padStart(4, '0') + lo.toString(16).padStart(8, '0');
  return digits.replace(/..(?!$)/g, '$&:');
}

/** `02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x0806`. */
export function formatEthernet(view: DataView, at: number): string {
  const source = formatMac(ethernetSourceHi(view, at), ethernetSourceLo(view, at));
  const destination = formatMac(ethernetDestinationHi(view, at), ethernetDestinationLo(view, at));
  return `${source} > ${destination} type 0x${ethernetType(view, at).toString(16).padStart(4, '0')}`;
}
