/** The wire as an outsider sees it: tshark reads captures of all kinds of traffic and must find nothing wrong. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  browse,
  echo,
  exchange,
  makeCaptureLab,
  pattern,
  ping,
  sendToClosedPort,
  sendToSlowReader,
  WEB,
} from './capture-lab.js';
import { followStream, judge, readCapture, readFields, tshark } from './tshark.js';

const BULK_BYTES = 2_000_000;
const BODY_BYTES = 200_000;
const PATHS = ['/first', '/second', '/third'];
const PING_SIZES = [56, 4000];
const PORT = 5001;
const ECHO_PORT = 7;
const CLOSED_PORT = 9;

/** What tshark remarks on that is as it should be. */
const EXPECTED = [
  /^This frame (initiates|undergoes) the connection closing$/,
  // A sender may fill the window that it is given.
  /^TCP window specified by the receiver is now completely full$/,
  // The echo request with so little time to live that the router answers it with an error.
  /^"Time To Live" only 1$/,
  /^No response seen to ICMP request$/,
];

for (const offload of [true, false]) {
  test(`tshark finds nothing wrong on a good link, offload ${offload ? 'on' : 'off'}`, {
    skip: tshark.skip,
  }, async (t) => {
    const lab = await makeCaptureLab(t, { offload });
    const request = pattern(BULK_BYTES, 1);
    const response = pattern(BULK_BYTES, 2);
    const body = pattern(BODY_BYTES, 3);
    const datagrams = [1, 100, 1472, 1473, 8000, 65_507].map((size) => pattern(size, size));
    for (const bytes of PING_SIZES) assert.equal(await ping(lab, bytes), 'reply');
    assert.equal(await ping(lab, 56, 1), 'error');
    await lab.run(exchange(lab, PORT, request, response));
    await lab.run(browse(lab, PATHS, body));
    await lab.run(echo(lab, ECHO_PORT, datagrams));
    await lab.run(sendToClosedPort(lab, CLOSED_PORT));
    await lab.network.close();

    for (const [name, file] of Object.entries(lab.files)) {
      await t.test(name, async () => {
        const { packets, goodChecksums, badChecksums, malformed, remarks } = await judge(file);
        assert.deepEqual(malformed, []);
        assert.deepEqual(badChecksums, []);
        const surprises = Object.keys(remarks).filter((remark) => !EXPECTED.some((each) => each.test(remark)));
        assert.deepEqual(surprises, []);
        for (const protocol of ['ip', 'tcp', 'udp', 'icmp']) {
          assert.ok(goodChecksums[protocol]! > 0, `no ${protocol} checksum was verified`);
        }
        assert.ok(packets > 100);
      });
    }

    await t.test('the capture holds every byte that was sent', async () => {
      for (const file of [lab.files['client.eth0']!, lab.files['web.eth0']!]) {
        const stream = await followStream(file, 0);
        assert.ok(stream.sent.equals(request), 'what the client sent');
        assert.ok(stream.received.equals(response), 'what the server sent');
        const sent = await readFields(file, `udp.dstport == ${ECHO_PORT}`, 'udp.payload');
        assert.deepEqual(
          sent.flat(2),
          datagrams.map((datagram) => datagram.toString('hex')),
        );
        const echoed = await readFields(file, `udp.srcport == ${ECHO_PORT}`, 'udp.payload');
        assert.deepEqual(echoed, sent);
      }
    });

    await t.test('HTTP is what it was', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'usernet-objects-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const requests = await readFields(lab.files['web.eth0']!, 'http.request', 'http.request.uri');
      assert.deepEqual(requests.flat(2), PATHS);
      await readCapture(lab.files['web.eth0']!, '-q', '--export-objects', `http,${folder}`);
      assert.deepEqual(readdirSync(folder).sort(), PATHS.map((path) => path.slice(1)).sort());
      for (const name of readdirSync(folder)) assert.ok(readFileSync(join(folder, name)).equals(body), name);
    });

    await t.test('ARP and ICMP are there, each with its answer', async () => {
      const arp = await readFields(lab.files['client.eth0']!, 'arp', 'arp.opcode', 'arp.src.proto_ipv4');
      assert.ok(
        arp.some(([operation, from]) => operation![0] === '2' && from![0] === '10.1.0.1'),
        'no ARP reply',
      );
      const requests = await readFields(lab.files['web.eth0']!, 'icmp.type == 8', 'icmp.resp_in');
      assert.equal(requests.length, PING_SIZES.length);
      assert.ok(
        requests.every(([response]) => response!.length === 1),
        'an echo request without its reply',
      );
      const errors = await readFields(
        lab.files['client.eth0']!,
        'icmp.type == 3 || icmp.type == 11',
        'icmp.type',
        'icmp.code',
        'ip.src',
      );
      assert.deepEqual(
        errors.map(([type, code, source]) => `${type![0]}/${code![0]} from ${source![0]}`),
        ['11/0 from 10.1.0.1', `3/3 from ${WEB}`],
      );
    });

    if (offload) return;
    await t.test('no packet is larger than the MTU of its wire', async () => {
      assert.deepEqual(await readFields(lab.files['client.eth0']!, 'frame.len > 1514', 'frame.number'), []);
      assert.deepEqual(await readFields(lab.files['web.eth0']!, 'frame.len > 1414', 'frame.number'), []);
    });
  });
}

