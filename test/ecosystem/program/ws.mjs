import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';
import { pattern } from './tools.mjs';

const LARGE_BYTES = 3_000_000;
const SMALL_MESSAGES = 500;

export async function serve(host, port) {
  const server = new WebSocketServer({ host, port, perMessageDeflate: true });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (!isBinary && data.toString() === 'bye') socket.close(4000, 'as you wish');
      else socket.send(data, { binary: isBinary });
    });
  });
  await once(server, 'listening');
  return { port: server.address().port, close: () => new Promise((done) => server.close(done)) };
}

export async function use(host, port) {
  const socket = new WebSocket(`ws://${host}:${port}/`);
  await once(socket, 'open');

  const large = pattern(LARGE_BYTES);
  socket.send(large);
  const [echo, isBinary] = await once(socket, 'message');
  assert.ok(isBinary && large.equals(echo));

  const received = [];
  const all = new Promise((done) => {
    socket.on('message', (data) => {
      received.push(data.toString());
      if (received.length === SMALL_MESSAGES) done();
    });
  });
  for (let i = 0; i < SMALL_MESSAGES; i++) socket.send(`message ${i}`);
  await all;
  assert.deepEqual(
    received,
    Array.from({ length: SMALL_MESSAGES }, (_, i) => `message ${i}`),
  );

  socket.ping('are you there?');
  const [pong] = await once(socket, 'pong');
  assert.equal(pong.toString(), 'are you there?');

  socket.send('bye');
  const [code, reason] = await once(socket, 'close');
  assert.deepEqual([code, reason.toString()], [4000, 'as you wish']);
}
