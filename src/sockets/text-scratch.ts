/** Strings on their way into a FIFO: encoded into one piece of memory that is used over and over. */

const SCRATCH_BYTES = 65_536;
/** UTF-8 needs at most so many bytes for one UTF-16 unit; UTF-16, latin1, hex and base64 need less. */
const MAX_BYTES_PER_UNIT = 3;

export const textScratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Encodes `text` to the beginning of `textScratch` and returns its bytes, or −1 if it might be too long for that. */
export function encodeToScratch(text: string, encoding: BufferEncoding): number {
  return text.length * MAX_BYTES_PER_UNIT > SCRATCH_BYTES ? -1 : textScratch.write(text, 0, SCRATCH_BYTES, encoding);
}
