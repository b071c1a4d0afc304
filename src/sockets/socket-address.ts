/** Addresses as text on their way from Node to the stack. */
import { isIpv4Words, parseAddressWords } from '../session/address.js';

/** The words of a numeric address of `family`; undefined for anything else. */
export function parseSocketAddress(text: string, family: 4 | 6): Int32Array | undefined {
  const words = parseAddressWords(text);
  if (words === undefined || isIpv4Words(words) !== (family === 4)) return undefined;
  return words;
}
