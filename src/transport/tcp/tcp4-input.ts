/**
 * TCP segments for this machine, from ip4-local: `network` and `transport` are set. Verifies header and checksum, finds the
 * connection or listener, and hands the segment to the file of its state. RFC 9293 section 3.10.7.
 */
import { setFlowKeyIpv4 } from '../../flow/flow-table.js';
import { CONSUMED, type NodeSpec } from '../../graph/node.js';
import type { Kernels } from '../../kernels/kernels.js';
import { PacketFlag, type PacketPool } from '../../mem/packet-pool.js';
import { NO_SLOT } from '../../mem/slot.js';
import { checksumFold, checksumSwap, isChecksumSumValid, pseudoHeaderSumIpv4 } from '../../wire/checksum.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { ipv4Destination, ipv4Source, ipv4TotalLength } from '../../wire/ipv4.js';
import {
  checkTcp,
  TcpCheck,
  TcpFlag,
  tcpAcknowledgment,
  tcpDestinationPort,
  tcpFlags,
  tcpHeaderBytes,
  tcpSequence,
  tcpSourcePort,
  tcpWindow,
} from '../../wire/tcp.js';
import { readTcpOptions } from '../../wire/tcp-options.js';
import { synSentInput } from './handshake.js';
import { findListenerValue } from './lifecycle.js';
import { ackForListener, synArrives } from './listen.js';
import { Reply, turnIntoReset } from './reply.js';
import type { Segment } from './segment.js';
import { segmentArrives } from './segment-arrives.js';
import type { TcpContext } from './tcp-context.js';
import { listenerValue, type TcpCore } from './tcp-core.js';
import { TCP_COUNTERS, TcpCounter } from './tcp-counters.js';
import { TcpState } from './tcp-state.js';
import { isReusable, makeRoom } from './time-wait.js';

const Next = { drop: 0, ip4Output: 1 } as const;
const CHECKSUM_KNOWN = PacketFlag.checksumValid | PacketFlag.checksumPartial;

export const tcp4Input: NodeSpec<TcpContext> = {
  name: 'tcp4-input',
  nexts: ['drop', 'ip4-output'],
  counters: TCP_COUNTERS,
  make: ({ tcp: { core }, pool, kernels, counters }) => {
    core.counters = counters;
    const segment = core.segment;
    return (frame, next) => {
      for (let i = 0; i < frame.count; i++) {
        const slot = frame.slots[i]!;
        const check = readSegment(pool, kernels, slot, segment);
        counters[check]!++;
        if (check !== TcpCheck.ok) {
          next[i] = Next.drop;
          continue;
        }
        const reply = dispatch(core, segment, pool.stack[slot]!);
        if (reply === Reply.answer || (reply === Reply.reset && turnIntoReset(core, segment))) {
          next[i] = Next.ip4Output;
        } else {
          pool.give(slot);
          next[i] = CONSUMED;
        }
      }
    };
  },
};

/** Fills `segment` from the packet. Returns the check's code. */
function readSegment(pool: PacketPool, kernels: Kernels, slot: number, segment: Segment): number {
  const view = pool.view;
  const ip = pool.network[slot]!;
  const at = pool.transport[slot]!;
  const bytes = ipv4TotalLength(view, ip) - (at - ip);
  const inFirstSlot = pool.head[slot]! + pool.length[slot]! - at;
  const check = checkTcp(view, at, bytes < inFirstSlot ? bytes : inFirstSlot);
  if (check !== TcpCheck.ok) return check;
  const source = ipv4Source(view, ip);
  const destination = ipv4Destination(view, ip);
  if ((pool.flags[slot]! & CHECKSUM_KNOWN) === 0) {
    const start = pseudoHeaderSumIpv4(source, destination, IpProtocol.tcp, bytes);
    if (!isChecksumSumValid(chainSum(pool, kernels, slot, at, bytes, start))) return TcpCheck.badChecksum;
  }
  segment.slot = slot;
  segment.at = at;
  segment.headerBytes = tcpHeaderBytes(view, at);
  segment.seq = tcpSequence(view, at);
  segment.ack = tcpAcknowledgment(view, at);
  segment.flags = tcpFlags(view, at);
  segment.window = tcpWindow(view, at);
  segment.length = bytes - segment.headerBytes;
  segment.source = source | 0;
  segment.destination = destination | 0;
  segment.sourcePort = tcpSourcePort(view, at);
  segment.destinationPort = tcpDestinationPort(view, at);
  readTcpOptions(view, at, segment.options);
  return TcpCheck.ok;
}

/** Sum over `bytes` bytes from `at` on, through the chain. A piece at an odd place counts with its bytes swapped (RFC 1071 section 2 B). */
function chainSum(pool: PacketPool, kernels: Kernels, slot: number, at: number, bytes: number, start: number): number {
  let from = at;
  let piece = Math.min(bytes, pool.head[slot]! + pool.length[slot]! - at);
  let sum = kernels.checksum(from, piece, start);
  let done = piece;
  for (let current = pool.next[slot]!; done < bytes && current !== NO_SLOT; current = pool.next[current]!) {
    from = pool.head[current]!;
    piece = Math.min(bytes - done, pool.length[current]!);
    const part = kernels.checksum(from, piece, 0);
    sum = checksumFold(sum + (done & 1 ? checksumSwap(part) : part));
    done += piece;
  }
  // What is missing of the packet makes the sum wrong.
  return done === bytes ? sum : 0;
}

/** Returns a {@link Reply}. */
function dispatch(core: TcpCore, segment: Segment, stack: number): number {
  const namespace = core.namespaceOfStack[stack]!;
  const connection = findConnection(core, segment, namespace);
  if (connection < 0) return dispatchToListener(core, segment, stack, namespace);
  core.lastConnection = connection;
  core.pool.connection[segment.slot] = connection;
  const state = core.table.state[connection]!;
  if (state === TcpState.timeWait && isReusable(core, connection, segment)) {
    makeRoom(core, connection);
    const reply = dispatchToListener(core, segment, stack, namespace);
    core.hasIssFloor = false;
    return reply;
  }
  const isRefused =
    state === TcpState.synSent ? synSentInput(core, connection, segment) : segmentArrives(core, connection, segment);
  return isRefused ? Reply.reset : Reply.none;
}

/** Packets come in trains: the connection of the last segment is tried before the flow table. */
function findConnection(core: TcpCore, segment: Segment, namespace: number): number {
  const { table, lastConnection: last } = core;
  const ports = (segment.destinationPort << 16) | segment.sourcePort;
  if (
    table.ports[last] === ports &&
    table.remote3[last] === segment.source &&
    table.local3[last] === segment.destination &&
    table.namespace[last] === namespace &&
    table.state[last] !== TcpState.closed
  ) {
    return last;
  }
  setFlowKeyIpv4(core.key, namespace, IpProtocol.tcp, segment.destination, segment.source, ports);
  return core.flows.find(core.key);
}

/** RFC 9293 sections 3.10.7.1 (CLOSED) and 3.10.7.2 (LISTEN). */
function dispatchToListener(core: TcpCore, segment: Segment, stack: number, namespace: number): number {
  const value = findListenerValue(core, namespace, segment.destination, segment.destinationPort);
  const kind = segment.flags & (TcpFlag.syn | TcpFlag.ack | TcpFlag.rst);
  if (value < -1 && kind === TcpFlag.syn) return synArrives(core, listenerValue(value), stack, segment);
  if (value < -1 && kind === TcpFlag.ack) return ackForListener(core, listenerValue(value), stack, segment);
  core.counters[TcpCounter.noConnection]!++;
  return Reply.reset;
}
