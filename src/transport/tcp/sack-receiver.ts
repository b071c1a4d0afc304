/** Tells the peer what has arrived out of order. Read RFC 2018 sections 3 and 4 first. */
import type { TcpCore } from './tcp-core.js';

/**
 * Writes up to `most` blocks into `edges`: first the one that changed last, then those before it, then any others
 * (RFC 2018 section 4: each block is repeated in several ACKs, so that a lost ACK does no harm). Returns how many.
 */
export function collectSackBlocks(tcp: TcpCore, connection: number, edges: Int32Array, most: number): number {
  const { table, reassembly } = tcp;
  let count = putBlock(tcp, connection, edges, 0, reassembly.find(connection, table.recentRange0[connection]!));
  if (count < most) {
    count = putBlock(tcp, connection, edges, count, reassembly.find(connection, table.recentRange1[connection]!));
  }
  if (count < most) {
    count = putBlock(tcp, connection, edges, count, reassembly.find(connection, table.recentRange2[connection]!));
  }
  for (let range = 0; range < reassembly.count[connection]! && count < most; range++) {
    count = putBlock(tcp, connection, edges, count, range);
  }
  return count;
}

/** Adds a range (−1: none) as block number `count`, unless it stands among those before. Returns how many blocks there are. */
function putBlock(tcp: TcpCore, connection: number, edges: Int32Array, count: number, range: number): number {
  if (range < 0) return count;
  const left = tcp.reassembly.left(connection, range);
  for (let i = 0; i < count; i++) if (edges[i * 2] === left) return count;
  edges[count * 2] = left;
  edges[count * 2 + 1] = tcp.reassembly.right(connection, range);
  return count + 1;
}

/** Notes that the range around `sequence` changed last. */
export function noteRecentRange(tcp: TcpCore, connection: number, sequence: number): void {
  const { recentRange0, recentRange1, recentRange2 } = tcp.table;
  const { reassembly } = tcp;
  const range = reassembly.find(connection, sequence);
  const newest = reassembly.find(connection, recentRange0[connection]!);
  if (range !== newest) {
    if (range !== reassembly.find(connection, recentRange1[connection]!)) {
      recentRange2[connection] = recentRange1[connection]!;
    }
    recentRange1[connection] = recentRange0[connection]!;
  }
  recentRange0[connection] = sequence;
}
