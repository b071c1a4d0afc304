/** The way of packets through the graph, for people and programs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '../engine/network.js';
import type { TraceRecord, TraceStep } from '../graph/tracer.js';
import { ARP_BYTES, formatArp } from '../wire/arp.js';
import { ETHERNET_HEADER_BYTES, EtherType, ethernetType, formatEthernet } from '../wire/ethernet.js';
import { formatIcmpv4, ICMPV4_HEADER_BYTES } from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  formatIpv4Header,
  IPV4_MIN_HEADER_BYTES,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Protocol,
} from '../wire/ipv4.js';
import { formatTcp, TCP_MIN_HEADER_BYTES } from '../wire/tcp.js';
import { formatUdp, UDP_HEADER_BYTES } from '../wire/udp.js';

export interface TracedPacket {
  readonly id: number;
  readonly steps: readonly {
    readonly node: string;
    /** `stack.interface`, or a switch's port; null for packets that begin here. */
    readonly rxInterface: string | null;
    /** Null as long as the packet has not come to its output. */
    readonly txInterface: string | null;
    readonly bytes: number;
    /** Headers in words. */
    readonly summary: string;
    /** First bytes of the packet, hexadecimal. */
    readonly data: string;
  }[];
}

const MAX_PACKETS = 1000;
const OUTPUT_NODE = 'interface-output';

/** Traces the next packets that come in, for at most `seconds`. */
export async function tracePackets(network: Network, packets: number, seconds: number): Promise<TracedPacket[]> {
  const { tracer } = network.worker.graph;
  const count = Math.min(packets, MAX_PACKETS);
  tracer.start(count);
  const timeout = new AbortController();
  const hasAll = network.until(() => tracer.records.length >= count);
  await Promise.race([
    hasAll,
    sleep(seconds * 1000, undefined, { ref: false, signal: timeout.signal }).catch(() => {}),
  ]);
  timeout.abort();
  tracer.stop();
  return tracer.records.map((record) => describeRecord(network, record));
}

function describeRecord(network: Network, { id, steps }: TraceRecord): TracedPacket {
  return {
    id,
    steps: steps.map((step) => ({
      node: step.node,
      rxInterface: interfaceName(network, step.rxInterface),
      // Chosen on the way: before this node the column holds what it was used for last.
      txInterface: step.node === OUTPUT_NODE ? interfaceName(network, step.txInterface) : null,
      bytes: step.totalLength,
      summary: describeBytes(step),
      data: Buffer.from(step.bytes).toString('hex'),
    })),
  };
}

function interfaceName(network: Network, index: number): string | null {
  const { interfaces } = network.worker;
  if (index <= 0 || interfaces.devices[index] === undefined) return null;
  const stack = network.stackName(interfaces.stack[index]!);
  return stack === undefined ? interfaces.names[index]! : `${stack}.${interfaces.names[index]}`;
}

/** Whether a packet begins with a link header can be told from its first byte: an IPv4 header of 20 … 60 bytes, or not. */
function describeBytes({ bytes }: TraceStep): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= IPV4_MIN_HEADER_BYTES && isIpv4At(bytes, 0) && !isIpv4At(bytes, ETHERNET_HEADER_BYTES)) {
    return describeIpv4(view, 0);
  }
  if (bytes.length < ETHERNET_HEADER_BYTES) return '';
  const payload = ETHERNET_HEADER_BYTES;
  const link = formatEthernet(view, 0);
  switch (ethernetType(view, 0)) {
    case EtherType.ipv4:
      return bytes.length < payload + IPV4_MIN_HEADER_BYTES ? link : `${link}, ${describeIpv4(view, payload)}`;
    case EtherType.arp:
      return bytes.length < payload + ARP_BYTES ? link : `${link}, ${formatArp(view, payload)}`;
    default:
      return link;
  }
}

function isIpv4At(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0;
  return first >= 0x45 && first <= 0x4f;
}

function describeIpv4(view: DataView, at: number): string {
  const header = formatIpv4Header(view, at);
  if (ipv4FragmentOffsetBytes(view, at) !== 0) return header;
  const transport = at + ipv4HeaderBytes(view, at);
  const left = view.byteLength - transport;
  switch (ipv4Protocol(view, at)) {
    case IpProtocol.tcp:
      return left < TCP_MIN_HEADER_BYTES ? header : `${header}, ${formatTcp(view, transport)}`;
    case IpProtocol.udp:
      return left < UDP_HEADER_BYTES ? header : `${header}, ${formatUdp(view, transport)}`;
    case IpProtocol.icmp:
      return left < ICMPV4_HEADER_BYTES ? header : `${header}, ${formatIcmpv4(view, transport)}`;
    default:
      return header;
  }
}
