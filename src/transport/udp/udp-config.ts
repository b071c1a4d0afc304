/** Tunables of UDP with their defaults. */
export interface UdpConfig {
  readonly maxSockets: number;
  /** Bytes that wait to be received, of one socket. */
  readonly receiveBufferBytes: number;
  /** Packets that wait for the next pass of the graph, of all sockets; fragments count. */
  readonly outputPackets: number;
  /** Range of ephemeral ports. RFC 6335 section 6. */
  readonly firstEphemeralPort: number;
  readonly lastEphemeralPort: number;
}

export const DEFAULT_UDP_CONFIG: UdpConfig = {
  maxSockets: 4_096,
  receiveBufferBytes: 208 * 1024,
  outputPackets: 256,
  firstEphemeralPort: 32_768,
  lastEphemeralPort: 60_999,
};
