/** One line of text for a packet, for people who watch a link. */
import { ARP_BYTES, ArpCheck, checkArp, formatArp } from '../wire/arp.js';
import {
  checkEthernet,
  ETHERNET_HEADER_BYTES,
  EthernetCheck,
  EtherType,
  ethernetType,
  formatEthernet,
} from '../wire/ethernet.js';
import { checkIcmpv4, formatIcmpv4, Icmpv4Check } from '../wire/icmpv4.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import {
  checkIpv4,
  formatIpv4Header,
  Ipv4Check,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4PayloadBytes,
  ipv4Protocol,
} from '../wire/ipv4.js';
import { checkTcp, formatTcp, TcpCheck } from '../wire/tcp.js';
import { checkUdp, formatUdp, UdpCheck } from '../wire/udp.js';
import type { LinkType } from './device.js';

/**
 * Describes the packet of `length` bytes at `at`: `02:…:01 > 02:…:02 type 0x0800, 10.0.0.1 > 10.0.0.2 protocol 6 …,
 * TCP …`. What is malformed is said to be so.
 */
export function formatPacket(view: DataView, at: number, length: number, linkType: LinkType): string {
  if (linkType === 'ip') return formatIp(view, at, length);
  if (checkEthernet(view, at, length) !== EthernetCheck.ok) return `malformed frame of ${length} bytes`;
  const type = ethernetType(view, at);
  const payload = at + ETHERNET_HEADER_BYTES;
  const bytes = length - ETHERNET_HEADER_BYTES;
  if (type === EtherType.ipv4) return `${formatEthernet(view, at)}, ${formatIp(view, payload, bytes)}`;
  if (type !== EtherType.arp) return formatEthernet(view, at);
  const isArp = bytes >= ARP_BYTES && checkArp(view, payload, bytes) === ArpCheck.ok;
  return `${formatEthernet(view, at)}, ${isArp ? formatArp(view, payload) : 'malformed ARP'}`;
}

function formatIp(view: DataView, at: number, length: number): string {
  if (checkIpv4(view, at, length) !== Ipv4Check.ok) return `malformed IP packet of ${length} bytes`;
  const header = formatIpv4Header(view, at);
  if (ipv4FragmentOffsetBytes(view, at) > 0) return header;
  const transport = formatTransport(
    view,
    at + ipv4HeaderBytes(view, at),
    ipv4PayloadBytes(view, at),
    ipv4Protocol(view, at),
  );
  return transport === '' ? header : `${header}, ${transport}`;
}

function formatTransport(view: DataView, at: number, length: number, protocol: number): string {
  switch (protocol) {
    case IpProtocol.tcp:
      return checkTcp(view, at, length) === TcpCheck.ok ? formatTcp(view, at) : 'malformed TCP';
    case IpProtocol.udp:
      return checkUdp(view, at, length) === UdpCheck.ok ? formatUdp(view, at) : 'malformed UDP';
    case IpProtocol.icmp:
      return checkIcmpv4(view, at, length) === Icmpv4Check.ok ? formatIcmpv4(view, at) : 'malformed ICMP';
    default:
      return '';
  }
}
