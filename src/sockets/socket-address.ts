/** Addresses as text on their way from Node to the stack. */
import { isIpv4Words, parseAddressWords } from '../session/address.js';

/** The words of a numeric address of `family`; undefined for anything else. */
export function parseSocketAddress(text: string, family: 4 | 6): Int32Array | undefined {
  const words = parseAddressWords(text);
  if (words === undefined || isIpv4Words(words) !== (family === 4)) return undefined;
  return words;
}

/** 4 or 6 for a numeric address, 0 for anything else. */
export function familyOf(text: string): 0 | 4 | 6 {
  const words = parseAddressWords(text);
  if (words === undefined) return 0;
  return isIpv4Words(words) && !text.includes(':') ? 4 : 6;
}
