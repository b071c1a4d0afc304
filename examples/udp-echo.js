// A UDP echo server behind a router, and a client that counts the answers.
import { once } from 'node:events';
import { createNetwork } from 'usernet';

const network = await createNetwork({
  stacks: {
    server: {
      interfaces: { eth0: { type: 'veth', peer: 'router.a', address: '10.1.0.2/24' } },
      routes: [{ to: 'default', via: '10.1.0.1' }],
    },
    router: {
      interfaces: {
        a: { type: 'veth', address: '10.1.0.1/24' },
        b: { type: 'veth', address: '10.2.0.1/24' },
      },
      forwarding: true,
    },
    client: {
      interfaces: { eth0: { type: 'veth', peer: 'router.b', address: '10.2.0.2/24' } },
      routes: [{ to: 'default', via: '10.2.0.1' }],
    },
  },
});

const server = network.stack('server').dgram.createSocket('udp4');
server.on('message', (message, sender) => server.send(message, sender.port, sender.address));
server.bind(7);
await once(server, 'listening');

const client = network.stack('client').dgram.createSocket('udp4');
for (let i = 1; i <= 3; i++) {
  client.send(`datagram ${i}`, 7, '10.1.0.2');
  const [message, sender] = await once(client, 'message');
  console.log(`${message} came back from ${sender.address}:${sender.port}`);
}

await network.close();
