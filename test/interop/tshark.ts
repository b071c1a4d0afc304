/** tshark as a judge of captures: what it makes of every packet, with all checksums verified and all streams followed. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { requirePeer } from '../support/peers.js';

export const tshark = requirePeer('tshark');

const execute = promisify(execFile);
const MAX_OUTPUT_BYTES = 2 ** 28;

/** Everything that tshark can verify, and one fragment's payload shown with its packet instead of as a fragment. */
const PREFERENCES = [
  'ip.check_checksum:TRUE',
  'tcp.check_checksum:TRUE',
  'udp.check_checksum:TRUE',
  'ip.defragment:TRUE',
  'tcp.analyze_sequence_numbers:TRUE',
  'tcp.desegment_tcp_streams:TRUE',
];

/** Severities of expert information, as tshark numbers them. */
const NOTE = 0x40_0000;

/** Separates several values of a field. */
const AGGREGATOR = '\x1f';

/** Runs tshark over a capture file and gives what it prints. */
export async function readCapture(file: string, ...args: string[]): Promise<string> {
  const preferences = PREFERENCES.flatMap((preference) => ['-o', preference]);
  const { stdout } = await execute(tshark.path, ['-n', '-r', file, ...preferences, ...args], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout;
}

/** Fields of each packet that matches the filter: a list of values for each field. */
export async function readFields(file: string, filter: string, ...fields: string[]): Promise<string[][][]> {
  const columns = fields.flatMap((field) => ['-e', field]);
  const form = ['-T', 'fields', '-E', 'separator=/t', '-E', `aggregator=${AGGREGATOR}`];
  const text = await readCapture(file, '-2', '-Y', filter, ...form, ...columns);
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => line.split('\t').map((values) => (values === '' ? [] : values.split(AGGREGATOR))));
}

/** What tshark holds against a capture. */
export interface Verdict {
  readonly packets: number;
  /** Checksums that are right, by protocol: shows that they were looked at. */
  readonly goodChecksums: Readonly<Record<string, number>>;
  /** Packets with a checksum that is not. */
  readonly badChecksums: readonly string[];
  readonly malformed: readonly string[];
  /** Remarks from the severity `note` on, and everything that TCP's analysis found: each text with its number. */
  readonly remarks: Readonly<Record<string, number>>;
}

const PROTOCOLS = ['ip', 'tcp', 'udp', 'icmp'] as const;
const CHECKSUM_BAD = '0';
const CHECKSUM_GOOD = '1';

export async function judge(file: string): Promise<Verdict> {
  const statuses = PROTOCOLS.map((protocol) => `${protocol}.checksum.status`);
  const rows = await readFields(
    file,
    'frame',
    'frame.number',
    '_ws.malformed',
    '_ws.expert.severity',
    '_ws.expert.message',
    ...statuses,
  );
  const goodChecksums: Record<string, number> = {};
  const badChecksums: string[] = [];
  const malformed: string[] = [];
  const remarks: Record<string, number> = {};
  for (const [number, malformation, severities, messages, ...checksums] of rows) {
    const packet = `packet ${number}`;
    if (malformation!.length > 0) malformed.push(packet);
    PROTOCOLS.forEach((protocol, i) => {
      for (const status of checksums[i]!) {
        if (status === CHECKSUM_BAD) badChecksums.push(`${packet}: ${protocol}`);
        if (status === CHECKSUM_GOOD) goodChecksums[protocol] = (goodChecksums[protocol] ?? 0) + 1;
      }
    });
    messages!.forEach((message, i) => {
      if (Number(severities![i]) >= NOTE) remarks[message] = (remarks[message] ?? 0) + 1;
    });
  }
  return { packets: rows.length, goodChecksums, badChecksums, malformed, remarks };
}

/** Bytes of a TCP stream, put together by tshark: what the connecting end sent and what it got. */
export async function followStream(file: string, stream: number): Promise<{ sent: Buffer; received: Buffer }> {
  const text = await readCapture(file, '-q', '-z', `follow,tcp,raw,${stream}`);
  const lines = text.split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line));
  const join = (wanted: string[]): Buffer => Buffer.from(wanted.join(''), 'hex');
  return {
    sent: join(lines.filter((line) => !line.startsWith('\t'))),
    received: join(lines.filter((line) => line.startsWith('\t')).map((line) => line.slice(1))),
  };
}
