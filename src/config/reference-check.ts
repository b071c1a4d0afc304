/**
 * What a schema can't see: names that lead nowhere, links with one end, addresses that collide, gateways that no
 * interface reaches.
 *
 * Runs on what is left when everything the schema objects to has been taken out, so that all problems are told at once;
 * `declared` is what the writer named, so that a broken interface is not reported as missing as well.
 */
import { formatIpv4, formatIpv4Cidr, ipv4Network } from '../wire/address.js';
import { type ConfigPath, formatPath } from './problem.js';
import type { ResolvedConfig, StackConfig, VethConfig } from './schema.js';
import type { Finding } from './schema-problem.js';
import {
  checkDefaultRoutes,
  checkInterfaces,
  checkLinkAddresses,
  checkNeighbors,
  checkTunables,
} from './sense-check.js';
import { suggest } from './suggest.js';

/** Names as they were written, valid or not. */
export interface Declared {
  readonly switches: readonly string[];
  /** Interfaces by stack. */
  readonly stacks: ReadonlyMap<string, readonly string[]>;
  /** True when the schema found something wrong at or below a path: what depends on all of it is not judged. */
  readonly isDamaged: (path: ConfigPath) => boolean;
}

/** The interface's end of a link, as `stack.interface`. */
export function splitPeer(peer: string): { stack: string; name: string } | undefined {
  const dot = peer.indexOf('.');
  if (dot <= 0 || dot === peer.length - 1) return undefined;
  return { stack: peer.slice(0, dot), name: peer.slice(dot + 1) };
}

export function checkReferences(config: ResolvedConfig, declared: Declared): Finding[] {
  const findings: Finding[] = [];
  for (const [stackName, stack] of Object.entries(config.stacks)) {
    for (const [name, each] of Object.entries(stack.interfaces)) {
      const path = ['stacks', stackName, 'interfaces', name];
      if (name === 'lo')
        findings.push({ path, atKey: true, message: 'every stack has a loopback interface "lo" already' });
      if (each.type === 'veth') findings.push(...checkLink(config, declared, stackName, name, each));
    }
    if (!declared.isDamaged(['stacks', stackName])) findings.push(...checkStackRoutes(stackName, stack));
    findings.push(...checkInterfaces(stackName, stack));
    if (!declared.isDamaged(['stacks', stackName])) findings.push(...checkNeighbors(stackName, stack));
    findings.push(...checkDefaultRoutes(stackName, stack));
    findings.push(...checkInterfaceNames(stackName, stack, declared));
    findings.push(...checkStackAddresses(stackName, stack));
    findings.push(...checkProgramNames(stackName, stack));
  }
  findings.push(...checkSegments(config));
  findings.push(...checkLinkAddresses(config));
  findings.push(...checkTunables(config));
  findings.push(...checkForwards(config, declared));
  return findings;
}

function checkLink(
  config: ResolvedConfig,
  declared: Declared,
  stackName: string,
  name: string,
  veth: VethConfig,
): Finding[] {
  const path = ['stacks', stackName, 'interfaces', name];
  const self = `${stackName}.${name}`;
  if (veth.switch !== undefined && veth.peer !== undefined) {
    return [{ path: [...path, 'peer'], atKey: true, message: 'a veth leads to a switch or to a peer, not to both' }];
  }
  if (veth.switch !== undefined) {
    if (declared.switches.includes(veth.switch)) return [];
    const hint = suggest(veth.switch, declared.switches) ?? `add it under switches: { ${veth.switch}: {} }`;
    return [{ path: [...path, 'switch'], message: `there is no switch "${veth.switch}"`, hint }];
  }
  if (veth.peer !== undefined) return checkPeer(config, declared, self, [...path, 'peer'], veth.peer);
  const namedBy = allVeths(config).filter((other) => other.veth.peer === self);
  if (namedBy.length === 1 || declared.isDamaged(path)) return [];
  if (namedBy.length > 1) {
    const names = namedBy.map((other) => other.id).join(' and ');
    return [{ path, atKey: true, message: `${names} both name this interface as their peer: a veth has two ends` }];
  }
  const hint = 'give it switch: NAME or peer: STACK.INTERFACE';
  return [{ path, atKey: true, message: 'this veth leads nowhere', hint }];
}

function checkPeer(
  config: ResolvedConfig,
  declared: Declared,
  self: string,
  path: ConfigPath,
  peer: string,
): Finding[] {
  const end = splitPeer(peer);
  if (end === undefined)
    return [{ path, message: `"${peer}" is no interface`, hint: 'write STACK.INTERFACE, as client.eth0' }];
  if (peer === self) return [{ path, message: 'an interface cannot be its own peer' }];
  const interfaces = declared.stacks.get(end.stack);
  if (interfaces === undefined) {
    return [
      { path, message: `there is no stack "${end.stack}"`, hint: suggest(end.stack, [...declared.stacks.keys()]) },
    ];
  }
  if (!interfaces.includes(end.name)) {
    const hint = suggest(end.name, interfaces) ?? `add it: { type: veth, peer: ${self} }`;
    return [{ path, message: `the stack "${end.stack}" has no interface "${end.name}"`, hint }];
  }
  const other = config.stacks[end.stack]?.interfaces[end.name];
  if (other === undefined) return [];
  if (other.type !== 'veth')
    return [{ path, message: `${peer} is no veth`, hint: 'both ends of a link are type: veth' }];
  if (other.switch !== undefined)
    return [{ path, message: `${peer} is connected to the switch "${other.switch}" already` }];
  if (other.peer !== undefined && other.peer !== self) {
    return [
      {
        path,
        message: `${peer} names ${other.peer} as its peer, not ${self}`,
        hint: 'the two ends must name each other',
      },
    ];
  }
  return [];
}

