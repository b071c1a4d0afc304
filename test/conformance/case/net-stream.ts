/** net.Socket as a stream: bytes, half-close, backpressure, pausing. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Cases } from '../api.js';
import {
  allClosed,
  closeServer,
  connectPair,
  delay,
  endPair,
  immediate,
  listen,
  once,
  pattern,
  readAll,
} from '../tools.js';

const MEGABYTE = 1_048_576;

export const netStream: Cases = {
  'stream: echo': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.peer.pipe(pair.peer);
    pair.client.end('hello');
    t.note('client', String(await readAll(pair.client)), pair.client.bytesRead, pair.client.bytesWritten);
    await allClosed(pair.peer, pair.client);
    await endPair(pair);
  },
  'stream: a few megabytes in both directions at once': async (api, t) => {
    const pair = await connectPair(api, t, { allowHalfOpen: true });
    const bytes = pattern(5 * MEGABYTE);
    pair.client.end(bytes);
    pair.peer.end(bytes);
    const [atClient, atPeer] = await Promise.all([readAll(pair.client), readAll(pair.peer)]);
    t.note('both', atClient.equals(bytes), atPeer.equals(bytes), pair.client.bytesRead, pair.peer.bytesWritten);
    await endPair(pair);
  },
  'stream: every encoding of strings': async (api, t) => {
    const pair = await connectPair(api, t);
    const text = 'aé€𝄞 ÿ\u0000\ud800.';
    for (const encoding of ['utf8', 'utf-8', 'latin1', 'binary', 'ascii', 'ucs2', 'utf16le', 'UTF-8'] as const) {
      pair.client.write(text, encoding as BufferEncoding);
    }
    pair.client.write('00ff7f', 'hex');
    pair.client.write('AAECAw', 'base64');
    pair.client.write('_-8', 'base64url');
    pair.client.end('');
    t.note('peer', (await readAll(pair.peer)).toString('hex'), pair.client.bytesWritten);
    await endPair(pair);
  },
  'stream: long strings of every encoding': async (api, t) => {
    const pair = await connectPair(api, t);
    const text = 'añ€𝄞'.repeat(50_000);
    for (const encoding of ['utf8', 'latin1', 'utf16le'] as const) pair.client.write(text, encoding);
    pair.client.end();
    const bytes = await readAll(pair.peer);
    const wanted = Buffer.concat([Buffer.from(text), Buffer.from(text, 'latin1'), Buffer.from(text, 'utf16le')]);
    t.note('peer', bytes.length, bytes.equals(wanted), pair.client.bytesWritten);
    await endPair(pair);
  },
  'stream: corked writes of strings and buffers': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.cork();
    pair.client.write('latin é', 'latin1');
    pair.client.write(Buffer.from(' buffer '));
    pair.client.write('utf é ');
    pair.client.write('ff00', 'hex');
    pair.client.write('');
    t.note('client', pair.client.writableCorked, pair.client.writableLength, pair.client.bytesWritten);
    pair.client.uncork();
    t.note('client', pair.client.writableCorked, pair.client.writableLength);
    pair.client.end();
    t.note('peer', (await readAll(pair.peer)).toString('hex'));
    await endPair(pair);
  },
  'stream: corked large buffers': async (api, t) => {
    const pair = await connectPair(api, t);
    const bytes = pattern(MEGABYTE);
    pair.client.cork();
    for (let i = 0; i < 5; i++) pair.client.write(bytes, () => t.note('client', `written ${i}`));
    pair.client.uncork();
    pair.client.end();
    const received = await readAll(pair.peer);
    t.note('peer', received.length, received.subarray(4 * MEGABYTE).equals(bytes));
    await endPair(pair);
  },
  'stream: Uint8Array and DataView are written': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.write(new Uint8Array([1, 2, 3]));
    pair.client.write(new Uint8Array(new Uint8Array([9, 4, 5, 9]).buffer, 1, 2));
    pair.client.end();
    t.note('peer', (await readAll(pair.peer)).toString('hex'));
    await endPair(pair);
  },
  'stream: callbacks of writes come in order': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.peer.resume();
    for (let i = 0; i < 5; i++) pair.client.write(`${i}`, (error) => t.note('client', 'write', i, error));
    t.watch('client', pair.client, 'finish', 'drain');
    pair.client.end('x', () => t.note('client', 'end'));
    await once(pair.client, 'close');
    await endPair(pair);
  },
  'stream: a small write is done in the same turn': async (api, t) => {
    const pair = await connectPair(api, t);
    t.note(
      'client',
      pair.client.write('x', () => t.note('client', 'callback')),
    );
    t.note('client', 'length', pair.client.writableLength, pair.client.writableNeedDrain);
    process.nextTick(() => t.note('client', 'tick'));
    await immediate();
    await endPair(pair);
  },
  'stream: backpressure': async (api, t) => {
    const pair = await connectPair(api, t);
    const block = pattern(MEGABYTE);
    let blocks = 0;
    while (pair.client.write(block) && blocks < 100) blocks++;
    while (pair.client.writableLength === 0 && blocks < 100) {
      pair.client.write(block);
      blocks++;
    }
    t.note('client', 'full', pair.client.writableNeedDrain, pair.client.writableLength > 0, blocks < 100);
    t.watch('client', pair.client, 'drain', 'finish');
    let received = 0;
    pair.peer.on('data', (data) => {
      received += data.length;
    });
    await once(pair.client, 'drain');
    t.note('client', 'drained', pair.client.writableLength, pair.client.writableNeedDrain);
    pair.client.end();
    await once(pair.peer, 'end');
    t.note('peer', received === pair.client.bytesWritten, received % MEGABYTE);
    await endPair(pair);
  },
  'stream: a paused reader gets nothing': async (api, t) => {
    const pair = await connectPair(api, t);
    let received = 0;
    pair.peer.on('data', (data) => {
      received += data.length;
    });
    pair.peer.pause();
    pair.client.write('hello');
    await delay(10);
    t.note('peer', received, pair.peer.isPaused());
    pair.peer.resume();
    await once(pair.peer, 'data');
    t.note('peer', received, pair.peer.isPaused());
    await endPair(pair);
  },
  'stream: read() and readable': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.write('hello world');
    await once(pair.peer, 'readable');
    t.note('peer', String(pair.peer.read(5)), pair.peer.readableLength, String(pair.peer.read()), pair.peer.read());
    const ended = once(pair.peer, 'end');
    pair.client.end();
    pair.peer.on('readable', () => t.note('peer', 'readable', pair.peer.read()));
    await ended;
    await endPair(pair);
  },
  'stream: setEncoding joins characters that were torn': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.peer.setEncoding('utf8');
    let text = '';
    pair.peer.on('data', (chunk) => {
      text += chunk;
    });
    const bytes = Buffer.from('€𝄞');
    for (const byte of bytes) {
      pair.client.write(Buffer.of(byte));
      await delay(2);
    }
    pair.client.end();
    await once(pair.peer, 'end');
    t.note('peer', text);
    await endPair(pair);
  },
  'stream: the onread option with one buffer': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end(pattern(10_000)));
    const port = await listen(api, t, server);
    const chunks: Buffer[] = [];
    const client = api.net.connect({
      port,
      host: api.host,
      onread: {
        buffer: Buffer.alloc(1024),
        callback: (count, buffer) => {
          chunks.push(Buffer.from(buffer.subarray(0, count)));
          return true;
        },
      },
    });
    t.watch('client', client, 'data', 'end', 'close');
    await allClosed(client);
    t.note('client', Buffer.concat(chunks).equals(pattern(10_000)), Math.max(...chunks.map((chunk) => chunk.length)));
    await closeServer(server);
  },
  'stream: the onread option with a function, and pausing': async (api, t) => {
    const server = api.net.createServer((peer) => peer.end(pattern(5_000)));
    const port = await listen(api, t, server);
    let received = 0;
    let buffers = 0;
    const client = api.net.connect({
      port,
      host: api.host,
      onread: {
        buffer: () => {
          buffers++;
          return Buffer.alloc(1_000);
        },
        callback: (count) => {
          received += count;
          if (received !== 3_000) return true;
          t.note('client', 'paused');
          setTimeout(() => client.resume(), 5);
          return false;
        },
      },
    });
    await allClosed(client);
    t.note('client', received, buffers >= 5);
    await closeServer(server);
  },
  'half-close: the peer that ends is answered by an end': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'finish', 'end', 'close');
    t.watch('peer', pair.peer, 'finish', 'end', 'close');
    pair.client.resume();
    pair.peer.resume();
    pair.client.end();
    t.note('client', pair.client.readyState, pair.client.writable, pair.client.writableEnded);
    await allClosed(pair.client, pair.peer);
    t.note('client', pair.client.readyState);
    await endPair(pair);
  },
  'half-close: allowHalfOpen goes on writing': async (api, t) => {
    const pair = await connectPair(api, t, { allowHalfOpen: true });
    t.watch('peer', pair.peer, 'finish', 'end', 'close');
    pair.client.end('question');
    const question = String(await readAll(pair.peer));
    t.note('peer', question, pair.peer.readyState, pair.peer.writable, pair.peer.destroyed);
    pair.peer.write('answer ');
    await delay(5);
    pair.peer.end('done');
    t.note('client', String(await readAll(pair.client)), pair.client.readyState);
    await allClosed(pair.peer);
    await endPair(pair);
  },
  'half-close: without allowHalfOpen a write after the end of the peer fails': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.end();
    pair.peer.resume();
    pair.peer.on('error', (error) => t.note('peer', 'error', error));
    await once(pair.peer, 'end');
    pair.peer.write('late', (error) => t.note('peer', 'write', error));
    await allClosed(pair.peer);
    await endPair(pair);
  },
  'half-close: writing after end()': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.client.on('error', (error) => t.note('client', 'error', error));
    pair.client.end();
    pair.client.write('late', (error) => t.note('client', 'write', error));
    pair.peer.resume();
    await allClosed(pair.client);
    await endPair(pair);
  },
  'half-close: end twice': async (api, t) => {
    const pair = await connectPair(api, t);
    t.watch('client', pair.client, 'finish', 'error', 'end', 'close');
    pair.peer.resume();
    pair.client.resume();
    pair.client.end('x');
    pair.client.end((error?: Error) => t.note('client', 'callback', error));
    await allClosed(pair.client);
    await endPair(pair);
  },
  'half-close: readyState on the way': async (api, t) => {
    const pair = await connectPair(api, t, { allowHalfOpen: true });
    t.note('client', pair.client.readyState);
    pair.client.end();
    await once(pair.client, 'finish');
    t.note('client', pair.client.readyState);
    if (!pair.peer.readableEnded) await once(pair.peer.resume(), 'end');
    t.note('peer', pair.peer.readyState);
    pair.client.resume();
    pair.peer.end();
    await allClosed(pair.client, pair.peer);
    t.note('client', pair.client.readyState);
    t.note('peer', pair.peer.readyState);
    await endPair(pair);
  },
  'half-close: data before the end of a paused reader is kept': async (api, t) => {
    const pair = await connectPair(api, t);
    pair.peer.pause();
    pair.client.end('kept');
    await delay(10);
    t.note('peer', String(await readAll(pair.peer.resume())));
    await endPair(pair);
  },
  'stream: pipeline': async (api, t) => {
    const server = api.net.createServer((peer) => {
      pipeline(peer, peer).then(
        () => t.note('peer', 'done'),
        (error) => t.note('peer', error),
      );
    });
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    const received = readAll(client);
    await pipeline(Readable.from([Buffer.from('a'), Buffer.from('b')]), client);
    t.note('client', String(await received));
    await closeServer(server);
  },
  'stream: for await': async (api, t) => {
    const server = api.net.createServer((peer) => {
      peer.write('one');
      peer.end('two');
    });
    const port = await listen(api, t, server);
    let text = '';
    for await (const chunk of api.net.connect(port, api.host)) text += chunk;
    t.note('client', text);
    await closeServer(server);
  },
  'stream: breaking out of for await destroys the socket': async (api, t) => {
    const server = api.net.createServer((peer) => {
      peer.on('error', () => {});
      peer.on('close', () => t.note('peer', 'closed'));
      peer.write('one');
    });
    const port = await listen(api, t, server);
    const client = api.net.connect(port, api.host);
    for await (const _ of client) break;
    t.note('client', client.destroyed);
    await closeServer(server);
  },
  'stream: thousands of small writes': async (api, t) => {
    const pair = await connectPair(api, t);
    for (let i = 0; i < 5_000; i++) pair.client.write(`${i % 10}`);
    pair.client.end();
    const bytes = await readAll(pair.peer);
    t.note('peer', bytes.length, String(bytes.subarray(0, 20)), String(bytes.subarray(4_990)));
    await endPair(pair);
  },
  'stream: received buffers do not change later': async (api, t) => {
    const pair = await connectPair(api, t);
    const kept: Buffer[] = [];
    pair.peer.on('data', (data) => kept.push(data));
    for (let i = 0; i < 50; i++) {
      pair.client.write(Buffer.alloc(3_000, i));
      await immediate();
    }
    pair.client.end();
    await once(pair.peer, 'end');
    const bytes = Buffer.concat(kept);
    t.note(
      'peer',
      bytes.length,
      Array.from({ length: 50 }, (_, i) => i).every((i) => bytes[i * 3_000 + 1_500] === i),
    );
    await endPair(pair);
  },
};
