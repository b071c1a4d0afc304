// A download over a bad link, in virtual time: minutes of retransmissions pass in a moment, and each run is the same.
import { createNetwork, seededRandom, VirtualDriver } from 'usernet';

const BYTES = 1_000_000;

async function download(impair) {
  const driver = new VirtualDriver();
  const network = await createNetwork(
    {
      stacks: {
        server: { interfaces: { eth0: { type: 'veth', peer: 'client.eth0', address: '10.0.0.1/24', impair } } },
        client: { interfaces: { eth0: { type: 'veth', address: '10.0.0.2/24' } } },
      },
    },
    { driver, random: seededRandom(1) },
  );
  const server = network.stack('server').net.createServer((socket) => socket.end(Buffer.alloc(BYTES)));
  server.listen(80);
  let received = 0;
  let isOver = false;
  const socket = network.stack('client').net.connect(80, '10.0.0.1');
  socket.on('data', (chunk) => {
    received += chunk.length;
  });
  socket.on('end', () => {
    isOver = true;
  });
  const startNs = driver.nowNs();
  await driver.runUntil(3600e9, () => isOver);
  const seconds = (driver.nowNs() - startNs) / 1e9;
  await network.close();
  return `${received} bytes in ${seconds.toFixed(3)} s of virtual time`;
}

for (const loss of [0, 0.01, 0.05, 0.1]) {
  console.log(`loss ${loss * 100} %: ${await download({ loss, delay: 20, rate: '100Mbit', seed: 7 })}`);
}
