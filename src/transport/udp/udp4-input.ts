/**
 * Datagrams for this machine, from ip4-local: `network` and `transport` are set. Verifies header and checksum, finds the
 * socket, and puts the datagram into its receive queue. RFC 768, RFC 1122 section 4.1.
 */
import { CONSUMED, type NodeSpec } from '../../graph/node.js';
import type { Kernels } from '../../kernels/kernels.js';
import { AdjacencyKind } from '../../l3/adjacency.js';
import { PacketFlag, type PacketPool } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { checksumFold, checksumSwap, isChecksumSumValid, pseudoHeaderSumIpv4 } from '../../wire/checksum.js';
import { Icmpv4Type, Icmpv4Unreachable } from '../../wire/icmpv4.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { ipv4Destination, ipv4Source } from '../../wire/ipv4.js';
import {
  checkUdp,
  UDP_CHECK_NAMES,
  UDP_HEADER_BYTES,
  UdpCheck,
  udpChecksum,
  udpDestinationPort,
  udpLength,
  udpSourcePort,
} from '../../wire/udp.js';
import type { UdpContext } from './udp-context.js';
import { UdpEvent } from './udp-event-queue.js';
import { NO_SOCKET, SocketFlag } from './udp-table.js';

const Next = { drop: 0, icmpError: 1 } as const;
/** The codes of {@link UdpCheck} come first. */
const Counter = { noSocket: 4, queueFull: 5, notLooped: 6 } as const;
const CHECKSUM_KNOWN = PacketFlag.checksumValid | PacketFlag.checksumPartial;

export const udp4Input: NodeSpec<UdpContext> = {
  name: 'udp4-input',
  nexts: ['drop', 'ip4-icmp-error'],
  counters: [...UDP_CHECK_NAMES, 'no socket', 'queue full', 'sent by a socket without multicast loop'],
  make: (context) => {
    const { pool, kernels, counters, l3 } = context;
    const { view, network, transport, adjacency, flags } = pool;
    const { kind } = l3.adjacencies;
    const deliverToOne = makeDeliverToOne(context);
    const deliverToAll = makeDeliverToAll(context);
    const linkGroup = PacketFlag.linkBroadcast | PacketFlag.linkMulticast;
    return (frame, next) => {
      for (let i = 0; i < frame.count; i++) {
        const slot = frame.slots[i]!;
        const check = checkDatagram(pool, kernels, slot);
        counters[check]!++;
        if (check !== UdpCheck.ok) {
          next[i] = Next.drop;
          continue;
        }
        const isToAll = kind[adjacency[slot]!]! >= AdjacencyKind.broadcast || (flags[slot]! & linkGroup) !== 0;
        const source = ipv4Source(view, network[slot]!);
        const destination = ipv4Destination(view, network[slot]!);
        const deliver = isToAll ? deliverToAll : deliverToOne;
        if (deliver(slot, source, destination, transport[slot]!)) {
          pool.give(slot);
          next[i] = CONSUMED;
          continue;
        }
        counters[Counter.noSocket]!++;
        if (isToAll) {
          next[i] = Next.drop;
        } else {
          // RFC 1122 section 4.1.3.1.
          l3.icmpErrors.set(slot, Icmpv4Type.destinationUnreachable, Icmpv4Unreachable.port);
          next[i] = Next.icmpError;
        }
      }
    };
  },
};

/** Returns a code of UdpCheck. */
function checkDatagram(pool: PacketPool, kernels: Kernels, slot: number): number {
  const { view, head, length, totalLength, network, transport, flags } = pool;
  const at = transport[slot]!;
  const offset = at - head[slot]!;
  const inFirstSlot = length[slot]! - offset;
  if (inFirstSlot < UDP_HEADER_BYTES) return UdpCheck.short;
  const check = checkUdp(view, at, totalLength[slot]! - offset);
  if (check !== UdpCheck.ok) return check;
  // RFC 1122 section 4.1.3.4: 0 says that the sender computed none.
  if ((flags[slot]! & CHECKSUM_KNOWN) !== 0 || udpChecksum(view, at) === 0) return UdpCheck.ok;
  const bytes = udpLength(view, at);
  const source = ipv4Source(view, network[slot]!);
  const destination = ipv4Destination(view, network[slot]!);
  const pseudoSum = pseudoHeaderSumIpv4(source, destination, IpProtocol.udp, bytes);
  const sum = datagramSum(pool, kernels, slot, bytes, pseudoSum);
  return isChecksumSumValid(sum) ? UdpCheck.ok : UdpCheck.badChecksum;
}

