/** Records as node:dns shows them. The shapes are those of its documentation. */
import type packet from 'dns-packet';

type Answer = packet.Answer;
type Shape = (answer: Answer) => unknown;

const text: Shape = (answer) => (answer as packet.StringAnswer).data;

/** What one record of a type becomes. */
const SHAPES: Readonly<Record<string, Shape>> = {
  A: text,
  AAAA: text,
  CNAME: text,
  NS: text,
  PTR: text,
  TXT: (answer) => {
    const { data } = answer as packet.TxtAnswer;
    return (Array.isArray(data) ? data : [data]).map(String);
  },
  MX: (answer) => {
    const { exchange, preference } = (answer as packet.MxAnswer).data;
    return { exchange, priority: preference ?? 0 };
  },
  SRV: (answer) => {
    const { target, port, priority = 0, weight = 0 } = (answer as packet.SrvAnswer).data;
    return { name: target, port, priority, weight };
  },
  NAPTR: (answer) => {
    const { flags, services, regexp, replacement, order, preference } = (answer as packet.NaptrAnswer).data;
    return { flags, service: services, regexp, replacement, order, preference };
  },
  SOA: (answer) => {
    const { mname, rname, serial, refresh, retry, expire, minimum } = (answer as packet.SoaAnswer).data;
    return { nsname: mname, hostmaster: rname, serial, refresh, retry, expire, minttl: minimum };
  },
  CAA: (answer) => {
    const { flags = 0, tag, value } = (answer as packet.CaaAnswer).data;
    return { critical: flags, [tag]: value };
  },
  TLSA: (answer) => {
    const { usage, selector, matchingType, certificate } = (answer as packet.TlsaAnswer).data;
    const { buffer, byteOffset, length } = Uint8Array.from(certificate);
    return { certUsage: usage, selector, match: matchingType, data: buffer.slice(byteOffset, byteOffset + length) };
  },
};

/** Types of which `resolveAny` shows a bare value under `value`, or an address under `address`. */
const ANY_FIELDS: Readonly<Record<string, string>> = { CNAME: 'value', NS: 'value', PTR: 'value', TXT: 'entries' };

export function shapeRecords(type: string, answers: readonly Answer[]): unknown {
  if (type === 'ANY') return answers.filter((answer) => answer.type in SHAPES).map(shapeAny);
  const shapes = answers.map((answer) => SHAPES[type]!(answer));
  return type === 'SOA' ? shapes[0] : shapes;
}

export function timesToLive(answers: readonly Answer[]): number[] {
  return answers.map((answer) => (answer as packet.StringAnswer).ttl ?? 0);
}

function shapeAny(answer: Answer): object {
  const { type } = answer;
  const shape = SHAPES[type]!(answer);
  if (type === 'A' || type === 'AAAA') {
    return { address: shape, ttl: (answer as packet.StringAnswer).ttl ?? 0, type };
  }
  const field = ANY_FIELDS[type];
  return field === undefined ? { ...(shape as object), type } : { [field]: shape, type };
}
