// An ordinary web server: nothing in it knows of usernet.
//   GET /         a page
//   GET /bytes/N  N bytes: block b of 64 KiB is its number (4 bytes, big-endian), then byte i of it is i × 31 mod 256
import http from 'node:http';

const BLOCK_BYTES = 65_536;
const pattern = Buffer.from(Array.from({ length: BLOCK_BYTES }, (_, i) => (i * 31) & 255));

const page = `<!doctype html>
<title>Hello</title>
<h1>Hello from user space</h1>
<p>An unmodified Node server sent this page over a TCP/IP stack written in TypeScript.</p>
`;

function* blocks(total) {
  for (let at = 0, number = 0; at < total; at += BLOCK_BYTES, number++) {
    const block = Buffer.from(pattern);
    block.writeUInt32BE(number % 2 ** 32);
    yield block.subarray(0, Math.min(BLOCK_BYTES, total - at));
  }
}

function sendBytes(response, total) {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': total });
  const source = blocks(total);
  const fill = () => {
    for (let block = source.next(); !block.done; block = source.next()) {
      if (!response.write(block.value)) return;
    }
    response.end();
  };
  response.on('drain', fill);
  fill();
}

const server = http.createServer((request, response) => {
  const count = /^\/bytes\/(\d{1,12})$/.exec(request.url ?? '');
  if (count) return sendBytes(response, Number(count[1]));
  response.writeHead(request.url === '/' ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
  response.end(request.url === '/' ? page : '<h1>404</h1>\n');
});

server.listen(80, () => console.log('hello-server: listening on port 80'));
