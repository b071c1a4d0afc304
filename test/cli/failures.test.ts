/** What a network can't be made from, or can't do any more: said in words, with its place in the configuration. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Place } from './usernet.js';

function withCapture(settings: string): string {
  return `stacks: { a: { interfaces: { e: { type: pcap, address: 10.0.0.1/24, ${settings} } } } }`;
}

test('what the machine refuses is told with its place in the configuration, exit code 2', async (t) => {
  const place = new Place(t);
  place.write('text', 'this is no capture file');
  const cases: [string, RegExp][] = [
    [withCapture('read: ./none.pcap'), /:1:75: can't read the capture file \.\/none\.pcap: there is no such file/],
    [withCapture('read: ./text'), /:1:75: \.\/text: neither a pcap nor a pcapng file/],
    [
      withCapture('write: ./none/out.pcap'),
      /:1:76: can't write the capture file .*: there is no such file or directory/,
    ],
    [withCapture('write: /dev/null, pcap: ./'), /:1:93: can't write the capture file \.\/: it is a directory/],
    ['control: ./none/sock', /:1:10: can't make the control socket .*none\/sock: its directory does not exist/],
    ['memory: { arenaBytes: 16MiB }', /:1:23: the packet memory of \d+ bytes is full/],
  ];
  for (const [index, [yaml, expected]] of cases.entries()) {
    const up = await place.run(t, 'up', place.write(`net${index}.yaml`, yaml));
    assert.deepEqual([up.code, expected.test(up.stderr)], [2, true], `${yaml}: ${up.stderr}${up.stdout}`);
  }
});

test('a capture file that can not be written any more does not end the network', async (t) => {
  const place = new Place(t);
  const up = place.start(t, 'up', place.write('net.yaml', withCapture('write: /dev/full')), '--json');
  await up.said(/^\{"event":"ready".*\n\{"event":"capture-failed","file":"\/dev\/full","error":"no space is left"\}\n/);
  assert.equal((await place.run(t, 'show', 'interfaces')).code, 0);
  up.signal('SIGTERM');
  assert.equal((await up.ended).code, 0);
});

test('with --json what happened before ready is told behind it, on stdout', async (t) => {
  const place = new Place(t);
  const program = '{ run: [node, --version], name: p, cwd: ./nowhere }';
  const up = place.start(t, 'up', place.write('net.yaml', `stacks: { a: { programs: [${program}] } }`), '--json');
  const [, line] = await up.said(/^\{"event":"ready".*\n(.*"program-ended".*)\n/);
  assert.equal(JSON.parse(line!).error, `its cwd ${join(place.folder, 'nowhere')} is no directory`);
  up.signal('SIGTERM');
  const { code, stderr } = await up.ended;
  assert.deepEqual([code, stderr], [0, '']);
});

test('numbers that make no sense are refused before the network is asked', async (t) => {
  const place = new Place(t);
  const ping = ['ping', '10.0.0.1', '--from', 'a'];
  const cases: [string[], string][] = [
    [[...ping, '-c', '1.5'], '--count takes a whole number of 1 … 100000, not "1.5"'],
    [[...ping, '-c', 'abc'], '--count takes a whole number of 1 … 100000, not "abc"'],
    [[...ping, '-i', '-5'], '--interval takes a number of 0 … 3600000, not "-5"'],
    [['trace', '-n', '0'], '--packets takes a whole number of 1 … 1000, not "0"'],
  ];
  const runs = await Promise.all(cases.map(([args]) => place.run(t, ...args)));
  assert.deepEqual(
    runs.map(({ code, stderr }) => [code, stderr]),
    cases.map(([, message]) => [2, `usernet: ${message}\n`]),
  );
});

test('a stack that is not there has nothing to show', async (t) => {
  const place = new Place(t);
  const up = place.start(t, 'up', place.write('net.yaml', 'stacks: { web: }'));
  await up.said(/^ready /);
  const shown = await place.run(t, 'show', 'sessions', '--stack', 'wbe');
  assert.deepEqual([shown.code, shown.stderr], [1, 'usernet: there is no stack "wbe"\n  hint: did you mean "web"?\n']);
});

test('a directory is no configuration', async (t) => {
  const place = new Place(t);
  const up = await place.run(t, 'up', '.');
  assert.deepEqual([up.code, up.stderr], [2, '.: this is a directory, not a YAML file\n']);
});
