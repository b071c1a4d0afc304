/**
 * The layers of src/ as data: each folder, what it may import, and whether it is portable. A folder without a row is an
 * error. ARCHITECTURE.md prints this table; `npm run ok` and CI enforce it.
 */

/**
 * @typedef {object} Layer
 * @property {string} purpose one line for the reader of ARCHITECTURE.md
 * @property {readonly string[]} imports folders of src/ it may import, itself aside
 * @property {boolean} portable true: no `node:*`, no npm package, no global of one platform; runs in a browser too
 */

const upToWire = ['base', 'mem', 'wire', 'kernels'];
const upToGraph = [...upToWire, 'graph'];
const upToL2 = [...upToGraph, 'drivers', 'flow', 'l2'];
const upToTransport = [...upToL2, 'l3', 'transport'];
const upToSession = [...upToTransport, 'session'];

/** @type {Readonly<Record<string, Layer>>} From the bottom to the top. */
export const layers = {
  base: {
    purpose: 'sequence numbers, time units, random, assert, hash, timing wheel, errors, injected interfaces',
    imports: [],
    portable: true,
  },
  mem: {
    purpose: 'the shared arena, packet pool, caches of a worker, rings, watermarks, reclaim',
    imports: ['base'],
    portable: true,
  },
  wire: {
    purpose: 'one file per header or message: pure codecs over bytes',
    imports: ['base', 'mem'],
    portable: true,
  },
  kernels: {
    purpose: 'proven hot loops in WebAssembly, each with a TypeScript twin',
    imports: ['base', 'mem', 'wire'],
    portable: true,
  },
  graph: {
    purpose: 'node, frame, dispatcher, feature arcs, counters, trace',
    imports: upToWire,
    portable: true,
  },
  drivers: {
    purpose: 'the Device interface, virtual links, pcap files, packet streams, wrapper devices',
    imports: upToGraph,
    portable: true,
  },
  flow: {
    purpose: '5-tuple key, software RSS, flow rules, match/action tables',
    imports: upToGraph,
    portable: true,
  },
  l2: {
    purpose: 'bridge domains: learning, ageing, flooding',
    imports: [...upToGraph, 'drivers', 'flow'],
    portable: true,
  },
  l3: {
    purpose: 'VRF, RIB and FIB, adjacency, neighbors, forwarding nodes, ICMP, fragments',
    imports: upToL2,
    portable: true,
  },
  transport: {
    purpose: 'TCP and UDP, one file per concern',
    imports: [...upToL2, 'l3'],
    portable: true,
  },
  session: {
    purpose: 'application, app worker, listener, session table, FIFOs, the message protocol',
    imports: upToTransport,
    portable: true,
  },
  sockets: {
    purpose: "handles under Node's own net, dgram and dns; the preload; attached processes",
    imports: ['base', 'mem', 'wire', 'session'],
    portable: false,
  },
  host: {
    purpose: "the operating system's edge: clocks, cryptography, threads, kernel devices",
    imports: [...upToGraph, 'drivers'],
    portable: false,
  },
  config: {
    purpose: 'schema, defaults, all tunables in one table, errors with file:line',
    imports: ['base', 'wire'],
    portable: false,
  },
  engine: {
    purpose: 'composition root: objects → graphs → workers → run loop',
    imports: [...upToSession, 'sockets', 'host', 'config'],
    portable: false,
  },
  ops: {
    purpose: 'statistics, trace and capture, the control API',
    imports: [...upToSession, 'sockets', 'config', 'engine'],
    portable: false,
  },
  cli: {
    purpose: 'one file per subcommand',
    imports: ['base', 'ops', 'config', 'engine'],
    portable: false,
  },
};
