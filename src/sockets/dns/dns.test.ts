/** Names over a stack: what Node's dns answers, from name servers of every kind of behaviour. RFC 1035, RFC 7766. */
import assert from 'node:assert/strict';
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram';
import type { Server } from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import packet, { type Answer, type Packet } from 'dns-packet';
import { FakeNetwork } from '../../session/testing/fake-network.js';
import { Stack } from '../stack.js';

const SERVER = '127.0.0.53';
const PORT = 5353;

/** What the server does for a name: records, or a way to fail. */
type Behaviour = readonly Answer[] | 'NXDOMAIN' | 'SERVFAIL' | 'silent' | 'first lost' | 'garbage';

const zone = new Map<string, Behaviour>([
  ['a.test', [a('a.test', '10.0.0.1'), a('a.test', '10.0.0.2')]],
  ['alias.test', [{ type: 'CNAME', name: 'alias.test', data: 'a.test' }, a('a.test', '10.0.0.1')]],
  ['far-alias.test', [{ type: 'CNAME', name: 'far-alias.test', data: 'a.test' }]],
  ['loop.test', [{ type: 'CNAME', name: 'loop.test', data: 'loop.test' }]],
  ['six.test', [{ type: 'AAAA', name: 'six.test', ttl: 60, data: '2001:db8::1' }]],
  ['none.test', 'NXDOMAIN'],
  ['empty.test', []],
  ['broken.test', 'SERVFAIL'],
  ['silent.test', 'silent'],
  ['late.test', 'first lost'],
  ['garbage.test', 'garbage'],
  ['many.test', Array.from({ length: 100 }, (_, i) => a('many.test', `10.1.0.${i}`))],
  ['mail.test', [{ type: 'MX', name: 'mail.test', data: { preference: 10, exchange: 'mx.test' } }]],
  ['text.test', [{ type: 'TXT', name: 'text.test', data: [Buffer.from('one'), Buffer.from('two')] }]],
  [
    '_s._tcp.test',
    [{ type: 'SRV', name: '_s._tcp.test', data: { priority: 1, weight: 2, port: 3, target: 't.test' } }],
  ],
  ['1.0.0.10.in-addr.arpa', [{ type: 'PTR', name: '1.0.0.10.in-addr.arpa', data: 'a.test' }]],
  [
    'zone.test',
    [
      {
        type: 'SOA',
        name: 'zone.test',
        data: { mname: 'ns.test', rname: 'root.test', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
      },
    ],
  ],
]);

function a(name: string, data: string): Answer {
  return { type: 'A', name, ttl: 300, data };
}

const network = new FakeNetwork({ schedule: (run) => setImmediate(run), names: { 'host.in.network': ['10.9.9.9'] } });
const host = new Stack('host', network.port());
const nameServers = [{ address: SERVER, port: PORT }];
const client = new Stack('client', network.port(), { nameServers });
const lonely = new Stack('lonely', network.port());
const asked: string[] = [];
const lost = new Set<string>();
let udp: UdpSocket;
let tcp: Server;

before(async () => {
  udp = host.dgram.createSocket('udp4', (message: Buffer, remote: RemoteInfo) => {
    const answer = answerTo(message, false);
    if (answer !== undefined) udp.send(answer, remote.port, remote.address);
  });
  tcp = host.net.createServer((socket) => {
    socket.on('data', (data) => {
      const answer = answerTo(data.subarray(2), true);
      if (answer !== undefined) socket.end(packet.streamEncode(packet.decode(answer)));
    });
  });
  await new Promise<void>((resolve) => udp.bind(PORT, SERVER, resolve));
  await new Promise<void>((resolve) => tcp.listen(PORT, SERVER, resolve));
});

after(() => {
  udp.close();
  tcp.close();
  for (const stack of [host, client, lonely]) stack.close();
});

/** The server's answer; undefined: it says nothing. */
function answerTo(message: Buffer, isTcp: boolean): Buffer | undefined {
  const query = packet.decode(message);
  const [question] = query.questions!;
  const { name, type } = question!;
  asked.push(`${isTcp ? 'tcp' : 'udp'} ${type} ${name}`);
  const behaviour = zone.get(name.toLowerCase()) ?? 'NXDOMAIN';
  const isFirst = !lost.has(name);
  lost.add(name);
  if (behaviour === 'silent' || (behaviour === 'first lost' && isFirst)) return undefined;
  if (behaviour === 'garbage') return Buffer.from('this is no answer');
  const answers =
    typeof behaviour === 'string'
      ? []
      : behaviour.filter((each) => (type as string) === 'ANY' || each.type === type || each.type === 'CNAME');
  if (behaviour === 'first lost') answers.push(a(name, '10.0.0.7'));
  const rcode = behaviour === 'NXDOMAIN' ? 3 : behaviour === 'SERVFAIL' ? 2 : 0;
  const isCut = !isTcp && answers.length > 20;
  const response: Packet = {
    type: 'response',
    id: query.id!,
    flags: packet.RECURSION_AVAILABLE | rcode | (isCut ? packet.TRUNCATED_RESPONSE : 0),
    questions: query.questions!,
    answers: isCut ? [] : answers,
  };
  return packet.encode(response);
}

const { promises } = client.dns;

test('lookup: addresses, all of them, aliases, the family', async () => {
  assert.deepEqual(await promises.lookup('a.test'), { address: '10.0.0.1', family: 4 });
  assert.deepEqual(await promises.lookup('a.test', { all: true }), [
    { address: '10.0.0.1', family: 4 },
    { address: '10.0.0.2', family: 4 },
  ]);
  assert.deepEqual(await promises.lookup('alias.test'), { address: '10.0.0.1', family: 4 });
  assert.deepEqual(await promises.lookup('far-alias.test'), { address: '10.0.0.1', family: 4 });
  assert.deepEqual(await promises.lookup('six.test', 6), { address: '2001:db8::1', family: 6 });
  const lookup = promisify(client.dns.lookup);
  assert.deepEqual(await lookup('a.test'), { address: '10.0.0.1', family: 4 });
});

test('lookup: what needs no name server', async () => {
  asked.length = 0;
  assert.deepEqual(await promises.lookup('localhost'), { address: '127.0.0.1', family: 4 });
  assert.deepEqual(await promises.lookup('Some.LOCALHOST.'), { address: '127.0.0.1', family: 4 });
  assert.deepEqual(await promises.lookup('host.in.network'), { address: '10.9.9.9', family: 4 });
  assert.deepEqual(await promises.lookup('192.0.2.1'), { address: '192.0.2.1', family: 4 });
  assert.deepEqual(await promises.lookup('::1'), { address: '::1', family: 6 });
  await assert.rejects(promises.lookup('localhost', 6), { code: 'ENOTFOUND' });
  assert.deepEqual(asked, []);
});

test('lookup: failures have the fields of getaddrinfo', async () => {
  const failure = { syscall: 'getaddrinfo', name: 'Error' };
  const missing = { ...failure, code: 'ENOTFOUND', errno: -3008 };
  await assert.rejects(promises.lookup('none.test'), {
    ...missing,
    hostname: 'none.test',
    message: 'getaddrinfo ENOTFOUND none.test',
  });
  await assert.rejects(promises.lookup('empty.test'), { ...missing, hostname: 'empty.test' });
  await assert.rejects(promises.lookup('loop.test'), { ...missing, hostname: 'loop.test' });
  await assert.rejects(promises.lookup('broken.test'), {
    ...failure,
    code: 'EAI_AGAIN',
    errno: -3001,
    hostname: 'broken.test',
  });
  await assert.rejects(lonely.dns.promises.lookup('a.test'), { ...missing, hostname: 'a.test' });
});

test('resolve: records as node:dns shows them', async () => {
  assert.deepEqual(await promises.resolve4('a.test'), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(await promises.resolve4('a.test', { ttl: true }), [
    { address: '10.0.0.1', ttl: 300 },
    { address: '10.0.0.2', ttl: 300 },
  ]);
  assert.deepEqual(await promises.resolve6('six.test'), ['2001:db8::1']);
  assert.deepEqual(await promises.resolveCname('alias.test'), ['a.test']);
  assert.deepEqual(await promises.resolveMx('mail.test'), [{ exchange: 'mx.test', priority: 10 }]);
  assert.deepEqual(await promises.resolveTxt('text.test'), [['one', 'two']]);
  assert.deepEqual(await promises.resolveSrv('_s._tcp.test'), [{ name: 't.test', port: 3, priority: 1, weight: 2 }]);
  assert.deepEqual(await promises.resolveSoa('zone.test'), {
    nsname: 'ns.test',
    hostmaster: 'root.test',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minttl: 5,
  });
  assert.deepEqual(await promises.resolve('mail.test', 'MX'), [{ exchange: 'mx.test', priority: 10 }]);
  assert.deepEqual(await promises.reverse('10.0.0.1'), ['a.test']);
  assert.deepEqual(await promises.resolveAny('mail.test'), [{ exchange: 'mx.test', priority: 10, type: 'MX' }]);
  assert.deepEqual(await promisify(client.dns.resolve4)('a.test'), ['10.0.0.1', '10.0.0.2']);
});

test('resolve: failures have the codes of c-ares', async () => {
  await assert.rejects(promises.resolve4('none.test'), {
    code: 'ENOTFOUND',
    syscall: 'queryA',
    hostname: 'none.test',
    message: 'queryA ENOTFOUND none.test',
  });
  await assert.rejects(promises.resolveMx('a.test'), { code: 'ENODATA', syscall: 'queryMx' });
  await assert.rejects(promises.resolve4('broken.test'), { code: 'ESERVFAIL' });
  await assert.rejects(lonely.dns.promises.resolve4('a.test'), { code: 'ECONNREFUSED' });
});

test('resolve: an answer that does not fit comes by TCP', async () => {
  asked.length = 0;
  assert.equal((await promises.resolve4('many.test')).length, 100);
  assert.deepEqual(asked, ['udp A many.test', 'tcp A many.test']);
});

test('resolve: tries, timeouts and cancelling', async () => {
  const resolver = new client.dns.promises.Resolver({ timeout: 30, tries: 2 });
  assert.deepEqual(await resolver.resolve4('late.test'), ['10.0.0.7']);
  asked.length = 0;
  await assert.rejects(resolver.resolve4('silent.test'), { code: 'ETIMEOUT' });
  assert.deepEqual(asked, ['udp A silent.test', 'udp A silent.test']);
  await assert.rejects(resolver.resolve4('garbage.test'), { code: 'ETIMEOUT' });
  const pending = resolver.resolve4('silent.test');
  resolver.cancel();
  await assert.rejects(pending, { code: 'ECANCELLED' });
});

test('resolve: servers of a resolver', async () => {
  assert.deepEqual(client.dns.getServers(), [`${SERVER}:${PORT}`]);
  const resolver = new lonely.dns.Resolver({ timeout: 200, tries: 1 });
  assert.deepEqual(resolver.getServers(), []);
  resolver.setServers(['127.0.0.54:9', `${SERVER}:${PORT}`]);
  assert.deepEqual(resolver.getServers(), ['127.0.0.54:9', `${SERVER}:${PORT}`]);
  // The first one refuses.
  assert.deepEqual(await promisify(resolver.resolve4.bind(resolver))('a.test'), ['10.0.0.1', '10.0.0.2']);
});

test('sockets and servers use the names of their stack', async () => {
  const server = client.net.createServer((socket) => socket.end('by name'));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as { port: number };
  const socket = client.net.connect({ port, host: 'localhost' });
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  assert.equal(String(Buffer.concat(chunks)), 'by name');
  await new Promise((resolve) => server.close(resolve));
  const failed = client.net.connect({ port, host: 'none.test' });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => failed.on('error', resolve));
  assert.equal(error.code, 'ENOTFOUND');
});
