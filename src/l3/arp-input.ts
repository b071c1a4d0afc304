/** ARP messages from the link. Read RFC 826 "Packet Reception" first, then RFC 1122 section 2.3.2 and RFC 5227. */
import { CONSUMED, type NodeSpec } from '../graph/node.js';
import { PacketFlag } from '../mem/packet-pool.js';
import { isIpv4Unicast } from '../wire/address.js';
import {
  ARP_BYTES,
  ARP_CHECK_NAMES,
  ArpCheck,
  ArpOperation,
  arpOperation,
  arpSenderIpv4,
  arpSenderMacHi,
  arpSenderMacLo,
  arpTargetIpv4,
  checkArp,
  writeArp,
} from '../wire/arp.js';
import { ETHERNET_HEADER_BYTES, EtherType, isMacMulticast, isMacZero, writeEthernet } from '../wire/ethernet.js';
import type { L3Context } from './l3-context.js';
import { L3_TARGETS, L3Target } from './l3-target.js';
import { NeighborState, NO_NEIGHBOR } from './neighbor-table.js';
import { trimPacket } from './packet-edit.js';

const DROP = L3_TARGETS.length;
/** The codes of {@link ArpCheck} come first. */
const Counter = {
  requests: 6,
  replies: 7,
  badSenderLink: 8,
  badSender: 9,
  foreignSender: 10,
  duplicateAddress: 11,
} as const;

/** Learns neighbors and answers requests for own addresses. */
export const arpInput: NodeSpec<L3Context> = {
  name: 'arp-input',
  nexts: [...L3_TARGETS, 'drop'],
  counters: [
    ...ARP_CHECK_NAMES,
    'requests',
    'replies',
    'bad sender link address',
    'bad sender address',
    'sender on a foreign network',
    'duplicate address',
  ],
  make: (context) => {
    const { pool, counters } = context;
    const { view, head, length } = pool;
    const receive = makeReceive(context);
    return (frame, next) => {
      const { slots, count } = frame;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const check = checkArp(view, head[slot]!, length[slot]!);
        if (check === ArpCheck.ok) {
          next[i] = receive(slot, head[slot]!);
        } else {
          counters[check]!++;
          next[i] = DROP;
        }
      }
    };
  },
};

function makeReceive({ pool, counters, emit, interfaces, l3 }: L3Context): (slot: number, at: number) => number {
  const { view } = pool;
  const { addresses, neighbors } = l3;

  /** The counter of what is wrong with the sender's claim, or −1. */
  function checkSender(index: number, at: number): number {
    const macHi = arpSenderMacHi(view, at);
    const macLo = arpSenderMacLo(view, at);
    const isOwnMac = macHi === interfaces.macHi[index] && (macLo | 0) === interfaces.macLo[index];
    // RFC 1812 section 3.3.2: a group address is nobody's.
    if (isMacMulticast(macHi) || isMacZero(macHi, macLo)) return Counter.badSenderLink;
    const sender = arpSenderIpv4(view, at);
    // RFC 5227 section 1.1: a probe comes from 0.0.0.0.
    if (sender === 0) return -1;
    const own = addresses.find(index, sender);
    if (own !== undefined) {
      if (!isOwnMac) own.duplicates++;
      return isOwnMac ? Counter.badSender : Counter.duplicateAddress;
    }
    if (!isIpv4Unicast(sender) || addresses.isBroadcast(index, sender)) return Counter.badSender;
    return addresses.isOnLink(index, sender) ? -1 : Counter.foreignSender;
  }

  /** RFC 826: a known sender is updated; an unknown one is entered only if the message was for us. */
  function learn(index: number, at: number, isForUs: boolean): void {
    const sender = arpSenderIpv4(view, at);
    const known = neighbors.table.find(index, sender);
    const row = known === NO_NEIGHBOR && isForUs ? neighbors.obtain(index, sender) : known;
    if (row === NO_NEIGHBOR) return;
    const state = neighbors.table.state[row]!;
    const isAwaited =
      state === NeighborState.incomplete || state === NeighborState.delay || state === NeighborState.probe;
    const isAnswer = isForUs && isAwaited && arpOperation(view, at) === ArpOperation.reply;
    const macHi = arpSenderMacHi(view, at);
    const macLo = arpSenderMacLo(view, at);
    if (isAnswer) neighbors.confirm(row, macHi, macLo, emit);
    else neighbors.learn(row, macHi, macLo, emit);
  }

  /** Turns the request into the reply. RFC 826. */
  function reply(slot: number, at: number, index: number): number {
    const toHi = arpSenderMacHi(view, at);
    const toLo = arpSenderMacLo(view, at);
    const ownHi = interfaces.macHi[index]!;
    const ownLo = interfaces.macLo[index]!;
    const target = arpTargetIpv4(view, at);
    writeArp(view, at, ArpOperation.reply, ownHi, ownLo, target, toHi, toLo, arpSenderIpv4(view, at));
    writeEthernet(view, at - ETHERNET_HEADER_BYTES, toHi, toLo, ownHi, ownLo, EtherType.arp);
    trimPacket(pool, slot, ARP_BYTES);
    pool.head[slot] = at - ETHERNET_HEADER_BYTES;
    pool.length[slot] = ARP_BYTES + ETHERNET_HEADER_BYTES;
    pool.totalLength[slot] = ARP_BYTES + ETHERNET_HEADER_BYTES;
    pool.rxInterface[slot] = 0;
    pool.txInterface[slot] = index;
    pool.flags[slot] = PacketFlag.control;
    return L3Target.interfaceOutput;
  }

  return (slot, at) => {
    const index = pool.rxInterface[slot]!;
    const isRequest = arpOperation(view, at) === ArpOperation.request;
    counters[isRequest ? Counter.requests : Counter.replies]!++;
    const wrong = checkSender(index, at);
    if (wrong >= 0) {
      counters[wrong]!++;
      return DROP;
    }
    const isForUs = addresses.find(index, arpTargetIpv4(view, at)) !== undefined;
    if (arpSenderIpv4(view, at) !== 0) learn(index, at, isForUs);
    if (isRequest && isForUs) return reply(slot, at, index);
    pool.give(slot);
    return CONSUMED;
  };
}
