/**
 * Every number that may be tuned, in one table: group, name, default, limits, what it does. The schema, the types and
 * the reference page are made from it.
 */

export interface Tunable {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** How it may be written: a plain count, bytes (`64KiB`) or milliseconds (`10s`). */
  readonly unit: 'count' | 'bytes' | 'milliseconds';
  readonly purpose: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function count(value: number, min: number, max: number, purpose: string): Tunable {
  return { default: value, min, max, unit: 'count', purpose };
}

function bytes(value: number, min: number, max: number, purpose: string): Tunable {
  return { default: value, min, max, unit: 'bytes', purpose };
}

function milliseconds(value: number, min: number, max: number, purpose: string): Tunable {
  return { default: value, min, max, unit: 'milliseconds', purpose };
}

export const MEMORY_TABLE = {
  arenaBytes: bytes(
    1024 * MIB,
    16 * MIB,
    2047 * MIB,
    'address space for packets, tables and buffers; a page is committed when it is first used',
  ),
  packets: count(65_536, 256, 524_288, 'packet slots of 2 KiB'),
  bufferBytes: bytes(512 * MIB, MIB, 2000 * MIB, 'most memory that the buffers of all sockets take together'),
  interfaces: count(1024, 8, 4096, 'most interfaces, ports of switches included'),
  stacks: count(256, 1, 4096, 'most stacks'),
  connections: count(65_536, 16, 1_000_000, 'most TCP connections, those in TIME-WAIT included'),
  listeners: count(4096, 4, 65_536, 'most TCP listeners'),
  udpSockets: count(4096, 4, 65_536, 'most UDP sockets'),
  adjacencies: count(16_384, 64, 1_000_000, 'most next hops: the neighbors of all stacks, and two for each interface'),
  macAddresses: count(8192, 16, 1_048_576, 'most link addresses that all switches know together'),
  neighbors: count(1024, 4, 65_536, 'most neighbors of one interface'),
} as const satisfies Record<string, Tunable>;

export const TUNABLE_TABLE = {
  tcp: {
    minRtoMs: milliseconds(200, 1, MINUTE, 'least retransmission timeout'),
    maxRtoMs: milliseconds(2 * MINUTE, SECOND, 60 * MINUTE, 'longest retransmission timeout'),
    initialRtoMs: milliseconds(SECOND, 10, MINUTE, 'retransmission timeout before the first measurement'),
    delayedAckMs: milliseconds(40, 0, 500, 'longest wait for a second segment before an acknowledgment'),
    connectTimeoutMs: milliseconds(
      3 * MINUTE,
      10,
      60 * MINUTE,
      'time until a connect without an answer fails with ETIMEDOUT',
    ),
    handshakeTimeoutMs: milliseconds(MINUTE, 10, 60 * MINUTE, 'time for which a SYN is answered without completion'),
    userTimeoutMs: milliseconds(15 * MINUTE, 100, 24 * HOUR, 'time for which data may stay without acknowledgment'),
    timeWaitMs: milliseconds(MINUTE, 1, 10 * MINUTE, 'time that a closed connection keeps its ports'),
    finWait2Ms: milliseconds(
      MINUTE,
      1,
      60 * MINUTE,
      'time that a half-closed connection nobody holds waits for the peer',
    ),
    keepAliveIntervalMs: milliseconds(75 * SECOND, 10, HOUR, 'time between two keepalive probes'),
    keepAliveProbes: count(9, 1, 100, 'keepalive probes without an answer that end a connection'),
    sendBufferBytes: bytes(512 * KIB, 4 * KIB, 16 * MIB, 'bytes that a connection holds for sending, at first'),
    maxSendBufferBytes: bytes(4 * MIB, 4 * KIB, 16 * MIB, 'the same, at most'),
    receiveBufferBytes: bytes(256 * KIB, 4 * KIB, 16 * MIB, 'bytes that a connection holds unread, at first'),
    maxReceiveBufferBytes: bytes(4 * MIB, 4 * KIB, 16 * MIB, 'the same, at most'),
    challengeAcksPerSecond: count(1000, 1, 1_000_000, 'challenge ACKs a second, of all connections'),
    firstEphemeralPort: count(32_768, 1024, 65_535, 'first port for connections that name none'),
    lastEphemeralPort: count(60_999, 1024, 65_535, 'last port for connections that name none'),
  },
} as const satisfies Record<string, Record<string, Tunable>>;

type Values<Table> = { readonly [Name in keyof Table]: number };

export type MemoryLimits = Values<typeof MEMORY_TABLE>;
export type Tunables = { readonly [Group in keyof typeof TUNABLE_TABLE]: Values<(typeof TUNABLE_TABLE)[Group]> };

/** The defaults of a table's entries. */
export function defaultsOf<Table extends Record<string, Tunable>>(table: Table): Values<Table> {
  return Object.fromEntries(Object.entries(table).map(([name, tunable]) => [name, tunable.default])) as Values<Table>;
}
