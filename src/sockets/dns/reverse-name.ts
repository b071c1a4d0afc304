/** The name that an address is looked up by. RFC 1035 section 3.5, RFC 3596 section 2.5. */
import { isIpv4Words, parseAddressWords } from '../../session/address.js';

const NIBBLES_PER_WORD = 8;

/** `1.0.0.10.in-addr.arpa` for 10.0.0.1; the text itself if it is no address. */
export function reverseName(address: string): string {
  const words = parseAddressWords(address);
  if (words === undefined) return address;
  if (isIpv4Words(words)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const nibbles = [...words].map((word) => (word >>> 0).toString(16).padStart(NIBBLES_PER_WORD, '0')).join('');
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`;
}
