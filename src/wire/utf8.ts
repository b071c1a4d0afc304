/** UTF-8 in and out of a DataView, without the encoders of one platform. Read RFC 3629 first. */

const REPLACEMENT = 0xfffd;

/** How many bytes {@link writeUtf8} writes. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) bytes += sequenceBytes(codePointOf(character));
  return bytes;
}

/** Writes the text; lone surrogates become U+FFFD. Returns the bytes written. RFC 3629 section 3. */
export function writeUtf8(view: DataView, at: number, text: string): number {
  let to = at;
  for (const character of text) {
    const codePoint = codePointOf(character);
    const bytes = sequenceBytes(codePoint);
    if (bytes === 1) {
      view.setUint8(to, codePoint);
    } else {
      // The first byte starts with as many ones as the sequence has bytes.
      view.setUint8(to, ((0xff00 >>> bytes) & 0xff) | (codePoint >>> (6 * (bytes - 1))));
      for (let i = 1; i < bytes; i++) view.setUint8(to + i, 0x80 | ((codePoint >>> (6 * (bytes - 1 - i))) & 0x3f));
    }
    to += bytes;
  }
  return to - at;
}

/** Reads `length` bytes as text; each byte that is not part of a well-formed sequence becomes U+FFFD. */
export function readUtf8(view: DataView, at: number, length: number): string {
  const end = at + length;
  let text = '';
  for (let i = at; i < end; ) {
    const codePoint = sequenceAt(view, i, end);
    text += String.fromCodePoint(codePoint < 0 ? REPLACEMENT : codePoint);
    i += codePoint < 0 ? 1 : sequenceBytes(codePoint);
  }
  return text;
}

function codePointOf(character: string): number {
  const codePoint = character.codePointAt(0) ?? REPLACEMENT;
  return isSurrogate(codePoint) ? REPLACEMENT : codePoint;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

function sequenceBytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** The code point at `at`, or -1 if no well-formed, shortest sequence starts there. RFC 3629 section 4. */
function sequenceAt(view: DataView, at: number, end: number): number {
  const first = view.getUint8(at);
  if (first < 0x80) return first;
  const bytes = Math.clz32(~(first << 24));
  if (bytes < 2 || bytes > 4 || at + bytes > end) return -1;
  let codePoint = first & (0x7f >>> bytes);
  for (let i = 1; i < bytes; i++) {
    const next = view.getUint8(at + i);
    if (next >>> 6 !== 2) return -1;
    codePoint = (codePoint << 6) | (next & 0x3f);
  }
  const isMalformed = codePoint > 0x10ffff || isSurrogate(codePoint) || sequenceBytes(codePoint) !== bytes;
  return isMalformed ? -1 : codePoint;
}
