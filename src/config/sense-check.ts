/** Settings that are right each for itself and make no sense together. */
import { formatIpv4, formatIpv4Cidr, ipv4Network } from '../wire/address.js';
import { formatMac } from '../wire/ethernet.js';
import { formatPath } from './problem.js';
import type { ResolvedConfig, StackConfig } from './schema.js';
import type { Finding } from './schema-problem.js';

/** RFC 1122 section 3.2.1.3 (g): addresses of 127.0.0.0/8 never appear outside a host. */
const LOOPBACK_BYTE = 127;

export function checkInterfaces(stackName: string, stack: StackConfig): Finding[] {
  const findings: Finding[] = [];
  for (const [name, each] of Object.entries(stack.interfaces)) {
    const path = ['stacks', stackName, 'interfaces', name];
    for (const [index, { address }] of each.address.entries()) {
      if (address >>> 24 !== LOOPBACK_BYTE) continue;
      findings.push({
        path: [...path, 'address', index],
        message: `${formatIpv4(address)} is an address of the loopback interface`,
        hint: 'every stack has 127.0.0.1/8 on "lo"; use another network, as 10.0.0.0/24',
      });
    }
    if (each.type === 'pcap' && each.read === undefined && each.write === undefined) {
      const hint = 'give it read: FILE, write: FILE or both';
      findings.push({ path, atKey: true, message: 'this pcap neither reads nor writes a file', hint });
    }
  }
  return findings;
}

/** A static neighbor that is not on the interface's link is never asked for. */
export function checkNeighbors(stackName: string, stack: StackConfig): Finding[] {
  return stack.neighbors.flatMap(({ address, interface: name }, index) => {
    const networks = stack.interfaces[name]?.address;
    const isNear = networks?.some(
      (own) => ipv4Network(own.address, own.prefixLength) === ipv4Network(address, own.prefixLength),
    );
    if (networks === undefined || isNear === true) return [];
    const known = networks.map((own) => formatIpv4Cidr(ipv4Network(own.address, own.prefixLength), own.prefixLength));
    return [
      {
        path: ['stacks', stackName, 'neighbors', index, 'address'],
        message: `${formatIpv4(address)} is in no network of the interface "${name}"`,
        hint: known.length === 0 ? 'give the interface an address first' : `its networks: ${known.join(', ')}`,
      },
    ];
  });
}

export function checkDefaultRoutes(stackName: string, stack: StackConfig): Finding[] {
  const seen = stack.routes.findIndex(({ to }) => to.prefixLength === 0);
  return stack.routes.flatMap(({ to }, index) =>
    to.prefixLength === 0 && index > seen
      ? [
          {
            path: ['stacks', stackName, 'routes', index],
            message: `"${stackName}" has a default route already, at ${formatPath(['stacks', stackName, 'routes', seen])}`,
            hint: 'keep one of them, or give this one a narrower destination',
          },
        ]
      : [],
  );
}

/** Two stations with one link address on a switch take each other's frames. */
export function checkLinkAddresses(config: ResolvedConfig): Finding[] {
  const owners = new Map<string, string>();
  const findings: Finding[] = [];
  for (const [stackName, { interfaces }] of Object.entries(config.stacks)) {
    for (const [name, each] of Object.entries(interfaces)) {
      if (each.type !== 'veth' || each.switch === undefined || each.mac === undefined) continue;
      const { hi, lo } = each.mac;
      const key = `${each.switch} ${hi} ${lo}`;
      const owner = owners.get(key);
      if (owner === undefined) {
        owners.set(key, `${stackName}.${name}`);
        continue;
      }
      findings.push({
        path: ['stacks', stackName, 'interfaces', name, 'mac'],
        message: `${formatMac(hi, lo)} is also the link address of ${owner} on the switch "${each.switch}"`,
        hint: 'change one of them, or leave it out',
      });
    }
  }
  return findings;
}

/** Limits of which the lower one must not be above the upper one. */
const TCP_RANGES = [
  ['firstEphemeralPort', 'lastEphemeralPort'],
  ['minRtoMs', 'maxRtoMs'],
  ['sendBufferBytes', 'maxSendBufferBytes'],
  ['receiveBufferBytes', 'maxReceiveBufferBytes'],
] as const;

export function checkTunables({ tunables: { tcp } }: ResolvedConfig): Finding[] {
  return TCP_RANGES.flatMap(([low, high]) =>
    tcp[low] <= tcp[high]
      ? []
      : [
          {
            path: ['tunables', 'tcp', low],
            message: `${low} is ${tcp[low]}, more than ${high}, which is ${tcp[high]}`,
            hint: `lower ${low} or raise ${high}`,
          },
        ],
  );
}
