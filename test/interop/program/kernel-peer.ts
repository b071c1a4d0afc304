/** An ordinary program on the kernel's sockets: HTTP that answers with the hash of what it got, and TCP and UDP echo. */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import http from 'node:http';
import net from 'node:net';

const ECHO_PORT = 7;

http
  .createServer((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
  })
  .listen(80);

net
  .createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  })
  .listen(ECHO_PORT);

const echo = createSocket('udp4');
echo.on('message', (message, sender) => echo.send(message, sender.port, sender.address));
echo.bind(ECHO_PORT, () => console.log('ready'));
