/** One end of the bench `attach`, an ordinary program: `receive|send ADDRESS PORT BYTES`. */
import net from 'node:net';

const CHUNK_BYTES = 65_536;
const [role = '', address = '', port = '', bytes = ''] = process.argv.slice(2);

function report(transferred: number, cpuBefore: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(JSON.stringify({ bytes: transferred, cpuSeconds: (user + system) / 1e6 }));
}

if (role === 'receive') {
  const server = net.createServer((socket) => {
    const before = process.cpuUsage();
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('end', () => {
      socket.end();
      report(received, before);
      server.close();
    });
  });
  server.listen(Number(port), address, () => console.log(port));
} else {
  const socket = net.connect(Number(port), address, () => {
    const before = process.cpuUsage();
    const chunk = Buffer.alloc(CHUNK_BYTES, 'usernet ');
    let left = Number(bytes);
    const send = (): void => {
      while (left > 0) {
        left -= CHUNK_BYTES;
        if (!socket.write(chunk)) return;
      }
      socket.end();
    };
    socket.on('drain', send);
    socket.on('close', () => report(Number(bytes), before));
    socket.resume();
    send();
  });
}
