/** The session layer's conformance suite of ports, on real TCP and UDP: within a stack, and through router and switch. */
import { seededRandom } from '../../src/base/random.js';
import { resolveConfig } from '../../src/config/load.js';
import { Network } from '../../src/engine/network.js';
import { VirtualDriver } from '../../src/engine/virtual-driver.js';
import { wordsFromIpv4 } from '../../src/session/address.js';
import { DirectPort } from '../../src/session/direct-carrier.js';
import type { SessionPort } from '../../src/session/port.js';
import { portConformance } from '../../src/session/testing/port-conformance.test-support.js';
import type { PortHarness } from '../../src/session/testing/port-harness.test-support.js';
import { parseIpv4 } from '../../src/wire/address.js';
import { demoConfig } from './lab.js';

/** Long enough for handshakes, acknowledgments and ARP; too short for TIME-WAIT. */
const SETTLE_NS = 5e9;

function makeHarness(peer: 'web' | 'client'): PortHarness {
  const driver = new VirtualDriver();
  const config = resolveConfig({ memory: { packets: 4096, connections: 1024, arenaBytes: '256MiB' }, ...demoConfig() });
  const network = new Network(config, { driver, random: seededRandom(1) });
  void network.apply(config);
  const portOf = (stack: string): SessionPort => {
    const row = network.stackRow(stack);
    return new DirectPort(network.worker.sessions, { name: stack, namespace: row, stack: row });
  };
  return {
    port: () => portOf('web'),
    peerPort: () => portOf(peer),
    address: wordsFromIpv4(parseIpv4('10.0.0.2')),
    foreignAddress: wordsFromIpv4(parseIpv4('192.0.2.1')),
    settle: () => void driver.runUntilSync(driver.nowNs() + SETTLE_NS),
    close: () => network.close(),
  };
}

portConformance('on a stack', () => makeHarness('web'));
portConformance('through router and switch', () => makeHarness('client'));