test('tshark sees a receiver that takes its time, and a sender that probes it', { skip: tshark.skip }, async (t) => {
  const lab = await makeCaptureLab(t);
  await lab.run(sendToSlowReader(lab, PORT, pattern(10 * BULK_BYTES, 1)));
  await lab.network.close();
  const { badChecksums, malformed, remarks } = await judge(lab.files['client.eth0']!);
  assert.deepEqual([badChecksums, malformed], [[], []]);
  const {
    'TCP Zero Window segment': shut = 0,
    'TCP Zero Window Probe': probes = 0,
    'ACK to a TCP Zero Window Probe': answers = 0,
    ...others
  } = remarks;
  assert.ok(probes >= 3 && answers === probes && shut > probes, JSON.stringify(remarks));
  assert.deepEqual(
    Object.keys(others).filter((remark) => !EXPECTED.some((each) => each.test(remark))),
    [],
  );
});

test('tshark finds what a bad link does, and nothing else', { skip: tshark.skip }, async (t) => {
  const lab = await makeCaptureLab(t, { impair: { loss: 0.02, duplicate: 0.02, reorder: 0.02, delay: 5, seed: 3 } });
  const request = pattern(BULK_BYTES, 1);
  const response = pattern(BULK_BYTES, 2);
  await lab.run(exchange(lab, PORT, request, response));
  await lab.network.close();
  const file = lab.files['web.eth0']!;
  const { badChecksums, malformed, remarks, goodChecksums } = await judge(file);
  assert.deepEqual([badChecksums, malformed], [[], []]);
  assert.ok(goodChecksums.tcp! > 2000);
  assert.ok(
    Object.keys(remarks).some((remark) => /retransmission/.test(remark)),
    'nothing was retransmitted',
  );
  const stream = await followStream(file, 0);
  assert.ok(stream.sent.equals(request) && stream.received.equals(response), 'the streams arrived');
  // What was lost is asked for by selective acknowledgments, and only by ends that agreed on them.
  assert.ok((await readFields(file, 'tcp.options.sack_le', 'frame.number')).length > 0);
});

test('tshark sees damaged packets: the judge is awake', { skip: tshark.skip }, async (t) => {
  const lab = await makeCaptureLab(t, { impair: { corrupt: 0.05, seed: 5 } });
  await lab.run(exchange(lab, PORT, pattern(BULK_BYTES, 1), pattern(BULK_BYTES, 2)));
  await lab.network.close();
  const damaged = await judge(lab.files['router.up']!);
  assert.ok(damaged.badChecksums.length > 20, `only ${damaged.badChecksums.length} bad checksums`);
  // The router forwards what is damaged behind the IP header, as routers do; the ends send nothing damaged.
  const fromWeb = await readFields(
    lab.files['web.eth0']!,
    `ip.src == ${WEB} && tcp.checksum.status == 0`,
    'frame.number',
  );
  assert.deepEqual(fromWeb, []);
});
