import { UsernetError } from '../base/errors.js';
import { suggest } from '../config/suggest.js';
import { askNetwork, controlPath } from '../ops/control-client.js';
import type {
  ErrorRow,
  GraphRow,
  InterfaceRow,
  MemoryReport,
  NeighborRow,
  NetworkSummary,
  RouteRow,
} from '../ops/show.js';
import type { SessionRow } from '../ops/show-sessions.js';
import { ExitCode, print, reportError } from './output.js';
import { formatBytes, formatCount, formatTable } from './table.js';

export interface ShowOptions {
  readonly stack?: string;
  readonly control?: string;
  readonly json?: boolean;
}

/** How each topic is shown to people. */
const TOPICS: Readonly<Record<string, (answer: never) => string>> = {
  interfaces: formatInterfaces,
  neighbors: formatNeighbors,
  routes: formatRoutes,
  sessions: formatSessions,
  graph: formatGraph,
  errors: formatErrors,
  memory: formatMemory,
};

export const SHOW_TOPICS = Object.keys(TOPICS);

export async function show(topic: string, options: ShowOptions): Promise<number> {
  try {
    const format = TOPICS[topic];
    if (format === undefined) {
      throw new UsernetError('USERNET_USAGE', `there is no topic "${topic}"`, suggest(topic, SHOW_TOPICS));
    }
    const path = controlPath(options.control);
    if (options.stack !== undefined) await checkStack(path, options.stack);
    const answer = ofStack(await askNetwork(path, `/${topic}`), options.stack);
    print(options.json ? JSON.stringify(answer, null, 2) : format(answer as never));
    return ExitCode.ok;
  } catch (error) {
    return reportError(error, options.json === true);
  }
}

async function checkStack(path: string, stack: string): Promise<void> {
  const { stacks } = (await askNetwork(path, '/network')) as NetworkSummary;
  const names = stacks.map(({ name }) => name);
  if (names.includes(stack)) return;
  throw new UsernetError('USERNET_NO_STACK', `there is no stack "${stack}"`, suggest(stack, names));
}

/** Rows of one stack only; rows that belong to no stack are for all. */
function ofStack(answer: unknown, stack: string | undefined): unknown {
  if (stack === undefined || !Array.isArray(answer)) return answer;
  return answer.filter((row: { stack?: string }) => !('stack' in row) || row.stack === stack);
}

function formatInterfaces(rows: readonly InterfaceRow[]): string {
  const columns = [
    { title: 'STACK' },
    { title: 'NAME' },
    { title: 'KIND' },
    { title: 'STATE' },
    { title: 'MTU', isNumber: true },
    { title: 'LINK ADDRESS' },
    { title: 'ADDRESSES' },
    { title: 'RX PACKETS', isNumber: true },
    { title: 'RX', isNumber: true },
    { title: 'TX PACKETS', isNumber: true },
    { title: 'TX', isNumber: true },
    { title: 'DROPS', isNumber: true },
  ];
  return formatTable(
    columns,
    rows.map((row) => [
      row.stack ?? `(${row.switch ?? '–'})`,
      row.name,
      row.kind,
      row.isUp ? 'up' : 'down',
      row.mtu,
      row.linkAddress ?? '–',
      row.addresses.join(', ') || '–',
      row.rxPackets,
      formatBytes(row.rxBytes),
      row.txPackets,
      formatBytes(row.txBytes),
      row.rxDrops + row.txDrops,
    ]),
  );
}

function formatNeighbors(rows: readonly NeighborRow[]): string {
  const titles = ['STACK', 'INTERFACE', 'ADDRESS', 'LINK ADDRESS', 'STATE', 'QUEUED'];
  return formatTable(
    titles.map((title) => ({ title, isNumber: title === 'QUEUED' })),
    rows.map((row) => [row.stack, row.interface, row.address, row.linkAddress ?? '–', row.state, row.queued]),
  );
}

function formatRoutes(rows: readonly RouteRow[]): string {
  const titles = ['STACK', 'TO', 'KIND', 'VIA', 'INTERFACE', 'ORIGIN', 'STATE'];
  return formatTable(
    titles.map((title) => ({ title })),
    rows.map((row) => [
      row.stack,
      row.to,
      row.kind,
      row.via ?? '–',
      row.interface ?? '–',
      row.origin,
      row.isActive ? 'active' : 'waiting',
    ]),
  );
}

function formatSessions(rows: readonly SessionRow[]): string {
  const columns = [
    { title: 'PROTO' },
    { title: 'STACK' },
    { title: 'STATE' },
    { title: 'LOCAL' },
    { title: 'REMOTE' },
    { title: 'UNREAD', isNumber: true },
    { title: 'UNSENT', isNumber: true },
    { title: 'RTT MS', isNumber: true },
    { title: 'APPLICATION' },
  ];
  return formatTable(
    columns,
    rows.map((row) => [
      row.protocol,
      row.stack,
      row.state,
      row.local,
      row.remote ?? '–',
      row.unreadBytes ?? '–',
      row.unsentBytes ?? '–',
      row.smoothedRttMs ?? '–',
      row.application ?? '–',
    ]),
  );
}

function formatGraph(rows: readonly GraphRow[]): string {
  const columns = [
    { title: 'NODE' },
    { title: 'VECTORS', isNumber: true },
    { title: 'PACKETS', isNumber: true },
    { title: 'PER VECTOR', isNumber: true },
    { title: 'NS/PACKET', isNumber: true },
  ];
  return formatTable(
    columns,
    rows.map((row) => [
      row.node,
      row.vectors,
      row.packets,
      row.packetsPerVector,
      row.nsPerPacket === 0 ? '–' : Math.round(row.nsPerPacket),
    ]),
  );
}

function formatErrors(rows: readonly ErrorRow[]): string {
  if (rows.length === 0) return 'no errors';
  const columns = [{ title: 'COUNT', isNumber: true }, { title: 'NODE' }, { title: 'REASON' }];
  return formatTable(
    columns,
    rows.map((row) => [row.count, row.node, row.counter]),
  );
}

function formatMemory({ arena, packets, buffers, process: self }: MemoryReport): string {
  const { cache, l1, l2 } = packets.free;
  return formatTable(
    [{ title: 'MEMORY' }, { title: 'USED', isNumber: true }, { title: 'OF', isNumber: true }, { title: '' }],
    [
      ['arena', formatBytes(arena.usedBytes), formatBytes(arena.sizeBytes), 'reserved for tables, packets, buffers'],
      [
        'packets',
        packets.inUse,
        packets.slots,
        `free: cache ${formatCount(cache)}, L1 ${formatCount(l1)}, L2 ${formatCount(l2)}`,
      ],
      ['buffers', formatBytes(buffers.usedBytes), formatBytes(buffers.reservedBytes), 'of sockets'],
      ['process', formatBytes(self.rssBytes), '', `heap ${formatBytes(self.heapUsedBytes)}`],
    ],
  );
}
