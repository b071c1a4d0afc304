/**
 * Protocol numbers of the IPv4 protocol and IPv6 next-header fields. RFC 790's successor: the IANA "Protocol Numbers"
 * registry (RFC 5237).
 */
export const IpProtocol = { icmp: 1, igmp: 2, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmpv6: 58 } as const;
