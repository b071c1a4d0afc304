/** Networks in virtual time for tests: closed at the end, with every packet back. */
import type { TestContext } from 'node:test';
import { seededRandom } from '../../src/base/random.js';
import type { NetworkConfig } from '../../src/config/schema.js';
import type { Network } from '../../src/engine/network.js';
import { VirtualDriver } from '../../src/engine/virtual-driver.js';
import type { PingResult } from '../../src/l3/icmp-echo.js';
import { createNetwork } from '../../src/ops/start-network.js';
import { parseIpv4 } from '../../src/wire/address.js';

export interface Lab {
  readonly network: Network;
  readonly driver: VirtualDriver;
}

/** Small tables: a network takes milliseconds to make. */
const MEMORY = { packets: 4096, connections: 1024, arenaBytes: '256MiB' };

export async function makeLab(t: TestContext, config: NetworkConfig, seed = 1): Promise<Lab> {
  const driver = new VirtualDriver();
  const network = await createNetwork({ memory: MEMORY, ...config }, { driver, random: seededRandom(seed) });
  t.after(() => network.close());
  return { network, driver };
}

/** client – router – switch – web, as in the demo. */
export function demoConfig(): NetworkConfig & { stacks: NonNullable<NetworkConfig['stacks']> } {
  return {
    stacks: {
      router: {
        interfaces: {
          lan: { type: 'veth', switch: 'lan0', address: '10.0.0.1/24' },
          up: { type: 'veth', peer: 'client.eth0', address: '10.1.0.1/24' },
        },
        forwarding: true,
      },
      web: {
        interfaces: { eth0: { type: 'veth', switch: 'lan0', address: '10.0.0.2/24' } },
        routes: [{ to: 'default', via: '10.0.0.1' }],
      },
      client: {
        interfaces: { eth0: { type: 'veth', peer: 'router.up', address: '10.1.0.2/24' } },
        routes: [{ to: 'default', via: '10.1.0.1' }],
      },
    },
    switches: { lan0: {} },
  };
}

/** One echo request; the result, in at most two seconds of virtual time. */
export async function ping({ network, driver }: Lab, from: string, to: string, ttl = 64): Promise<PingResult> {
  let result: PingResult | undefined;
  const options = { ttl, timeoutMs: 1000 };
  network.worker.l3.ping(network.stackRow(from), parseIpv4(to), options, (each) => {
    result = each;
  });
  network.wake();
  await driver.runUntil(driver.nowNs() + 5e9, () => result !== undefined);
  return result ?? { kind: 'timeout' };
}
