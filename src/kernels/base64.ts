/** Base64 without padding rules or line breaks: only for what the build embeds. RFC 4648 section 4. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array((digits.length * 6) >>> 3);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < digits.length; i++) {
    bits = (bits << 6) | ALPHABET.indexOf(digits.charAt(i));
    // Of every four digits the second, third and fourth complete a byte.
    if ((i & 3) !== 0) bytes[at++] = bits >>> (6 - (i & 3) * 2);
  }
  return bytes;
}
