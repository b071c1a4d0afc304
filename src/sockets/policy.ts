/**
 * Which addresses are the stack's and which stay the kernel's: a list of prefixes. Unspecified addresses (listening
 * without a host, sockets bound to any address) are the stack's, and so is the loopback of IPv6 wherever that of IPv4 is.
 */

import { UsernetError } from '../base/errors.js';
import { type AddressWords, isAnyWords, isIpv4Words, parseAddressWords } from '../session/address.js';
import { isIpv4Loopback } from '../wire/address.js';

const IPV4_PREFIX_OFFSET = 96;
const ADDRESS_BITS = 128;
const LOOPBACK6 = [0, 0, 0, 1];

interface Prefix {
  readonly words: AddressWords;
  readonly bits: number;
}

export class Policy {
  readonly #prefixes: readonly Prefix[];

  /** `prefixes` as `10.0.0.0/8`, `2001:db8::/32`, `0.0.0.0/0`. @throws UsernetError USERNET_BAD_PREFIX */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes.map(parsePrefix);
  }

  /** True if the stack, not the kernel, carries what goes to or listens on this address. */
  isForStack(words: AddressWords): boolean {
    if (isAnyWords(words)) return true;
    const { length } = this.#prefixes;
    for (let i = 0; i < length; i++) {
      if (isInPrefix(words, this.#prefixes[i]!)) return true;
    }
    return isSame(words, LOOPBACK6) && this.#prefixes.some((prefix) => coversLoopback(prefix));
  }
}

/** Everything is the stack's. */
export const WHOLE_WORLD = new Policy(['0.0.0.0/0', '::/0']);

function parsePrefix(text: string): Prefix {
  const [address = '', length] = text.split('/');
  const words = parseAddressWords(address);
  const offset = words !== undefined && isIpv4Words(words) ? IPV4_PREFIX_OFFSET : 0;
  const bits = length === undefined ? ADDRESS_BITS : Number(length) + offset;
  const isNumber = length === undefined || /^\d{1,3}$/.test(length);
  if (words === undefined || !isNumber || bits > ADDRESS_BITS) {
    throw new UsernetError(
      'USERNET_BAD_PREFIX',
      `"${text}" is not a prefix`,
      'write it as 10.0.0.0/8 or 2001:db8::/32',
    );
  }
  return { words, bits };
}

function isInPrefix(words: AddressWords, prefix: Prefix): boolean {
  for (let i = 0, left = prefix.bits; left > 0; i++, left -= 32) {
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((words[i]! ^ prefix.words[i]!) & mask) !== 0) return false;
  }
  return true;
}

function isSame(a: AddressWords, b: AddressWords): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

function coversLoopback(prefix: Prefix): boolean {
  return isIpv4Words(prefix.words) && isIpv4Loopback(prefix.words[3]! >>> 0);
}
