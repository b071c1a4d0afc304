/** The session layer's conformance suite of ports over stream carriers, on real TCP and UDP. */
import { seededRandom } from '../../src/base/random.js';
import { resolveConfig } from '../../src/config/load.js';
import { Network } from '../../src/engine/network.js';
import { VirtualDriver } from '../../src/engine/virtual-driver.js';
import { wordsFromIpv4 } from '../../src/session/address.js';
import type { SessionPort } from '../../src/session/port.js';
import { portConformance } from '../../src/session/testing/port-conformance.test-support.js';
import type { PortHarness } from '../../src/session/testing/port-harness.test-support.js';
import { StreamLink } from '../../src/session/testing/stream-link.js';
import { parseIpv4 } from '../../src/wire/address.js';
import { demoConfig } from './lab.js';

const STEP_NS = 1e6;
/** Long enough for handshakes, acknowledgments and ARP; too short for TIME-WAIT. */
const SETTLE_NS = 2e9;
/** Bytes that crossed the stream need a run to go on, and so on: a window's worth of exchanges. */
const STEPS = 40;

function makeHarness(peer: 'web' | 'client'): PortHarness {
  const driver = new VirtualDriver();
  const config = resolveConfig({ memory: { packets: 4096, connections: 1024, arenaBytes: '256MiB' }, ...demoConfig() });
  const network = new Network(config, { driver, random: seededRandom(1) });
  void network.apply(config);
  const links: StreamLink[] = [];
  const step = (): void => {
    for (const link of links) link.pump();
    driver.runUntilSync(driver.nowNs() + STEP_NS);
  };
  const portOf = (stack: string): SessionPort => {
    const row = network.stackRow(stack);
    const readMore = (): boolean => {
      step();
      return true;
    };
    const random = seededRandom(links.length);
    const link = new StreamLink(network.worker.sessions, random, { readMore }, { namespace: row, stack: row });
    links.push(link);
    return link.port;
  };
  const exchange = (): void => {
    for (let i = 0; i < STEPS; i++) {
      do step();
      while (links.some((link) => !link.isIdle));
    }
  };
  return {
    port: () => portOf('web'),
    peerPort: () => portOf(peer),
    address: wordsFromIpv4(parseIpv4('10.0.0.2')),
    foreignAddress: wordsFromIpv4(parseIpv4('192.0.2.1')),
    settle: () => {
      exchange();
      driver.runUntilSync(driver.nowNs() + SETTLE_NS);
      exchange();
    },
    close: () => network.close(),
  };
}

portConformance('stream carrier on a stack', () => makeHarness('web'));
portConformance('stream carrier through router and switch', () => makeHarness('client'));
