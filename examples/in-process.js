// Two hosts and a switch in this process; a web server on one, a request from the other. No port of the machine is used.
import { createNetwork } from 'usernet';

const network = await createNetwork({
  stacks: {
    web: { interfaces: { eth0: { type: 'veth', switch: 'lan', address: '10.0.0.1/24' } } },
    client: { interfaces: { eth0: { type: 'veth', switch: 'lan', address: '10.0.0.2/24' } } },
  },
  switches: { lan: {} },
});

const server = network.stack('web').http.createServer((request, response) => {
  response.end(`Hello ${request.socket.remoteAddress}, you asked for ${request.url}\n`);
});
await new Promise((listening) => server.listen(80, listening));

// Stacks are known by their names.
const response = await network.stack('client').fetch('http://web/page');
console.log(response.status, await response.text());

await network.close();
