/**
 * One question to one name server of a stack: by UDP from a port of its own, and by TCP when the answer does not fit.
 * RFC 1035 section 4.2, RFC 5452 section 9 on which answers to believe, RFC 7766 on TCP.
 */
import { randomInt } from 'node:crypto';
import { createRequire } from 'node:module';
import type packet from 'dns-packet';
import type { Packet } from 'dns-packet';
import type { StackSockets } from '../stack-sockets.js';
import { StackTcp } from '../tcp-handle.js';
import { StackUdp } from '../udp-handle.js';
import { type DnsCode, DnsError } from './dns-error.js';

export interface DnsServer {
  readonly address: string;
  readonly port: number;
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: packet.RecordType | 'ANY';
}

/** What a decoded answer has beyond the types of dns-packet. */
export type DnsAnswer = packet.DecodedPacket & { readonly rcode: string };

const MAX_ID = 0xffff;
const LENGTH_BYTES = 2;
/** What we take by UDP. RFC 6891 section 6.2.5, as the DNS flag day of 2020 has it. */
const UDP_PAYLOAD_BYTES = 1232;

/** The codec is loaded when it is needed: a preload has to be quick. */
const require = createRequire(import.meta.url);
const codec = (): typeof packet => require('dns-packet');

export function exchange(
  sockets: StackSockets,
  server: DnsServer,
  question: DnsQuestion,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  const query: Packet = {
    type: 'query',
    id: randomInt(MAX_ID + 1),
    flags: codec().RECURSION_DESIRED,
    questions: [question as packet.Question],
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: UDP_PAYLOAD_BYTES, flags: 0, options: [] } as never],
  };
  return askByUdp(sockets, server, query, timeoutMs, signal).then((answer) =>
    answer.flag_tc ? askByTcp(sockets, server, query, timeoutMs, signal) : answer,
  );
}

function askByUdp(
  sockets: StackSockets,
  server: DnsServer,
  query: Packet,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  const handle = new StackUdp(sockets);
  const work = new Promise<DnsAnswer>((resolve, reject) => {
    handle.onmessage = (bytes, _handle, data) => {
      if (bytes < 0) reject(new DnsError('ECONNREFUSED'));
      else tryDecode(query, data as Buffer, resolve);
    };
    const bytes = codec().encode(query);
    const code =
      handle.bind('0.0.0.0', 0, 0) ||
      handle.connect(server.address, server.port) ||
      handle.recvStart() ||
      Math.min(handle.send({ oncomplete: undefined }, [bytes], 1, false), 0);
    if (code !== 0) reject(new DnsError('ECONNREFUSED'));
  });
  return withLimit(work, timeoutMs, signal, () => handle.close());
}

function askByTcp(
  sockets: StackSockets,
  server: DnsServer,
  query: Packet,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  const { Socket } = process.getBuiltinModule('node:net');
  const socket = new Socket({ handle: new StackTcp(sockets), manualStart: true } as object);
  const work = new Promise<DnsAnswer>((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length < end) return;
      tryDecode(query, received.subarray(LENGTH_BYTES, end), resolve);
      reject(new DnsError('EBADRESP'));
    });
    socket.on('error', () => reject(new DnsError('ECONNREFUSED')));
    socket.on('end', () => reject(new DnsError('EBADRESP')));
    socket.connect({ port: server.port, host: server.address });
    socket.write(codec().streamEncode(query));
  });
  return withLimit(work, timeoutMs, signal, () => socket.destroy());
}

/** Calls `accept` with the answer, unless the bytes are none to this question. */
function tryDecode(query: Packet, bytes: Buffer, accept: (answer: DnsAnswer) => void): void {
  let answer: DnsAnswer;
  try {
    answer = codec().decode(bytes) as DnsAnswer;
  } catch {
    return;
  }
  const [asked] = query.questions!;
  const [echoed] = answer.questions ?? [];
  const isSame = echoed?.name.toLowerCase() === asked!.name.toLowerCase() && echoed.type === asked!.type;
  if (answer.type === 'response' && answer.id === query.id && isSame) accept(answer);
}

/** The outcome of `work`, or ETIMEOUT or ECANCELLED if that comes first; `end` is called in any case. */
async function withLimit<Value>(
  work: Promise<Value>,
  timeoutMs: number,
  signal: AbortSignal,
  end: () => void,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    const fail = (code: DnsCode) => (): void => reject(new DnsError(code));
    timer = setTimeout(fail('ETIMEOUT'), timeoutMs);
    onAbort = fail('ECANCELLED');
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    end();
  }
}
