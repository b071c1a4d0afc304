/** What examples/hello-server.js sends, written anew from its description. */
import { createHash } from 'node:crypto';

export const PAGE = `<!doctype html>
<title>Hello</title>
<h1>Hello from user space</h1>
<p>An unmodified Node server sent this page over a TCP/IP stack written in TypeScript.</p>
`;

const BLOCK_BYTES = 65_536;
const STEP = 31;

/** SHA-256 of the body of `/bytes/N`: block b of 64 KiB is its number (4 bytes, big-endian), then i × 31 mod 256. */
export function sha256OfBytes(total: number): string {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (i * STEP) % 256;
  const number = new DataView(block.buffer);
  const hash = createHash('sha256');
  for (let at = 0; at < total; at += BLOCK_BYTES) {
    number.setUint32(0, at / BLOCK_BYTES);
    hash.update(block.subarray(0, total - at));
  }
  return hash.digest('hex');
}
