/**
 * A network as named objects. A configuration is nothing but a list of them; whatever changes a network (a file, the
 * control API, code) does it by creating, updating and deleting objects, and starting one is the difference from nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  ForwardConfig,
  InterfaceConfig,
  NeighborConfig,
  PcapConfig,
  ProgramConfig,
  ResolvedConfig,
  RouteConfig,
  StackConfig,
  StreamConfig,
  SwitchConfig,
  VethConfig,
} from '../config/schema.js';
import { formatIpv4, formatIpv4Cidr } from '../wire/address.js';

/** An interface of a stack, as others name it. */
export interface InterfaceName {
  readonly stack: string;
  readonly name: string;
}

/** One end of a veth link that is an interface of a stack. */
export interface LinkEnd extends InterfaceName {
  readonly config: Omit<VethConfig, 'address' | 'peer' | 'switch'>;
}

/** What each kind of object is made from. */
export interface ObjectSpecs {
  switch: SwitchConfig & { readonly name: string };
  stack: Pick<StackConfig, 'forwarding' | 'hosts' | 'dns'> & { readonly name: string };
  /** A veth pair between two stacks, or between a stack and a switch. */
  link: { readonly near: LinkEnd; readonly far: LinkEnd | { readonly switch: string } };
  stream: InterfaceName & { readonly config: Omit<StreamConfig, 'address'> };
  pcap: InterfaceName & { readonly config: Omit<PcapConfig, 'address'> };
  address: InterfaceName & { readonly address: number; readonly prefixLength: number };
  neighbor: { readonly stack: string } & NeighborConfig;
  route: { readonly stack: string } & RouteConfig;
  control: { readonly path: string | undefined };
  forward: ForwardConfig;
  program: { readonly stack: string; readonly name: string } & Omit<ProgramConfig, 'name'>;
}

export type ObjectKind = keyof ObjectSpecs;

export interface NetworkObject<Kind extends ObjectKind = ObjectKind> {
  /** Kind and name, as `address web.eth0 10.0.0.2/24`. */
  readonly id: string;
  readonly kind: Kind;
  readonly spec: ObjectSpecs[Kind];
  /** Objects that must be there before, and that this one does not survive. */
  readonly needs: readonly string[];
}

export type Operation =
  | { readonly action: 'create' | 'delete'; readonly object: NetworkObject }
  | { readonly action: 'update'; readonly object: NetworkObject; readonly before: NetworkObject };

/** The objects of a configuration, each behind those that it needs. @param withControl a control socket in any case. */
export function listObjects(config: ResolvedConfig, withControl = false): NetworkObject[] {
  const stacks = Object.entries(config.stacks);
  const interfaces = stacks.flatMap(([stack, { interfaces }]) =>
    Object.entries(interfaces).map(([name, each]) => ({
      stack,
      name,
      config: each,
      carrier: carrierId(config, stack, name, each),
    })),
  );
  const carrierOf = (stack: string, name: string): string[] =>
    interfaces.filter((each) => each.stack === stack && each.name === name).map((each) => each.carrier);
  const needsControl =
    withControl || config.control !== undefined || stacks.some(([, { programs }]) => programs.length > 0);
  return [
    ...Object.entries(config.switches).map(([name, limits]) => make('switch', name, { name, ...limits }, [])),
    ...stacks.map(([name, { forwarding, hosts, dns }]) => make('stack', name, { name, forwarding, hosts, dns }, [])),
    ...listCarriers(config),
    ...interfaces.flatMap(({ stack, name, config: { address }, carrier }) =>
      address.map((own) =>
        make('address', `${stack}.${name} ${formatIpv4Cidr(own.address, own.prefixLength)}`, { stack, name, ...own }, [
          carrier,
        ]),
      ),
    ),
    ...stacks.flatMap(([stack, { neighbors }]) =>
      neighbors.map((entry) =>
        make(
          'neighbor',
          `${stack} ${formatIpv4(entry.address)}`,
          { stack, ...entry },
          carrierOf(stack, entry.interface),
        ),
      ),
    ),
    ...stacks.flatMap(([stack, { routes }]) =>
      // Routes go with the addresses and interfaces that carry them: they are made anew with any of these.
      routes.map((route) =>
        make('route', routeName(stack, route), { stack, ...route }, routeNeeds(interfaces, stack, route)),
      ),
    ),
    ...(needsControl ? [make('control', 'control', { path: config.control }, [])] : []),
    ...config.forwards.map((forward) =>
      make(
        'forward',
        `${forward.listen.host}:${forward.listen.port} ${forward.from} ${forward.to.host}:${forward.to.port}`,
        forward,
        [`stack ${forward.from}`],
      ),
    ),
    ...stacks.flatMap(([stack, { programs }]) =>
      programs.map(({ name = '', ...program }, index) =>
        make('program', `${stack} ${name || index}`, { stack, ...program, name: name || programName(program.run) }, [
          `stack ${stack}`,
          'control control',
        ]),
      ),
    ),
  ];
}

