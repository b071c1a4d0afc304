/** Tunables of TCP with their defaults; times in milliseconds, sizes in bytes. */
export interface TcpConfig {
  /** Rows of the connection table. */
  readonly maxConnections: number;
  readonly maxListeners: number;
  readonly congestionControl: 'cubic' | 'reno';
  /** RFC 6298 section 2.4 asks for 1 s; 200 ms is what stacks use since timestamps and delayed ACKs of 40 ms. */
  readonly minRtoMs: number;
  /** RFC 6298 section 2.5: at least 60 s. */
  readonly maxRtoMs: number;
  /** Before the first measurement. RFC 6298 section 2.1. */
  readonly initialRtoMs: number;
  readonly delayedAckMs: number;
  /** Unanswered SYNs: how long `connect` tries. RFC 9293 section 3.8.3, R2 for SYN: at least 3 minutes by default. */
  readonly connectTimeoutMs: number;
  /** SYN-ACKs are sent again for so long. */
  readonly handshakeTimeoutMs: number;
  /** Data without an acknowledgment: how long it is retransmitted. RFC 9293 section 3.8.3, R2: at least 100 s. */
  readonly userTimeoutMs: number;
  /** The same after the application has let go of the connection. */
  readonly orphanTimeoutMs: number;
  /** Twice the maximum segment lifetime. RFC 9293 section 3.4.2 (MSL 2 min there; stacks use 30 s). */
  readonly timeWaitMs: number;
  /** FIN-WAIT-2 of a connection that no application holds. */
  readonly finWait2Ms: number;
  readonly keepAliveIntervalMs: number;
  readonly keepAliveProbes: number;
  readonly sendBufferBytes: number;
  readonly maxSendBufferBytes: number;
  readonly receiveBufferBytes: number;
  readonly maxReceiveBufferBytes: number;
  /** Range of ephemeral ports. RFC 6335 section 6. */
  readonly firstEphemeralPort: number;
  readonly lastEphemeralPort: number;
}

export const DEFAULT_TCP_CONFIG: TcpConfig = {
  maxConnections: 65_536,
  maxListeners: 4_096,
  congestionControl: 'cubic',
  minRtoMs: 200,
  maxRtoMs: 120_000,
  initialRtoMs: 1_000,
  delayedAckMs: 40,
  connectTimeoutMs: 180_000,
  handshakeTimeoutMs: 60_000,
  userTimeoutMs: 900_000,
  orphanTimeoutMs: 120_000,
  timeWaitMs: 60_000,
  finWait2Ms: 60_000,
  keepAliveIntervalMs: 75_000,
  keepAliveProbes: 9,
  sendBufferBytes: 512 * 1024,
  maxSendBufferBytes: 4 * 1024 * 1024,
  receiveBufferBytes: 256 * 1024,
  maxReceiveBufferBytes: 4 * 1024 * 1024,
  firstEphemeralPort: 32_768,
  lastEphemeralPort: 60_999,
};
