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
    'address space reserved for packets, tables and buffers; pages are committed when first used',
  ),
  packets: count(65_536, 256, 524_288, 'packet slots of 2 KiB'),
  bufferBytes: bytes(512 * MIB, MIB, 2000 * MIB, 'most memory that the buffers of all sockets may take together'),
  interfaces: count(1024, 8, 4096, 'most interfaces of all stacks and switches together'),
  stacks: count(256, 1, 4096, 'most stacks'),
  connections: count(16_384, 16, 1_000_000, 'most TCP connections, those in TIME-WAIT included'),
  listeners: count(4096, 4, 65_536, 'most TCP listeners'),
  udpSockets: count(4096, 4, 65_536, 'most UDP sockets'),
  neighbors: count(4096, 16, 65_536, 'most neighbor entries of all stacks together'),
  routes: count(65_536, 16, 2_000_000, 'most routes of all stacks together'),
} as const satisfies Record<string, Tunable>;

export const TUNABLE_TABLE = {
  tcp: {
    sendBufferBytes: bytes(4 * MIB, 4 * KIB, 16 * MIB, 'most bytes that a connection holds for sending'),
    receiveBufferBytes: bytes(4 * MIB, 4 * KIB, 16 * MIB, 'most bytes that a connection holds unread'),
    connectTimeoutMs: milliseconds(
      127 * SECOND,
      100,
      60 * MINUTE,
      'time until an unanswered connect fails with ETIMEDOUT',
    ),
    timeWaitMs: milliseconds(60 * SECOND, 0, 10 * MINUTE, 'time that a closed connection keeps its ports'),
  },
  neighbor: {
    reachableMs: milliseconds(30 * SECOND, SECOND, 60 * MINUTE, 'time that a confirmed neighbor is trusted'),
    retransmitMs: milliseconds(SECOND, 10, MINUTE, 'time between two ARP requests for the same neighbor'),
  },
  switch: {
    ageingMs: milliseconds(5 * MINUTE, SECOND, 24 * 60 * MINUTE, 'time after which a silent address is forgotten'),
    addresses: count(4096, 16, 65_536, 'most addresses that a switch learns'),
  },
} as const satisfies Record<string, Record<string, Tunable>>;

type Values<Table> = { readonly [Name in keyof Table]: number };

export type MemoryLimits = Values<typeof MEMORY_TABLE>;
export type Tunables = { readonly [Group in keyof typeof TUNABLE_TABLE]: Values<(typeof TUNABLE_TABLE)[Group]> };

/** The defaults of a table's entries. */
export function defaultsOf<Table extends Record<string, Tunable>>(table: Table): Values<Table> {
  return Object.fromEntries(Object.entries(table).map(([name, tunable]) => [name, tunable.default])) as Values<Table>;
}
