/** Tells the peer what has arrived out of order. Read RFC 2018 sections 3 and 4 first. */
import type { TcpCore } from './tcp-core.js';

/**
 * Writes up to `most` blocks into `edges`: first the one that changed last, then those before it, then any others
 * (RFC 2018 section 4: each block is repeated in several ACKs, so that a lost ACK does no harm). Returns how many.
 */
export function collectSackBlocks(tcp: TcpCore, connection: number, edges: Int32Array, most: number): number {
  const { table, reassembly } = tcp;
  const ranges = reassembly.count[connection]!;
  let count = 0;
  let used = 0;
  for (let recent = 0; recent < 3 && count < most; recent++) {
    const sequence = recent === 0 ? table.recentRange0 : recent === 1 ? table.recentRange1 : table.recentRange2;
    const range = reassembly.find(connection, sequence[connection]!);
    if (range < 0 || used & (1 << range)) continue;
    used |= 1 << range;
    putBlock(tcp, connection, edges, count++, range);
  }
  for (let range = 0; range < ranges && count < most; range++) {
    if ((used & (1 << range)) === 0) putBlock(tcp, connection, edges, count++, range);
  }
  return count;
}

function putBlock(tcp: TcpCore, connection: number, edges: Int32Array, index: number, range: number): void {
  edges[index * 2] = tcp.reassembly.left(connection, range);
  edges[index * 2 + 1] = tcp.reassembly.right(connection, range);
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
