/** UTF-8 for the few texts in messages (host names, application names). RFC 3629. */

const REPLACEMENT = 0xfffd;

export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const point = code >= 0xd800 && code <= 0xdfff ? REPLACEMENT : code;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), continuation(point, 0));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), continuation(point, 6), continuation(point, 0));
    else bytes.push(0xf0 | (point >> 18), continuation(point, 12), continuation(point, 6), continuation(point, 0));
  }
  return Uint8Array.from(bytes);
}

function continuation(point: number, shift: number): number {
  return 0x80 | ((point >> shift) & 0x3f);
}

/** Bytes that are not UTF-8 become U+FFFD, one each. */
export function decodeText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i]!);
    const point = length === 0 ? -1 : sequencePoint(bytes, i, length);
    text += String.fromCodePoint(point < 0 ? REPLACEMENT : point);
    i += point < 0 ? 1 : length;
  }
  return text;
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** The smallest code point that needs so many bytes: shorter ones in that form are refused. RFC 3629 section 3. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

function sequencePoint(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) return -1;
  if (length === 1) return bytes[at]!;
  let point = bytes[at]! & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]!;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  return point < SMALLEST[length]! || point > 0x10ffff || isSurrogate ? -1 : point;
}
