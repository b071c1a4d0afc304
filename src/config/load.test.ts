import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigFile, parseConfig, resolveConfig } from './load.js';
import { ConfigError, formatProblem } from './problem.js';
import type { NetworkConfig } from './schema.js';

const DEMO = `
stacks:
  router:
    interfaces:
      lan: { type: veth, switch: lan0, address: [10.0.0.1/24] }
      up:  { type: veth, peer: client.eth0, address: [10.1.0.1/24] }
    forwarding: true
  web:
    interfaces: { eth0: { type: veth, switch: lan0, address: 10.0.0.2/24, impair: { loss: 1%, delay: 20ms } } }
    routes: [ { to: default, via: 10.0.0.1 } ]
    programs: [ { run: [node, examples/hello-server.js], env: { PORT: 80 } } ]
  client:
    interfaces: { eth0: { type: veth, peer: router.up, address: [10.1.0.2/24] } }
    routes: [ { to: default, via: 10.1.0.1 } ]
switches: { lan0: }
forwards: [ { listen: "127.0.0.1:8080", to: "10.0.0.2:80", from: client } ]
tunables: { tcp: { sendBufferBytes: 64KiB } }
`;

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, 'net.yaml');
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(formatProblem);
  }
  return [];
}

test('a whole network is read, with its defaults', () => {
  const config = parseConfig(DEMO, 'net.yaml');
  const eth0 = config.stacks.web!.interfaces.eth0!;
  assert.equal(eth0.mtu, 1500);
  assert.deepEqual(eth0.address, [{ address: 0x0a000002, prefixLength: 24 }]);
  assert.deepEqual(eth0.impair, { loss: 0.01, delay: 20, seed: 1 });
  assert.deepEqual(config.stacks.web!.routes, [{ to: { address: 0, prefixLength: 0 }, via: 0x0a000001 }]);
  assert.deepEqual(config.stacks.web!.programs[0]!.env, { PORT: '80' });
  assert.deepEqual(config.switches, { lan0: {} });
  assert.deepEqual(config.forwards[0]!.listen, { host: '127.0.0.1', port: 8080 });
  assert.equal(config.tunables.tcp.sendBufferBytes, 65_536);
  assert.ok(config.tunables.tcp.receiveBufferBytes > 0);
  assert.ok(config.memory.packets > 0);
});

test('the same schema takes an object, and its problems carry paths', () => {
  assert.deepEqual(resolveConfig({}).stacks, {});
  const wrong: NetworkConfig = {
    stacks: { a: { interfaces: { e: { type: 'veth', switch: 'x', address: '1.2.3' } } } },
  };
  assert.throws(
    () => resolveConfig(wrong),
    (error: unknown) =>
      error instanceof ConfigError &&
      error.code === 'USERNET_CONFIG' &&
      error.problems.length === 2 &&
      error.problems.every(
        (problem) => problem.line === undefined && problem.path.startsWith('stacks.a.interfaces.e.'),
      ),
  );
});

test('every problem is told at once, with its place and a hint', () => {
  const text = `stacks:
  web:
    interfaces:
      eth0: { type: veth, swich: lan0, address: [10.0.0.2/24] }
      eth1: { type: vet }
      eth2: { type: veth, switch: lan1, mtu: 9 }
    routes:
      - { to: 10.0.0.1/24, via: 10.9.0.1 }
  client:
    interfaces:
      eth0: { type: veth, peer: web.eth7, address: 10.1.0.2/24 }
    routes: [ { to: default, via: 10.9.0.1 } ]
switches: { lan0: {} }
forwards:
  - { listen: "127.0.0.1:99999", to: "10.0.0.2:80", from: client }
  - { listen: "127.0.0.1:8080", to: "10.0.0.2:80", from: clint }
colour: blue
`;
  assert.deepEqual(problemsOf(text), [
    'net.yaml:4:27: there is no setting "swich" here (hint: did you mean "switch"?)',
    'net.yaml:5:21: "vet" is not one of: veth, stream, pcap (hint: did you mean "veth"?)',
    'net.yaml:6:35: there is no switch "lan1" (hint: did you mean "lan0"?)',
    'net.yaml:6:46: 9 is less than 68',
    'net.yaml:8:15: 10.0.0.1/24 has bits behind its prefix length (hint: clear the host part)',
    'net.yaml:11:33: the stack "web" has no interface "eth7" (hint: did you mean "eth0"?)',
    'net.yaml:12:35: no interface of "client" is in the network of 10.9.0.1 (hint: its networks: 10.1.0.0/24)',
    'net.yaml:15:15: port 99999 is not within 0 … 65535',
    'net.yaml:16:58: there is no stack "clint" (hint: did you mean "client"?)',
    'net.yaml:17:1: there is no setting "colour" here (hint: known here: stacks, switches, forwards, control, memory, tunables)',
  ]);
});