/** Sum over `bytes` bytes of the chain. A piece at an odd place counts with its bytes swapped (RFC 1071 section 2 B). */
function datagramSum(pool: PacketPool, kernels: Kernels, slot: number, bytes: number, start: number): number {
  const { head, length, next, transport } = pool;
  const at = transport[slot]!;
  let done = Math.min(bytes, head[slot]! + length[slot]! - at);
  let sum = kernels.checksum(at, done, start);
  for (let piece = next[slot]!; done < bytes && piece !== NO_SLOT; piece = next[piece]!) {
    const count = Math.min(bytes - done, length[piece]!);
    const part = kernels.checksum(head[piece]!, count, 0);
    sum = checksumFold(sum + ((done & 1) !== 0 ? checksumSwap(part) : part));
    done += count;
  }
  return sum;
}

/** Returns false if no socket is there; true also for what its queue had no room for. */
type Deliver = (slot: number, source: number, destination: number, at: number) => boolean;

function makeDeliverToOne({ pool, counters, udp: { core } }: UdpContext): Deliver {
  const { view, stack, flowHash } = pool;
  const { bindings } = core;
  const receive = makeReceive(core, counters);
  return (slot, source, destination, at) => {
    const localPort = udpDestinationPort(view, at);
    const remotePort = udpSourcePort(view, at);
    const socket = bindings.find(stack[slot]!, destination, localPort, source, remotePort, flowHash[slot]!);
    if (socket === NO_SOCKET) return false;
    pool.connection[slot] = socket;
    receive(socket, slot);
    return true;
  };
}

/** Broadcast and multicast: every socket that is bound to the destination or to any address gets it. */
function makeDeliverToAll({ pool, counters, udp: { core } }: UdpContext): Deliver {
  const { view, stack, rxInterface, connection } = pool;
  const { bindings, table } = core;
  const { groupNext, flags, remote, remotePort } = table;
  const receive = makeReceive(core, counters);

  function receiveInGroup(first: number, slot: number, source: number, sourcePort: number): boolean {
    let isReceived = false;
    for (let socket = first; socket >= 0; socket = groupNext[socket]!) {
      const isConnected = (flags[socket]! & SocketFlag.connected) !== 0;
      if (isConnected && (remote[socket] !== (source | 0) || remotePort[socket] !== sourcePort)) continue;
      receive(socket, slot);
      isReceived = true;
    }
    return isReceived;
  }

  return (slot, source, destination, at) => {
    // What comes without an interface is a copy of what a socket here sent. RFC 1112 section 6.1.
    if (rxInterface[slot] === 0 && (flags[connection[slot]!]! & SocketFlag.multicastLoop) === 0) {
      counters[Counter.notLooped]!++;
      return true;
    }
    const localPort = udpDestinationPort(view, at);
    const sourcePort = udpSourcePort(view, at);
    const row = stack[slot]!;
    const isExact = receiveInGroup(bindings.group(row, destination, localPort), slot, source, sourcePort);
    return receiveInGroup(bindings.group(row, 0, localPort), slot, source, sourcePort) || isExact;
  };
}

function makeReceive(core: UdpContext['udp']['core'], counters: Uint32Array): (socket: number, slot: number) => void {
  const { queue, table, eventQueue } = core;
  return (socket, slot) => {
    if (queue.push(socket, slot)) {
      eventQueue.add(socket, UdpEvent.readable);
      return;
    }
    table.drops[socket]!++;
    counters[Counter.queueFull]!++;
  };
}
