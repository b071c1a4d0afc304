import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseAddressWords, wordsFromIpv4 } from './address.js';
import { formatEnd, listSessions } from './session-list.js';
import { FakeNetwork } from './testing/fake-network.js';

it('lists listeners, connections and UDP sockets with who has them', () => {
  const network = new FakeNetwork();
  const address = wordsFromIpv4(0x0a000001);
  const server = network.port('web');
  const client = network.port('curl');
  server.listen({ local: address, localPort: 80 });
  server.listen({ local: wordsFromIpv4(0), anyPort: true });
  client.connect({ remote: address, remotePort: 80, localPort: 5000 });
  client.udpBind({ local: address, localPort: 53 });
  network.settle();
  const lines = listSessions(network.layer, network.udp).map(
    (entry) => `${entry.protocol} ${entry.state} ${entry.local} ${entry.remote} ${entry.application} ${entry.worker}`,
  );
  assert.deepEqual(lines, [
    'tcp listen 10.0.0.1:80  web 1',
    'tcp listen *:*  web 1',
    'tcp established 10.0.0.1:5000 10.0.0.1:80 curl 1',
    'tcp established 10.0.0.1:80 10.0.0.1:5000 web 1',
    'udp bound 10.0.0.1:53  curl 1',
  ]);
});

it('writes IPv6 addresses in brackets', () => {
  assert.equal(formatEnd(parseAddressWords('2001:db8::1')!, 80), '[2001:db8::1]:80');
  assert.equal(formatEnd(parseAddressWords('::')!, 0), '*:*');
});
