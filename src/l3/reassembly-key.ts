/** Which fragments belong together: source, destination, protocol and identification. RFC 791 section 3.2. */
import { ipv4Destination, ipv4Identification, ipv4Protocol, ipv4Source } from '../wire/ipv4.js';
import { hashWord } from './row-hash.js';

/** VRF, protocol and identification, source (four words), destination (four words). */
export const REASSEMBLY_KEY_WORDS = 10;
const SOURCE_WORD = 5;

/** Writes the key of the IPv4 fragment whose header is at `at`. */
export function writeReassemblyKey(key: Int32Array, vrf: number, view: DataView, at: number): void {
  key[0] = vrf;
  key[1] = (ipv4Protocol(view, at) << 16) | ipv4Identification(view, at);
  key[2] = 0;
  key[3] = 0;
  key[4] = 0xffff;
  key[SOURCE_WORD] = ipv4Source(view, at);
  key[6] = 0;
  key[7] = 0;
  key[8] = 0xffff;
  key[9] = ipv4Destination(view, at);
}

export function hashReassemblyKey(key: Int32Array, secret: number): number {
  let hash = secret;
  for (let i = 0; i < REASSEMBLY_KEY_WORDS; i++) hash = hashWord(hash, key[i]!);
  return hash;
}

/** True if the key of row `row` in `keys` is `key`. */
export function isReassemblyKey(keys: Int32Array, row: number, key: Int32Array): boolean {
  const from = row * REASSEMBLY_KEY_WORDS;
  for (let i = 0; i < REASSEMBLY_KEY_WORDS; i++) if (keys[from + i] !== key[i]) return false;
  return true;
}

/** True if both are of one VRF and one source. */
export function isSameSource(keys: Int32Array, row: number, key: Int32Array): boolean {
  const from = row * REASSEMBLY_KEY_WORDS;
  if (keys[from] !== key[0]) return false;
  for (let i = 2; i <= SOURCE_WORD; i++) if (keys[from + i] !== key[i]) return false;
  return true;
}
