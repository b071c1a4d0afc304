/**
 * Software for what devices may leave undone: the transport checksum of packets marked `checksumPartial`.
 * Read RFC 9293 section 3.1 and RFC 768 first.
 */
import type { Kernels } from '../kernels/kernels.js';
import { PacketFlag, type PacketPool } from '../mem/packet-pool.js';
import { NO_SLOT } from '../mem/slot.js';
import { checksumFinish, checksumFold, checksumSwap, pseudoHeaderSumIpv4 } from '../wire/checksum.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { ipv4Destination, ipv4Protocol, ipv4Source } from '../wire/ipv4.js';
import { udpChecksumFinish } from '../wire/udp.js';

/** Where the checksum lies in the header, by protocol. */
const TCP_CHECKSUM_AT = 16;
const UDP_CHECKSUM_AT = 6;
const ICMP_CHECKSUM_AT = 2;

/** Partial sum of a packet from arena offset `from` in its first slot to its end. */
export function chainSum(pool: PacketPool, kernels: Kernels, slot: number, from: number): number {
  const { head, length, next } = pool;
  const first = head[slot]! + length[slot]! - from;
  let sum = kernels.checksum(from, first, 0);
  let isOdd = (first & 1) !== 0;
  for (let piece = next[slot]!; piece !== NO_SLOT; piece = next[piece]!) {
    const bytes = length[piece]!;
    const part = kernels.checksum(head[piece]!, bytes, 0);
    sum = checksumFold(sum + (isOdd ? checksumSwap(part) : part));
    if ((bytes & 1) !== 0) isOdd = !isOdd;
  }
  return sum;
}

/**
 * Computes the checksum of an IPv4 packet that is marked `checksumPartial` and marks it `checksumValid`.
 * Preconditions: `network` and `transport` are set; no link padding follows the packet.
 */
export function fillTransportChecksum(pool: PacketPool, kernels: Kernels, slot: number): void {
  const { view } = pool;
  const network = pool.network[slot]!;
  const transport = pool.transport[slot]!;
  const protocol = ipv4Protocol(view, network);
  const bytes = pool.totalLength[slot]! - (transport - pool.head[slot]!);
  const pseudoSum = pseudoHeaderSumIpv4(ipv4Source(view, network), ipv4Destination(view, network), protocol, bytes);
  if (protocol === IpProtocol.tcp) {
    view.setUint16(transport + TCP_CHECKSUM_AT, 0);
    const sum = chainSum(pool, kernels, slot, transport);
    view.setUint16(transport + TCP_CHECKSUM_AT, checksumFinish(sum + pseudoSum));
  } else if (protocol === IpProtocol.udp) {
    view.setUint16(transport + UDP_CHECKSUM_AT, 0);
    const sum = chainSum(pool, kernels, slot, transport);
    view.setUint16(transport + UDP_CHECKSUM_AT, udpChecksumFinish(sum + pseudoSum));
  } else if (protocol === IpProtocol.icmp) {
    // RFC 792: no pseudo header.
    view.setUint16(transport + ICMP_CHECKSUM_AT, 0);
    view.setUint16(transport + ICMP_CHECKSUM_AT, checksumFinish(chainSum(pool, kernels, slot, transport)));
  }
  pool.flags[slot] = (pool.flags[slot]! & ~PacketFlag.checksumPartial) | PacketFlag.checksumValid;
}
