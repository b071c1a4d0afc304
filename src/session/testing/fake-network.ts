/**
 * The session layer without a network: applications in one thread that reach each other through the same SessionPort
 * interface as on a stack, over a transport that has no packets. For tests of what stands above.
 *
 *   const network = new FakeNetwork({ schedule: setImmediate });
 *   const server = network.port();
 *   const client = network.port();
 *
 * Every address is local to every port. Events are delivered by {@link FakeNetwork.run}, which `schedule` is asked to
 * call, or which the test calls.
 */

import type { ErrnoName } from '../../transport/events.js';
import { parseIpv4 } from '../../wire/address.js';
import { wordsFromIpv4 } from '../address.js';
import type { ApplicationLimits } from '../application.js';
import { DirectPort } from '../direct-carrier.js';
import { Errno } from '../errno.js';
import { SessionLayer } from '../session-layer.js';
import { LoopbackTcp } from './loopback-tcp.js';
import { LoopbackUdp } from './loopback-udp.js';

const DEFAULT_FIFO_BYTES = 65_536;
const MAX_CONNECTIONS = 4_096;
const MAX_UDP_SOCKETS = 1_024;
/** TEST-NET-1 is nobody's address, here too. RFC 5737. */
const FOREIGN = parseIpv4('192.0.2.0') >>> 8;

export interface FakeNetworkOptions {
  /** Called when there is something to deliver; must call its argument later, never at once. */
  readonly schedule?: (run: () => void) => void;
  /** Bytes of each FIFO. Default 65,536. */
  readonly fifoBytes?: number;
  /** Memory of all FIFOs. Default 128 MiB. */
  readonly heapBytes?: number;
  /** What becomes of a connect: an errno, 'hang' for no answer, undefined to go on as usual. */
  readonly onConnect?: (remote: Int32Array, remotePort: number) => ErrnoName | 'hang' | undefined;
  /** IPv4 addresses of host names, for resolve. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

export class FakeNetwork {
  readonly tcp: LoopbackTcp;
  readonly udp: LoopbackUdp;
  readonly layer: SessionLayer;
  readonly #schedule: ((run: () => void) => void) | undefined;
  #isScheduled = false;

  constructor(options: FakeNetworkOptions = {}) {
    this.#schedule = options.schedule;
    const isLocal = (address: ArrayLike<number>): boolean => address[2] === 0xffff && address[3]! >>> 8 !== FOREIGN;
    this.tcp = new LoopbackTcp({
      maxConnections: MAX_CONNECTIONS,
      fifoBytes: options.fifoBytes ?? DEFAULT_FIFO_BYTES,
      heapBytes: options.heapBytes,
      onConnect: options.onConnect,
    });
    this.udp = new LoopbackUdp(isLocal);
    this.layer = new SessionLayer({
      arena: this.tcp.arena,
      tcp: this.tcp,
      udp: this.udp,
      maxConnections: MAX_CONNECTIONS,
      maxUdpSockets: MAX_UDP_SOCKETS,
      isLocalAddress: (_stack, address) => isLocal(address),
      resolveName: (_stack, name, _family, answer) => {
        const found = options.names?.[name];
        answer(found ? 0 : Errno.ENOENT, found?.map((text) => wordsFromIpv4(parseIpv4(text))) ?? []);
      },
    });
    const wake = (): void => this.#wake();
    this.tcp.wake = wake;
    this.udp.wake = wake;
    this.layer.wake = wake;
  }

  /** Attaches an application of its own. */
  port(name = 'test', limits: Partial<ApplicationLimits> = {}): DirectPort {
    return new DirectPort(this.layer, { name, namespace: 0, stack: 0, limits });
  }

  /** Does one pass and delivers its events; what they lead to waits for the next. */
  run(): void {
    this.#isScheduled = false;
    this.tcp.flushEvents();
    this.udp.flushEvents();
    this.layer.flush();
    if (this.layer.hasWork || this.tcp.hasOutput) this.#wake();
  }

  /** Runs until nothing happens any more; connections that nobody accepts may still wait. */
  settle(): void {
    for (let quiet = 0; quiet < 3; quiet++) {
      this.run();
      if (this.layer.hasWork) quiet = 0;
    }
  }

  /** The stack goes away under its applications. */
  break(): void {
    this.layer.removeStack(0);
    this.layer.flush();
  }

  #wake(): void {
    if (this.#isScheduled || this.#schedule === undefined) return;
    this.#isScheduled = true;
    this.#schedule(() => this.run());
  }
}
