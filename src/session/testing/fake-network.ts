/**
 * A session layer without a network: applications that are joined back to back by FIFOs in memory, through the same
 * SessionPort interface. For tests of what stands above it.
 *
 *   const network = new FakeNetwork({ schedule: setImmediate });
 *   const server = network.port(), client = network.port();
 *
 * All ports share one address space in which every address is local. Events are delivered by {@link FakeNetwork.run},
 * which `schedule` is asked to call, or which the test calls.
 */
import { IPV4_LOOPBACK } from '../../wire/address.js';
import { areWordsEqual, isAnyWords, isIpv4Words, wordsFromIpv4 } from '../address.js';
import { Errno } from '../errno.js';
import { HandleTable } from '../handle-table.js';
import { ByteRing } from './byte-ring.js';
import type { FakeListener, FakeSession, FakeUdpSocket } from './fake-endpoint.js';
import { FakePort } from './fake-port.js';

const FIRST_EPHEMERAL_PORT = 49_152;
const LAST_PORT = 65_535;
const WORKER = 1;

export interface FakeNetworkOptions {
  /** Called when there is something to deliver; must call its argument later, never at once. */
  readonly schedule?: (run: () => void) => void;
  /** Bytes of each FIFO. Default 65,536. */
  readonly fifoBytes?: number;
  /** What becomes of a connect: an errno, 'hang' for no answer, undefined to go on as usual. */
  readonly onConnect?: (remote: Int32Array, remotePort: number) => number | 'hang' | undefined;
  /** Addresses of host names, for resolve. */
  readonly names?: Readonly<Record<string, readonly Int32Array[]>>;
}

/** Two bound ends and what they may share. */
interface Bound {
  readonly local: Int32Array;
  readonly localPort: number;
  readonly isIpv6Only: boolean;
  readonly isReuseport: boolean;
}

export class FakeNetwork {
  readonly options: FakeNetworkOptions;
  readonly handles = new HandleTable<FakeSession | FakeListener | FakeUdpSocket>(WORKER);
  readonly listeners: FakeListener[] = [];
  readonly sockets: FakeUdpSocket[] = [];
  readonly #ports: FakePort[] = [];
  #nextPort = FIRST_EPHEMERAL_PORT;
  #isScheduled = false;

  constructor(options: FakeNetworkOptions = {}) {
    this.options = options;
  }

  /** Attaches an application. */
  port(): FakePort {
    const port = new FakePort(this);
    this.#ports.push(port);
    return port;
  }

  /** Delivers the events that wait now; what they lead to waits for the next run. */
  run(): void {
    this.#isScheduled = false;
    for (const port of [...this.#ports]) port.deliver();
  }

  /** Runs until no event waits. */
  settle(): void {
    while (this.#ports.some((port) => port.pendingEvents > 0)) this.run();
  }

  wake(): void {
    if (this.#isScheduled || this.options.schedule === undefined) return;
    this.#isScheduled = true;
    this.options.schedule(() => this.run());
  }

  detach(port: FakePort): void {
    const at = this.#ports.indexOf(port);
    if (at >= 0) this.#ports.splice(at, 1);
  }

  makeSession(port: FakePort, acceptedFor: FakeListener | undefined): FakeSession {
    const session: FakeSession = {
      kind: 'session',
      port,
      handle: 0,
      local: new Int32Array(4),
      localPort: 0,
      remote: new Int32Array(4),
      remotePort: 0,
      peer: undefined,
      rx: new ByteRing(this.options.fifoBytes ?? 65_536),
      isReadableKnown: false,
      wantsToWrite: false,
      hasShutdown: false,
      hasPeerShutdown: false,
      isGone: false,
      connectRequest: 0,
      acceptedFor,
    };
    session.handle = this.handles.add(session);
    return session;
  }

  /** The listener for a connection to `local`: address before any, port before all ports. */
  findListener(local: Int32Array, localPort: number): FakeListener | undefined {
    const suits = (listener: FakeListener, exact: boolean, anyPort: boolean): boolean =>
      listener.isAnyPort === anyPort &&
      (anyPort || listener.localPort === localPort) &&
      (exact ? areWordsEqual(listener.local, local) : takesAny(listener, local));
    for (const anyPort of [false, true]) {
      for (const exact of [true, false]) {
        const found = this.listeners.filter((listener) => suits(listener, exact, anyPort));
        if (found.length === 0) continue;
        // In turn among a reuseport group.
        const listener = found[0]!;
        this.listeners.splice(this.listeners.indexOf(listener), 1);
        this.listeners.push(listener);
        return listener;
      }
    }
    return undefined;
  }

  findSocket(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): FakeUdpSocket | undefined {
    const candidates = this.sockets.filter(
      (socket) =>
        socket.localPort === localPort &&
        (areWordsEqual(socket.local, local) || takesAny(socket, local)) &&
        (socket.remotePort === 0 || (socket.remotePort === remotePort && areWordsEqual(socket.remote, remote))),
    );
    const rank = (socket: FakeUdpSocket): number => (socket.remotePort ? 2 : 0) + (isAnyWords(socket.local) ? 0 : 1);
    return candidates.sort((a, b) => rank(b) - rank(a))[0];
  }

  /** Errno of binding there, 0 if it is free. */
  bindConflict(among: readonly Bound[], wanted: Bound): number {
    const clash = among.some(
      (bound) =>
        bound.localPort === wanted.localPort &&
        !(bound.isReuseport && wanted.isReuseport) &&
        (areWordsEqual(bound.local, wanted.local) || takesAny(bound, wanted.local) || takesAny(wanted, bound.local)),
    );
    return clash ? Errno.EADDRINUSE : 0;
  }

  /** The address that a peer is reached at: an unspecified one means this host. */
  localFor(remote: Int32Array): Int32Array {
    return isAnyWords(remote) ? wordsFromIpv4(IPV4_LOOPBACK) : remote;
  }

  takePort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === LAST_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
    return port;
  }
}

/** True if a socket bound to an unspecified address also stands for `address`. */
function takesAny(bound: Pick<Bound, 'local' | 'isIpv6Only'>, address: Int32Array): boolean {
  if (!isAnyWords(bound.local)) return false;
  return isIpv4Words(address) ? isIpv4Words(bound.local) || !bound.isIpv6Only : !isIpv4Words(bound.local);
}