/** What leads from one network to another: deletions first, last made first; then creations and updates in order. */
export function diffObjects(
  before: readonly NetworkObject[],
  after: readonly NetworkObject[],
  canUpdate: (before: NetworkObject, after: NetworkObject) => boolean,
): Operation[] {
  const old = new Map(before.map((object) => [object.id, object]));
  const wanted = new Map(after.map((object) => [object.id, object]));
  const gone = new Set<string>();
  for (const object of before) {
    const successor = wanted.get(object.id);
    const stays =
      successor !== undefined &&
      !object.needs.some((id) => gone.has(id)) &&
      (isDeepStrictEqual(object.spec, successor.spec) || canUpdate(object, successor));
    if (!stays) gone.add(object.id);
  }
  const operations: Operation[] = [];
  for (const object of [...before].reverse()) if (gone.has(object.id)) operations.push({ action: 'delete', object });
  for (const object of after) {
    const previous = old.get(object.id);
    if (previous === undefined || gone.has(object.id)) operations.push({ action: 'create', object });
    else if (!isDeepStrictEqual(previous.spec, object.spec))
      operations.push({ action: 'update', object, before: previous });
  }
  return operations;
}

function make<Kind extends ObjectKind>(
  kind: Kind,
  name: string,
  spec: ObjectSpecs[Kind],
  needs: readonly string[],
): NetworkObject<Kind> {
  return { id: `${kind} ${name}`, kind, spec, needs };
}

/** The object that brings an interface into being. */
function carrierId(config: ResolvedConfig, stack: string, name: string, each: InterfaceConfig): string {
  if (each.type !== 'veth') return `${each.type} ${stack}.${name}`;
  return `link ${linkName(config, stack, name, each)}`;
}

function linkName(config: ResolvedConfig, stack: string, name: string, veth: VethConfig): string {
  const self = `${stack}.${name}`;
  if (veth.switch !== undefined) return `${self} – ${veth.switch}`;
  return [self, peerOf(config, stack, name, veth)].sort().join(' – ');
}

/** The other end of a veth: named by this end, or naming it. */
function peerOf(config: ResolvedConfig, stack: string, name: string, veth: VethConfig): string {
  if (veth.peer !== undefined) return veth.peer;
  for (const [otherStack, { interfaces }] of Object.entries(config.stacks)) {
    for (const [otherName, other] of Object.entries(interfaces)) {
      if (other.type === 'veth' && other.peer === `${stack}.${name}`) return `${otherStack}.${otherName}`;
    }
  }
  return '';
}

function listCarriers(config: ResolvedConfig): NetworkObject[] {
  const carriers = new Map<string, NetworkObject>();
  for (const [stack, { interfaces }] of Object.entries(config.stacks)) {
    for (const [name, each] of Object.entries(interfaces)) {
      const id = carrierId(config, stack, name, each);
      if (carriers.has(id)) continue;
      carriers.set(id, each.type === 'veth' ? makeLink(config, stack, name, each) : makeCarrier(stack, name, each));
    }
  }
  return [...carriers.values()];
}

function makeCarrier(stack: string, name: string, each: StreamConfig | PcapConfig): NetworkObject {
  const { address: _, ...config } = each;
  const needs = [`stack ${stack}`];
  if (config.type === 'stream') return make('stream', `${stack}.${name}`, { stack, name, config }, needs);
  return make('pcap', `${stack}.${name}`, { stack, name, config }, needs);
}

function makeLink(config: ResolvedConfig, stack: string, name: string, veth: VethConfig): NetworkObject {
  const linkId = linkName(config, stack, name, veth);
  const near = linkEnd(stack, name, veth);
  if (veth.switch !== undefined) {
    return make('link', linkId, { near, far: { switch: veth.switch } }, [`stack ${stack}`, `switch ${veth.switch}`]);
  }
  const peer = peerOf(config, stack, name, veth);
  const farStack = peer.slice(0, peer.indexOf('.'));
  const farName = peer.slice(farStack.length + 1);
  const far = linkEnd(farStack, farName, config.stacks[farStack]!.interfaces[farName] as VethConfig);
  return make('link', linkId, { near, far }, [`stack ${stack}`, `stack ${farStack}`]);
}

function linkEnd(stack: string, name: string, veth: VethConfig): LinkEnd {
  const { address: _address, peer: _peer, switch: _switch, ...config } = veth;
  return { stack, name, config };
}

function routeName(stack: string, { to, via, interface: name, blackhole }: RouteConfig): string {
  const way = blackhole ? 'blackhole' : [via === undefined ? '' : formatIpv4(via), name ?? ''].join(' ').trim();
  return `${stack} ${formatIpv4Cidr(to.address, to.prefixLength)} ${way}`;
}

function routeNeeds(
  interfaces: readonly { stack: string; name: string; carrier: string }[],
  stack: string,
  route: RouteConfig,
): string[] {
  if (route.blackhole) return [`stack ${stack}`];
  const own = interfaces.filter((each) => each.stack === stack);
  const carriers = route.interface === undefined ? own : own.filter((each) => each.name === route.interface);
  return [`stack ${stack}`, ...carriers.map((each) => each.carrier)];
}

/** The file that is run, or the command: for messages. */
function programName(run: readonly string[]): string {
  const script = run.find((part, index) => index > 0 && !part.startsWith('-')) ?? run[0]!;
  return script.slice(script.lastIndexOf('/') + 1);
}
