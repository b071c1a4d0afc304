/** Any way through configurations ends where a fresh start would, with traffic going on, and gives everything back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/base/random.js';
import { resolveConfig } from '../../src/config/load.js';
import type { NetworkConfig } from '../../src/config/schema.js';
import { Network } from '../../src/engine/network.js';
import { VirtualDriver } from '../../src/engine/virtual-driver.js';
import { showInterfaces, showRoutes } from '../../src/ops/show.js';
import { parseIpv4 } from '../../src/wire/address.js';

interface Choice {
  readonly hasWeb: boolean;
  readonly isPeered: boolean;
  readonly isForwarding: boolean;
  readonly mtu: number;
  readonly addresses: number;
  readonly hasDefault: boolean;
  readonly impair: 'none' | 'loss' | 'delay';
}

const choices = fc.record<Choice>({
  hasWeb: fc.boolean(),
  isPeered: fc.boolean(),
  isForwarding: fc.boolean(),
  mtu: fc.constantFrom(1500, 9000),
  addresses: fc.integer({ min: 0, max: 2 }),
  hasDefault: fc.boolean(),
  impair: fc.constantFrom('none', 'loss', 'delay'),
});

const IMPAIRMENTS = { none: {}, loss: { impair: { loss: 0.5 } }, delay: { impair: { delay: 3 } } } as const;

function configOf(choice: Choice): NetworkConfig {
  const { mtu, isForwarding } = choice;
  const eth0 = {
    type: 'veth' as const,
    mtu,
    address: ['10.0.0.2/24', '10.0.0.3/24'].slice(0, choice.addresses),
    ...IMPAIRMENTS[choice.impair],
    ...(choice.isPeered ? { peer: 'router.web' } : { switch: 'lan' }),
  };
  const routes = choice.hasDefault && choice.addresses > 0 ? [{ to: 'default', via: '10.0.0.1' }] : [];
  return {
    memory: { packets: 1024, connections: 64, arenaBytes: '64MiB' },
    stacks: {
      router: {
        forwarding: isForwarding,
        interfaces: {
          lan: { type: 'veth', switch: 'lan', ...(choice.isPeered ? {} : { address: '10.0.0.1/24' }) },
          ...(choice.isPeered && choice.hasWeb ? { web: { type: 'veth', address: '10.0.0.1/24' } } : {}),
        },
      },
      ...(choice.hasWeb ? { web: { interfaces: { eth0 }, routes } } : {}),
    },
    switches: { lan: {} },
  };
}

function makeNetwork(choice: Choice): { network: Network; driver: VirtualDriver } {
  const driver = new VirtualDriver();
  const network = new Network(resolveConfig(configOf(choice)), { driver, random: seededRandom(1) });
  void network.apply(resolveConfig(configOf(choice)));
  return { network, driver };
}

/** What a network looks like from outside; link addresses and counts are a network's own. */
function look(network: Network): unknown {
  const interfaces = showInterfaces(network).map(({ stack, name, kind, mtu, addresses }) => {
    return `${stack} ${name} ${kind} ${mtu} ${addresses.join(' ')}`;
  });
  const routes = showRoutes(network).map((route) => JSON.stringify(route));
  return { stacks: network.stackNames.sort(), interfaces: interfaces.sort(), routes: routes.sort() };
}

test('any way through configurations ends where a fresh start would', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(choices, { minLength: 2, maxLength: 6 }), async (way) => {
      const { network, driver } = makeNetwork(way[0]!);
      for (const choice of way) {
        await network.apply(resolveConfig(configOf(choice)));
        // Packets are on their way when the next change comes.
        network.worker.l3.ping(network.stackRow('router'), parseIpv4('10.0.0.2'), {}, () => {});
        driver.runUntilSync(driver.nowNs() + 1e6);
      }
      const fresh = makeNetwork(way.at(-1)!);
      assert.deepEqual(look(network), look(fresh.network));
      await network.close();
      await fresh.network.close();
    }),
    { numRuns: 25, seed: 42 },
  );
});

test('a closed network takes no changes', async () => {
  const network = new Network(resolveConfig({ stacks: { a: {} } }), { driver: new VirtualDriver() });
  const closing = network.close();
  const change = network.apply(resolveConfig({ stacks: { a: {}, b: {} } }));
  await assert.rejects(change, { code: 'USERNET_CLOSED' });
  await closing;
  assert.deepEqual(network.stackNames, []);
});
