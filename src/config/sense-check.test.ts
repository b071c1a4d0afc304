import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './load.js';
import { ConfigError, formatProblem } from './problem.js';

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, 'net.yaml');
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(formatProblem);
  }
  return [];
}

test('settings that make no sense together are found', () => {
  const text = `stacks:
  a:
    interfaces:
      e: { type: veth, switch: s, address: 10.0.0.255/24, mac: 02:00:00:00:00:01 }
      f: { type: veth, switch: s, address: 127.0.0.2/8, mac: 02:00:00:00:00:01 }
      g: { type: pcap, address: 10.1.0.0/24 }
  b:
    interfaces: { e: { type: veth, switch: s, address: 10.2.0.1/24 } }
    neighbors: [{ address: 10.3.0.1, mac: 02:00:00:00:00:02, interface: e }]
    routes: [{ to: default, via: 10.2.0.2 }, { to: default, via: 10.2.0.3 }]
    hosts: { "two words": 10.2.0.9, db.example: 10.2.0.9 }
switches: { s: {} }
tunables:
  tcp:
    firstEphemeralPort: 50000
    lastEphemeralPort: 40000
    minRtoMs: 50s
    maxRtoMs: 5s
    sendBufferBytes: 8MiB
    receiveBufferBytes: 8MiB
`;
  assert.deepEqual(problemsOf(text), [
    'net.yaml:4:44: 10.0.0.255/24 is the broadcast address of its network (hint: give a host in it)',
    'net.yaml:5:44: 127.0.0.2 is an address of the loopback interface (hint: every stack has 127.0.0.1/8 on "lo"; use another network, as 10.0.0.0/24)',
    'net.yaml:5:62: 02:00:00:00:00:01 is also the link address of a.e on the switch "s" (hint: change one of them, or leave it out)',
    'net.yaml:6:7: this pcap neither reads nor writes a file (hint: give it read: FILE, write: FILE or both)',
    'net.yaml:6:33: 10.1.0.0/24 is the address of the network itself (hint: give a host in it)',
    'net.yaml:10:46: "b" has a default route already, at stacks.b.routes[0] (hint: keep one of them, or give this one a narrower destination)',
    'net.yaml:11:14: "two words" can\'t be the name of a host (hint: letters, digits, "-", "_" and "." between its parts, as db.example)',
    'net.yaml:15:25: firstEphemeralPort is 50000, more than lastEphemeralPort, which is 40000 (hint: lower firstEphemeralPort or raise lastEphemeralPort)',
    'net.yaml:17:15: minRtoMs is 50000, more than maxRtoMs, which is 5000 (hint: lower minRtoMs or raise maxRtoMs)',
    'net.yaml:19:22: sendBufferBytes is 8388608, more than maxSendBufferBytes, which is 4194304 (hint: lower sendBufferBytes or raise maxSendBufferBytes)',
    'net.yaml:20:25: receiveBufferBytes is 8388608, more than maxReceiveBufferBytes, which is 4194304 (hint: lower receiveBufferBytes or raise maxReceiveBufferBytes)',
  ]);
  const network = (more: string): string =>
    `stacks: { b: { interfaces: { e: { type: veth, switch: s, address: 10.2.0.1/24 } }, ${more} } }\nswitches: { s: {} }`;
  assert.match(
    problemsOf(network('neighbors: [{ address: 10.3.0.1, mac: 02:00:00:00:00:02, interface: e }]'))[0]!,
    /^net\.yaml:1:107: 10\.3\.0\.1 is in no network of the interface "e" \(hint: its networks: 10\.2\.0\.0\/24\)$/,
  );
  assert.match(
    problemsOf(network('routes: [{ to: default, via: 10.2.0.2 }, { to: default, via: 10.2.0.3 }]'))[0]!,
    /^net\.yaml:1:125: "b" has a default route already, at stacks\.b\.routes\[0\]/,
  );
});
