/** Counters of the node tcp4-input: what came, and why segments were not used. The first ones are the codes of checkTcp. */
export const TcpCounter = {
  ok: 0,
  short: 1,
  badHeaderLength: 2,
  badChecksum: 3,
  noConnection: 4,
  unacceptable: 5,
  oldTimestamp: 6,
  noTimestamp: 7,
  badAck: 8,
  challenged: 9,
  synOverflow: 10,
  acceptOverflow: 11,
  noMemory: 12,
  fastPath: 13,
  outOfOrder: 14,
  outOfOrderOverflow: 15,
  resetsSent: 16,
  resetsReceived: 17,
  synCookiesSent: 18,
  synCookiesAccepted: 19,
  badSynCookies: 20,
  ignored: 21,
} as const;

export const TCP_COUNTERS = [
  'ok',
  'short',
  'bad header length',
  'bad checksum',
  'no connection',
  'unacceptable',
  'old timestamp',
  'no timestamp',
  'bad ack',
  'challenged',
  'syn overflow',
  'accept overflow',
  'no memory',
  'fast path',
  'out of order',
  'out of order overflow',
  'resets sent',
  'resets received',
  'syn cookies sent',
  'syn cookies accepted',
  'bad syn cookies',
  'ignored',
] as const;

/** Counters of the node tcp4-output. */
export const TcpOutputCounter = { packets: 0, blocked: 1, retransmitted: 2 } as const;

export const TCP_OUTPUT_COUNTERS = ['packets', 'blocked', 'retransmitted'] as const;
