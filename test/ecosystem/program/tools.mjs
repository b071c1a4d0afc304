import { once } from 'node:events';

/** Listens, and gives the port and a function that closes. */
export async function listen(server, host, port) {
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: server.address().port,
    close: () => new Promise((done) => server.close(done)),
  };
}

/** Bytes that can be told from shifted or swapped ones. */
export function pattern(length) {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (Math.imul(i, 0x9e37_79b1) >>> 16) & 0xff;
  return bytes;
}

/** All bytes of a stream. */
export async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
