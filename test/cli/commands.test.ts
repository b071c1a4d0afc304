import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { InterfaceRow, RouteRow } from '../../src/ops/show.js';
import { Place } from './usernet.js';

const NETWORK = `
stacks:
  router:
    interfaces:
      lan: { type: veth, switch: lan0, address: 10.0.0.1/24 }
      up: { type: veth, peer: client.eth0, address: 10.1.0.1/24 }
    forwarding: true
  web:
    interfaces: { eth0: { type: veth, switch: lan0, address: 10.0.0.2/24 } }
    routes: [{ to: default, via: 10.0.0.1 }]
  client:
    interfaces: { eth0: { type: veth, peer: router.up, address: 10.1.0.2/24 } }
    routes: [{ to: default, via: 10.1.0.1 }]
switches: { lan0: {} }
`;

test('a network comes up, is looked at, and ends at Ctrl-C with nothing left behind', async (t) => {
  const place = new Place(t);
  const socket = join(place.folder, 'usernet.sock');
  const up = place.start(t, 'up', place.write('net.yaml', NETWORK), '--json');
  const [line] = await up.said(/^.*\n/);
  assert.deepEqual(JSON.parse(line), { event: 'ready', control: socket, forwards: [] });
  assert.equal(statSync(socket).mode & 0o777, 0o600);

  const ping = await place.run(t, 'ping', 'web', '--from', 'client', '-c', '2', '-i', '1', '--json');
  assert.equal(ping.code, 0, ping.stderr);
  const events = ping.stdout
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each));
  assert.deepEqual(
    events.map((each) => each.event),
    ['reply', 'reply', 'summary'],
  );
  assert.equal(events[0].ttl, 63);

  const interfaces = await place.run(t, 'show', 'interfaces', '--json');
  const rows = JSON.parse(interfaces.stdout) as InterfaceRow[];
  assert.equal(rows.find((row) => row.stack === 'web' && row.name === 'eth0')?.rxDrops, 0);
  const routes = await place.run(t, 'show', 'routes', '--stack', 'web', '--json');
  assert.ok((JSON.parse(routes.stdout) as RouteRow[]).every((row) => row.stack === 'web'));
  for (const topic of ['neighbors', 'sessions', 'graph', 'errors', 'memory']) {
    const shown = await place.run(t, 'show', topic);
    assert.equal(shown.code, 0, shown.stderr);
    assert.ok(shown.stdout.length > 0);
  }

  up.signal('SIGINT');
  const startMs = Date.now();
  const end = await up.ended;
  assert.deepEqual([end.code, end.stderr], [0, '']);
  assert.ok(Date.now() - startMs < 1000, 'less than a second');
  assert.equal(existsSync(socket), false);
});

test('a host that does not answer makes ping fail', async (t) => {
  const place = new Place(t);
  const up = place.start(t, 'up', place.write('net.yaml', NETWORK));
  await up.said(/^ready /);
  const ping = await place.run(t, 'ping', '10.0.0.9', '--from', 'web', '-c', '1');
  assert.equal(ping.code, 1);
  assert.match(ping.stdout, /1 sent, 0 received, 100% lost/);
  const nowhere = await place.run(t, 'ping', '10.0.0.2', '--from', 'wbe');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /there is no stack "wbe"\n {2}hint: did you mean "web"\?/);
});

test('two networks can be up at once; the second says where its control socket is', async (t) => {
  const place = new Place(t);
  const file = place.write('net.yaml', NETWORK);
  const first = place.start(t, 'up', file, '--json');
  await first.said(/ready/);
  const second = place.start(t, 'up', file, '--json');
  const { control } = JSON.parse((await second.said(/^.*\n/))[0]);
  assert.equal(control, join(place.folder, `usernet-${second.child.pid}.sock`));
  const ping = await place.run(t, 'ping', 'web', '--from', 'client', '-c', '1', '--control', control);
  assert.equal(ping.code, 0, ping.stderr);
});

test('a control socket that a killed network left behind is taken over', async (t) => {
  const place = new Place(t);
  const file = place.write('net.yaml', NETWORK);
  const first = place.start(t, 'up', file);
  await first.said(/^ready /);
  await first.kill();
  const second = place.start(t, 'up', file, '--json');
  const { control } = JSON.parse((await second.said(/^.*\n/))[0]);
  assert.equal(control, join(place.folder, 'usernet.sock'));
});

test('a file that is no socket is never removed', async (t) => {
  const place = new Place(t);
  const precious = place.write('precious', 'text');
  const up = await place.run(t, 'up', place.write('net.yaml', `${NETWORK}control: ./precious\n`));
  assert.equal(up.code, 2);
  assert.match(up.stderr, /net\.yaml:\d+:10: can't make the control socket .*precious: something that is no socket/);
  assert.ok(existsSync(precious));
});

test('a wrong configuration is refused with every problem and exit code 2', async (t) => {
  const place = new Place(t);
  const file = place.write(
    'net.yaml',
    'stacks:\n  a: { forwardin: true }\nforwards: [{ listen: 80, to: 1.2.3.4:5, from: b }]\n',
  );
  const up = await place.run(t, 'up', file);
  assert.equal(up.code, 2);
  assert.deepEqual(up.stderr.trim().split('\n'), [
    `${file}:2:8: there is no setting "forwardin" here (hint: did you mean "forwarding"?)`,
    `${file}:3:47: there is no stack "b" (hint: did you mean "a"?)`,
  ]);
  const asJson = await place.run(t, 'up', file, '--json');
  assert.equal(asJson.code, 2);
  assert.equal(JSON.parse(asJson.stdout).problems.length, 2);
});

test('wrong use of the command has exit code 2, help has 0', async (t) => {
  const place = new Place(t);
  assert.equal((await place.run(t, 'up', '--nonsense')).code, 2);
  assert.equal((await place.run(t, 'show', 'routs')).code, 2);
  assert.equal((await place.run(t, '--help')).code, 0);
  const missing = await place.run(t, 'show', 'routes');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no network answers at/);
});

test('doctor finds this machine fit', async (t) => {
  const place = new Place(t);
  const doctor = await place.run(t, 'doctor', '--json');
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.equal(JSON.parse(doctor.stdout).ok, true);
});
