/**
 * Addresses of 128 bits as four int32 words, the first one the most significant. An IPv4 address is the IPv4-mapped one,
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). `::` is "any address", IPv4 included; ::ffff:0.0.0.0 is "any IPv4 address".
 */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../wire/address.js';

const MAPPED_PREFIX = 0xffff;

/** Four words; only the first four count. */
export type AddressWords = ArrayLike<number>;

/** The words of an IPv4 address. */
export function wordsFromIpv4(address: number): Int32Array {
  return Int32Array.of(0, 0, MAPPED_PREFIX, address | 0);
}

/** Reads `10.0.0.1` or any form of an IPv6 address; undefined for anything else. */
export function parseAddressWords(text: string): Int32Array | undefined {
  const address = parseIpv4(text);
  if (!Number.isNaN(address)) return wordsFromIpv4(address);
  const words = parseIpv6(text);
  return words && Int32Array.from(words, (word) => word | 0);
}

/** `10.0.0.1` for a mapped address, else the IPv6 text. */
export function formatAddressWords(words: AddressWords): string {
  if (isIpv4Words(words)) return formatIpv4(words[3]! >>> 0);
  return formatIpv6(words[0]! >>> 0, words[1]! >>> 0, words[2]! >>> 0, words[3]! >>> 0);
}

/** True for IPv4-mapped addresses. */
export function isIpv4Words(words: AddressWords): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === MAPPED_PREFIX;
}

/** True for `::` and ::ffff:0.0.0.0. */
export function isAnyWords(words: AddressWords): boolean {
  return words[0] === 0 && words[1] === 0 && words[3] === 0 && (words[2] === 0 || words[2] === MAPPED_PREFIX);
}

export function areWordsEqual(a: AddressWords, b: AddressWords): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

/** Copies the four words of `from` to `to`. */
export function copyWords(to: Int32Array, from: AddressWords): void {
  for (let i = 0; i < 4; i++) to[i] = from[i]! | 0;
}
