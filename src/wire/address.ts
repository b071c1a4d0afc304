/**
 * IPv4 and IPv6 addresses as numbers and as text. Read RFC 1122 section 3.2.1.3 and RFC 6890 first for the kinds of
 * IPv4 addresses, RFC 4291 section 2.2 for what an IPv6 address may look like and RFC 5952 for how it is written.
 *
 * An IPv4 address is an unsigned 32-bit number. An IPv6 address is four unsigned 32-bit words, the first one the most
 * significant.
 */

export const IPV4_UNSPECIFIED = 0;
export const IPV4_LOOPBACK = 0x7f000001;
export const IPV4_LIMITED_BROADCAST = 0xffffffff;
export const IPV4_ADDRESS_BITS = 32;

/** 0.0.0.0. */
export function isIpv4Unspecified(address: number): boolean {
  return address === IPV4_UNSPECIFIED;
}

/** 0.0.0.0/8, "this network": never a destination. RFC 1122 section 3.2.1.3 (a), (b). */
export function isIpv4ThisNetwork(address: number): boolean {
  return address >>> 24 === 0;
}

/** 127.0.0.0/8. RFC 1122 section 3.2.1.3 (g). */
export function isIpv4Loopback(address: number): boolean {
  return address >>> 24 === 127;
}

/** 169.254.0.0/16. RFC 3927. */
export function isIpv4LinkLocal(address: number): boolean {
  return address >>> 16 === 0xa9fe;
}

/** 224.0.0.0/4. RFC 1112 section 4. */
export function isIpv4Multicast(address: number): boolean {
  return address >>> 28 === 0xe;
}

/** 224.0.0.0/24: never forwarded. RFC 5771 section 4. */
export function isIpv4LocalMulticast(address: number): boolean {
  return address >>> 8 === 0xe00000;
}

/** 255.255.255.255. RFC 1122 section 3.2.1.3 (c). */
export function isIpv4LimitedBroadcast(address: number): boolean {
  return address === IPV4_LIMITED_BROADCAST;
}

/** 240.0.0.0/4 without the limited broadcast address. RFC 1112 section 4. */
export function isIpv4Reserved(address: number): boolean {
  return address >>> 28 === 0xf && address !== IPV4_LIMITED_BROADCAST;
}

/** An address that one host may have: not in 0/8, not multicast, not class E, not broadcast. Loopback counts. */
export function isIpv4Unicast(address: number): boolean {
  const first = address >>> 24;
  return first !== 0 && first < 224;
}

/** The mask of a prefix of 0..32 bits. */
export function ipv4PrefixMask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (-1 << (IPV4_ADDRESS_BITS - prefixLength)) >>> 0;
}

/** The prefix length of a mask, or -1 if its ones are not contiguous. */
export function ipv4MaskPrefixLength(mask: number): number {
  const prefixLength = Math.clz32(~mask);
  return ipv4PrefixMask(prefixLength) === mask >>> 0 ? prefixLength : -1;
}

export function ipv4Network(address: number, prefixLength: number): number {
  return (address & ipv4PrefixMask(prefixLength)) >>> 0;
}

/** The directed broadcast address of a network; meaningless for /31 (RFC 3021) and /32, which have none. */
export function ipv4DirectedBroadcast(address: number, prefixLength: number): number {
  return (address | ~ipv4PrefixMask(prefixLength)) >>> 0;
}

/** Reads four decimal groups without leading zeros; NaN for anything else. */
export function parseIpv4(text: string): number {
  const groups = text.split('.');
  if (groups.length !== 4) return Number.NaN;
  let address = 0;
  for (const group of groups) {
    if (!/^(0|[1-9]\d{0,2})$/.test(group) || Number(group) > 255) return Number.NaN;
    address = address * 256 + Number(group);
  }
  return address;
}

/** `10.0.0.1`. */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** An address with the prefix length of its network. */
export interface Ipv4Cidr {
  address: number;
  prefixLength: number;
}

/** Reads `10.0.0.1/24`, host bits allowed; undefined for anything else. */
export function parseIpv4Cidr(text: string): Ipv4Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseIpv4(text.slice(0, Math.max(slash, 0)));
  const prefixLength = parsePrefixLength(text.slice(slash + 1), IPV4_ADDRESS_BITS);
  if (Number.isNaN(address) || Number.isNaN(prefixLength)) return undefined;
  return { address, prefixLength };
}

/** `10.0.0.1/24`. */
export function formatIpv4Cidr(address: number, prefixLength: number): string {
  return `${formatIpv4(address)}/${prefixLength}`;
}

function parsePrefixLength(text: string, bits: number): number {
  if (!/^(0|[1-9]\d{0,2})$/.test(text) || Number(text) > bits) return Number.NaN;
  return Number(text);
}

/** The four words of an IPv6 address. */
export type Ipv6Words = readonly [number, number, number, number];

/**
 * Reads every form of RFC 4291 section 2.2, the one with an IPv4 tail included; undefined for anything else, zone
 * indices too.
 */
export function parseIpv6(text: string): Ipv6Words | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseIpv6Groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseIpv6Groups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for one or more groups (RFC 4291 section 2.2 (2)).
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const word = (index: number): number => (((groups[index] ?? 0) << 16) | (groups[index + 1] ?? 0)) >>> 0;
  return [word(0), word(2), word(4), word(6)];
}

/** Groups of up to four hexadecimal digits between colons; the last one may be a dotted IPv4 address. */
function parseIpv6Groups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (isEnd && index === parts.length - 1 && part.includes('.')) {
      const address = parseIpv4(part);
      if (Number.isNaN(address)) return undefined;
      groups.push(address >>> 16, address & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/**
 * The canonical text of RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`,
 * mapped IPv4 dotted.
 */
export function formatIpv6(word0: number, word1: number, word2: number, word3: number): string {
  // RFC 5952 section 5: a well-known IPv4-embedding prefix is written with the dotted form.
  if (word0 === 0 && word1 === 0 && word2 === 0xffff) return `::ffff:${formatIpv4(word3)}`;
  const groups = [word0, word1, word2, word3].flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, count } = longestZeroRun(groups);
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return count < 2 ? hex(0, 8) : `${hex(0, start)}::${hex(start + count, 8)}`;
}

/** The first of the longest runs of zero groups. RFC 5952 section 4.2.3. */
function longestZeroRun(groups: readonly number[]): { start: number; count: number } {
  let best = { start: 0, count: 0 };
  let count = 0;
  for (const [index, group] of groups.entries()) {
    count = group === 0 ? count + 1 : 0;
    if (count > best.count) best = { start: index - count + 1, count };
  }
  return best;
}

/** Reads `2001:db8::1/64`; undefined for anything else. */
export function parseIpv6Cidr(text: string): { words: Ipv6Words; prefixLength: number } | undefined {
  const slash = text.indexOf('/');
  const words = parseIpv6(text.slice(0, Math.max(slash, 0)));
  const prefixLength = parsePrefixLength(text.slice(slash + 1), 128);
  if (words === undefined || Number.isNaN(prefixLength)) return undefined;
  return { words, prefixLength };
}
