// Two networks that know nothing of each other, joined by a stream of IP packets: a tunnel, a USB cable, a WebSocket …
import { once } from 'node:events';
import { createNetwork } from 'usernet';

function host(address, link) {
  return createNetwork({
    stacks: { host: { interfaces: { tun0: { type: 'stream', link: 'ip', stream: link, address } } } },
  });
}

// What one network sends is injected into the other; the bytes could cross anything in between.
const packets = { left: 0, right: 0 };
const left = {
  onPacket(packet) {
    packets.left++;
    right.inject(packet);
  },
};
const right = {
  onPacket(packet) {
    packets.right++;
    left.inject(packet);
  },
};
const [here, there] = await Promise.all([host('10.9.0.1/24', left), host('10.9.0.2/24', right)]);

const server = there.stack('host').net.createServer((socket) => socket.end('hello over the tunnel\n'));
server.listen(7000);
await once(server, 'listening');

const socket = here.stack('host').net.connect(7000, '10.9.0.2');
for await (const chunk of socket) process.stdout.write(chunk);
console.log(`${packets.left} packets went there, ${packets.right} came back`);

await Promise.all([here.close(), there.close()]);
