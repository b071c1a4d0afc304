/** TCP, UDP and ICMP with Linux at the other end of the cable. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { PingResult } from '../../src/l3/icmp-echo.js';
import { parseIpv4 } from '../../src/wire/address.js';
import { requirePeer } from '../support/peers.js';
import { pattern, readAll } from './capture-lab.js';
import { type Cable, KERNEL, makeCable, missingCable, USERNET } from './kernel-cable.js';
import { judge, readFields, tshark } from './tshark.js';

const BULK_BYTES = 5_000_000;
const ECHO_PORT = 7;
const CLOSED_PORT = 99;

const curl = requirePeer('curl');
const skip = curl.skip || tshark.skip || missingCable;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Serves `body` on the stack; the kernel's curl gets it, and gets the hash of what it posts. */
async function serveToKernel({ network, run }: Cable, body: Buffer): Promise<void> {
  const server = network.stack('host').http.createServer(async (request, response) => {
    if (request.method === 'GET') response.end(body);
    else response.end(sha256(await readAll(request)));
  });
  server.listen(80);
  await once(server, 'listening');
  const url = `http://${USERNET}/`;
  const got = await run('sh', '-c', `${curl.path} -sS --fail ${url} | sha256sum`);
  assert.equal(got.split(' ')[0], sha256(body));
  const posted = await run('sh', '-c', `head -c ${BULK_BYTES} /dev/zero | ${curl.path} -sS --data-binary @- ${url}`);
  assert.equal(posted, sha256(Buffer.alloc(BULK_BYTES)));
  await new Promise((done) => server.close(done));
}

/** The stack posts to the kernel's web server, and has bytes echoed by a connection that it ends first. */
async function sendToKernel({ network }: Cable, body: Buffer): Promise<void> {
  const host = network.stack('host');
  const answer = await host.fetch(`http://${KERNEL}/`, { method: 'POST', body, headers: { connection: 'close' } });
  assert.equal(await answer.text(), sha256(body));
  const socket = host.net.connect({ port: ECHO_PORT, host: KERNEL, allowHalfOpen: true });
  socket.end(body);
  assert.ok((await readAll(socket)).equals(body), 'the echo');
}

async function exchangeDatagrams({ network }: Cable): Promise<void> {
  const socket = network.stack('host').dgram.createSocket('udp4');
  for (const size of [1, 1472, 1473, 20_000]) {
    const datagram = pattern(size, size);
    socket.send(datagram, ECHO_PORT, KERNEL);
    const [message] = (await once(socket, 'message')) as [Buffer];
    assert.ok(message.equals(datagram), `${size} bytes`);
  }
  socket.connect(CLOSED_PORT, KERNEL);
  await once(socket, 'connect');
  socket.send('nobody is there');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  socket.close();
}

async function ping({ network }: Cable, bytes: number): Promise<PingResult['kind']> {
  const answer = new Promise<PingResult>((done) => {
    network.worker.l3.ping(network.stackRow('host'), parseIpv4(KERNEL), { bytes }, done);
  });
  network.wake();
  return (await answer).kind;
}

/** What the kernel holds against the packets that it got: counters of `/proc/net`. */
async function kernelComplaints({ run }: Cable): Promise<Record<string, number>> {
  const text = await run('cat', '/proc/net/snmp', '/proc/net/netstat');
  const lines = text.trim().split('\n');
  const complaints: Record<string, number> = {};
  for (let i = 0; i < lines.length; i += 2) {
    const names = lines[i]!.split(' ');
    const values = lines[i + 1]!.split(' ');
    names.forEach((name, k) => {
      const isComplaint = /CsumErrors|InHdrErrors|InErrs|ReasmFails|TCPAbortFailed|BadOption/.test(name);
      if (isComplaint && Number(values[k]) > 0) complaints[`${names[0]}${name}`] = Number(values[k]);
    });
  }
  return complaints;
}

async function checkCapture({ capture }: Cable): Promise<void> {
  const { badChecksums, malformed, goodChecksums } = await judge(capture);
  assert.deepEqual([badChecksums, malformed], [[], []]);
  assert.ok(goodChecksums.tcp! > 1000);
}

test('Linux and a stack understand each other', { skip }, async (t: TestContext) => {
  const cable = await makeCable(t);
  const body = pattern(BULK_BYTES, 1);
  await t.test('echo requests', async () => {
    for (const bytes of [56, 4000]) assert.equal(await ping(cable, bytes), 'reply');
  });
  await t.test('curl on the kernel, a web server on the stack', () => serveToKernel(cable, body));
  await t.test('a client on the stack, servers on the kernel', () => sendToKernel(cable, body));
  await t.test('datagrams, whole and in fragments', () => exchangeDatagrams(cable));
  await t.test('closed ports refuse in both directions', async () => {
    const socket = cable.network.stack('host').net.connect(CLOSED_PORT, KERNEL);
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ECONNREFUSED');
    const refused = await cable.run('sh', '-c', `${curl.path} -sS http://${USERNET}:${CLOSED_PORT}/ || echo $?`);
    assert.equal(refused.trim(), '7');
  });
  await t.test('the kernel complains of nothing', async () => {
    assert.deepEqual(await kernelComplaints(cable), {});
  });
  await t.test('neither does tshark', async () => {
    await cable.network.close();
    await checkCapture(cable);
    const [syn] = await readFields(
      cable.capture,
      `tcp.flags.syn == 1 && tcp.flags.ack == 1 && ip.src == ${USERNET}`,
      'tcp.options.mss_val',
      'tcp.options.sack_perm',
      'tcp.options.timestamp.tsval',
      'tcp.options.wscale.shift',
    );
    assert.ok(
      syn!.every((option) => option.length === 1),
      'MSS, SACK, timestamps and window scale are agreed on',
    );
  });
});

test('Linux and a stack understand each other over a bad link', { skip }, async (t: TestContext) => {
  const cable = await makeCable(t, { loss: 0.02, duplicate: 0.02, reorder: 0.02, delay: 2, seed: 11 });
  const body = pattern(BULK_BYTES, 2);
  await serveToKernel(cable, body);
  await sendToKernel(cable, body);
  await cable.network.close();
  await checkCapture(cable);
});