interface VethEntry {
  readonly id: string;
  readonly veth: VethConfig;
}

function allVeths(config: ResolvedConfig): VethEntry[] {
  return Object.entries(config.stacks).flatMap(([stackName, stack]) =>
    Object.entries(stack.interfaces).flatMap(([name, each]) =>
      each.type === 'veth' ? [{ id: `${stackName}.${name}`, veth: each }] : [],
    ),
  );
}

/** Every gateway must be in the network of an interface, and be another machine. */
function checkStackRoutes(stackName: string, stack: StackConfig): Finding[] {
  const findings: Finding[] = [];
  const networks = Object.values(stack.interfaces).flatMap((each) => each.address);
  for (const [index, route] of stack.routes.entries()) {
    const path = ['stacks', stackName, 'routes', index];
    const via = route.via;
    if (via === undefined) continue;
    const viaPath = [...path, 'via'];
    if (networks.some((own) => own.address === via)) {
      findings.push({ path: viaPath, message: `${formatIpv4(via)} is this stack's own address` });
    } else if (route.interface === undefined && !networks.some((own) => contains(own, via))) {
      const known = networks.map((own) => formatIpv4Cidr(ipv4Network(own.address, own.prefixLength), own.prefixLength));
      findings.push({
        path: viaPath,
        message: `no interface of "${stackName}" is in the network of ${formatIpv4(via)}`,
        hint: known.length === 0 ? 'give an interface an address first' : `its networks: ${known.join(', ')}`,
      });
    }
  }
  return findings;
}

function checkInterfaceNames(stackName: string, stack: StackConfig, declared: Declared): Finding[] {
  const known = [...(declared.stacks.get(stackName) ?? []), 'lo'];
  const uses: { path: ConfigPath; name: string | undefined }[] = [
    ...stack.routes.map((route, i) => ({
      path: ['stacks', stackName, 'routes', i, 'interface'],
      name: route.interface,
    })),
    ...stack.neighbors.map((entry, i) => ({
      path: ['stacks', stackName, 'neighbors', i, 'interface'],
      name: entry.interface,
    })),
  ];
  return uses.flatMap(({ path, name }) =>
    name === undefined || known.includes(name)
      ? []
      : [{ path, message: `the stack "${stackName}" has no interface "${name}"`, hint: suggest(name, known) }],
  );
}

function contains(network: { address: number; prefixLength: number }, address: number): boolean {
  return ipv4Network(network.address, network.prefixLength) === ipv4Network(address, network.prefixLength);
}

/** Two interfaces of a stack in one network would make it a matter of chance which of them is used. */
function checkStackAddresses(stackName: string, stack: StackConfig): Finding[] {
  const seen: { path: ConfigPath; owner: string; address: number; prefixLength: number }[] = [];
  const findings: Finding[] = [];
  for (const [name, each] of Object.entries(stack.interfaces)) {
    for (const [index, own] of each.address.entries()) {
      const path = ['stacks', stackName, 'interfaces', name, 'address', index];
      const text = formatIpv4Cidr(own.address, own.prefixLength);
      const same = seen.find((other) => other.address === own.address);
      const overlapping = seen.find(
        (other) => other.owner !== name && (contains(other, own.address) || contains(own, other.address)),
      );
      if (same !== undefined) {
        findings.push({ path, message: `${formatIpv4(own.address)} is given at ${formatPath(same.path)} already` });
      } else if (overlapping !== undefined) {
        const other = formatIpv4Cidr(overlapping.address, overlapping.prefixLength);
        findings.push({ path, message: `${text} overlaps with ${other} of the interface "${overlapping.owner}"` });
      }
      seen.push({ path, owner: name, ...own });
    }
  }
  return findings;
}

function checkProgramNames(stackName: string, stack: StackConfig): Finding[] {
  const seen = new Set<string>();
  return stack.programs.flatMap((program, index) => {
    if (program.name === undefined) return [];
    const isNew = !seen.has(program.name);
    seen.add(program.name);
    const path = ['stacks', stackName, 'programs', index, 'name'];
    return isNew ? [] : [{ path, message: `another program of "${stackName}" is named "${program.name}"` }];
  });
}

/** An address may stand only once on a switch or on the two ends of a link. */
function checkSegments(config: ResolvedConfig): Finding[] {
  const owners = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { id, veth } of allVeths(config)) {
    const segment = veth.switch ?? [id, veth.peer ?? peerOf(config, id) ?? ''].sort().join(' – ');
    const { stack, name } = splitPeer(id)!;
    for (const [index, own] of veth.address.entries()) {
      const key = `${segment} ${own.address}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, id);
      else if (splitPeer(owner)!.stack !== stack) {
        const message = `${formatIpv4(own.address)} is also the address of ${owner} on the same link`;
        findings.push({ path: ['stacks', stack, 'interfaces', name, 'address', index], message });
      }
    }
  }
  return findings;
}

function peerOf(config: ResolvedConfig, id: string): string | undefined {
  return allVeths(config).find((other) => other.veth.peer === id)?.id;
}

function checkForwards(config: ResolvedConfig, declared: Declared): Finding[] {
  const seen = new Set<string>();
  return config.forwards.flatMap((forward, index) => {
    const findings: Finding[] = [];
    const listen = `${forward.listen.host}:${forward.listen.port}`;
    if (forward.listen.port !== 0 && seen.has(listen)) {
      findings.push({ path: ['forwards', index, 'listen'], message: `another forward listens at ${listen} already` });
    }
    seen.add(listen);
    if (!declared.stacks.has(forward.from)) {
      const hint = suggest(forward.from, [...declared.stacks.keys()]);
      findings.push({ path: ['forwards', index, 'from'], message: `there is no stack "${forward.from}"`, hint });
    }
    return findings;
  });
}