test('links must agree at both ends', () => {
  const links = (a: string, b: string): string[] =>
    problemsOf(
      `stacks: { a: { interfaces: { e: { type: veth, ${a} } } }, b: { interfaces: { e: { type: veth${b} } } }, c: { interfaces: { e: { type: veth, peer: b.e } } } }`,
    );
  assert.match(links('peer: b.e', '')[0]!, /a\.e and c\.e both name this interface/);
  assert.match(links('peer: b.e', ', peer: c.e')[0]!, /b\.e names c\.e as its peer, not a\.e/);
  assert.match(links('peer: a.e', ', peer: c.e')[0]!, /cannot be its own peer/);
  assert.match(links('peer: b', ', peer: c.e')[0]!, /"b" is no interface/);
});

test('addresses that collide are found', () => {
  const text = `stacks:
  a: { interfaces: { e: { type: veth, switch: s, address: [10.0.0.1/24, 10.0.0.1/24] }, f: { type: veth, switch: s, address: 10.0.0.9/16 } } }
  b: { interfaces: { e: { type: veth, switch: s, address: 10.0.0.1/24 } } }
switches: { s: {} }
`;
  const problems = problemsOf(text);
  assert.equal(problems.length, 3, problems.join('\n'));
  assert.match(problems[0]!, /2:73: 10\.0\.0\.1 is given at stacks\.a\.interfaces\.e\.address\[0\] already/);
  assert.match(problems[1]!, /10\.0\.0\.9\/16 overlaps with 10\.0\.0\.1\/24 of the interface "e"/);
  assert.match(problems[2]!, /3:59: 10\.0\.0\.1 is also the address of a\.e on the same link/);
});

test('missing and mistyped values say what they take', () => {
  assert.deepEqual(
    problemsOf(
      'forwards: [ { listen: 8080, from: a } ]\nstacks: { a: { forwarding: 1, programs: [ { run: node } ], routes: [ {} ] } }',
    ),
    [
      'net.yaml:1:13: "to" is missing here (hint: it takes a text)',
      'net.yaml:2:28: 1 is not true or false',
      'net.yaml:2:50: "node" is not a list',
      'net.yaml:2:70: "to" is missing here (hint: it takes a text)',
    ],
  );
  assert.match(problemsOf('stacks: { "a b": {} }')[0]!, /1:11: "a b" can't be a name/);
  assert.match(
    problemsOf(
      'stacks: { a: { interfaces: { e: { type: veth, switch: s, impair: { loss: 2 } } } } }\nswitches: {s: {}}',
    )[0]!,
    /2 is not within 0 … 1/,
  );
});

test('a value with a tag of YAML is a problem as any other wrong value', () => {
  for (const text of ['!!binary c3RhY2tz', 'stacks: !!binary c3RhY2tz']) {
    assert.throws(() => parseConfig(text, 'net.yaml'), { code: 'USERNET_CONFIG' }, text);
  }
});

test('what is no YAML is reported with its place', () => {
  assert.match(problemsOf('stacks:\n  a: {\n')[0]!, /^net\.yaml:\d+:\d+: /);
  assert.match(problemsOf('stacks: {}\nstacks: {}')[0]!, /^net\.yaml:2:1: the same key stands here twice$/);
  assert.deepEqual(problemsOf(''), []);
});

test('a file that is not there is a configuration problem', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.throws(() => loadConfigFile(join(folder, 'none.yaml')), /none\.yaml: there is no such file/);
  writeFileSync(join(folder, 'net.yaml'), DEMO);
  assert.deepEqual(Object.keys(loadConfigFile(join(folder, 'net.yaml')).stacks), ['router', 'web', 'client']);
});
