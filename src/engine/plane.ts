/**
 * The packet side of a network: how switches, stacks, links, addresses and routes are made, changed and removed in a
 * worker. All of it is done at once; nothing here waits.
 */
import { assert } from '../base/assert.js';
import { type Random, randomBelow } from '../base/random.js';
import type { Device } from '../drivers/device.js';
import { FaultInjector } from '../drivers/fault-injector.js';
import { NO_STACK } from '../drivers/interface-table.js';
import { LoopbackDevice } from '../drivers/loopback.js';
import { makeVethPair } from '../drivers/veth.js';
import { IPV4_LOOPBACK } from '../wire/address.js';
import type { Mac } from '../wire/ethernet.js';
import {
  CaptureFiles,
  type CarrierContext,
  faultOptions,
  makeCaptureDevice,
  makeStreamDevice,
  wrapDevice,
} from './carrier.js';
import type { LinkEnd, NetworkObject, ObjectKind, ObjectSpecs } from './object.js';
import type { Worker } from './worker.js';

const LOOPBACK_NAME = 'lo';
const LOOPBACK_MTU = 65_535;
const LOOPBACK_PREFIX = 8;

/** How one kind of object is made, changed and removed. `update` says false when it must be made anew. */
interface Handler<Kind extends ObjectKind> {
  create(spec: ObjectSpecs[Kind]): void;
  remove(spec: ObjectSpecs[Kind]): void;
  canUpdate?(before: ObjectSpecs[Kind], after: ObjectSpecs[Kind]): boolean;
  update?(before: ObjectSpecs[Kind], after: ObjectSpecs[Kind]): void;
}

/** Kinds that live in the worker. The others have to do with the host. */
export type PlaneKind = Exclude<ObjectKind, 'control' | 'forward' | 'program'>;

export class Plane {
  readonly #worker: Worker;
  readonly #random: Random;
  readonly #carriers: CarrierContext;
  readonly #files: CaptureFiles;
  /** Rows of the stacks, by name. */
  readonly #stacks = new Map<string, number>();
  readonly #injectors = new Map<string, FaultInjector>();
  readonly #handlers: { readonly [Kind in PlaneKind]: Handler<Kind> };

  /**
   * @param epochMs Unix time at which the worker's clock stood at 0.
   * @param onCaptureFailure told of a capture file that can't be written any more.
   */
  constructor(
    worker: Worker,
    random: Random,
    epochMs: number,
    onCaptureFailure: (file: string, message: string) => void,
  ) {
    this.#worker = worker;
    this.#random = random;
    const { pool, rings, kernels, clock } = worker;
    this.#carriers = { pool, rings, kernels, clock, epochMs };
    this.#files = new CaptureFiles(this.#carriers, onCaptureFailure);
    this.#handlers = this.#makeHandlers();
  }

  get stackNames(): string[] {
    return [...this.#stacks.keys()];
  }

  /** Row of a stack; undefined when there is none of that name. */
  stackRow(name: string): number | undefined {
    return this.#stacks.get(name);
  }

  /** Name of the stack in a row. */
  stackName(row: number): string | undefined {
    for (const [name, each] of this.#stacks) if (each === row) return name;
    return undefined;
  }

  handles(object: NetworkObject): object is NetworkObject<PlaneKind> {
    return object.kind in this.#handlers;
  }

  create(object: NetworkObject<PlaneKind>): void {
    this.#handler(object.kind).create(object.spec);
  }

  remove(object: NetworkObject<PlaneKind>): void {
    this.#handler(object.kind).remove(object.spec);
  }

  canUpdate(before: NetworkObject<PlaneKind>, after: NetworkObject<PlaneKind>): boolean {
    return this.#handler(before.kind).canUpdate?.(before.spec, after.spec) ?? false;
  }

  update(before: NetworkObject<PlaneKind>, after: NetworkObject<PlaneKind>): void {
    this.#handler(before.kind).update?.(before.spec, after.spec);
  }

  /** Completes the capture files. */
  close(): Promise<void> {
    return this.#files.close();
  }

  #handler(kind: PlaneKind): Handler<ObjectKind> {
    return this.#handlers[kind] as unknown as Handler<ObjectKind>;
  }

  #makeHandlers(): { readonly [Kind in PlaneKind]: Handler<Kind> } {
    const { bridges, l3, interfaces } = this.#worker;
    return {
      switch: {
        create: (spec) => void bridges.create(defined(spec)),
        remove: ({ name }) => bridges.remove(bridges.find(name)),
        canUpdate: () => true,
        update: (_before, spec) => bridges.update(bridges.find(spec.name), defined(spec)),
      },
      stack: {
        create: (spec) => this.#createStack(spec),
        remove: ({ name }) => this.#removeStack(name),
        canUpdate: () => true,
        update: (_before, { name, forwarding }) => l3.setForwarding(this.#row(name), forwarding),
      },
      link: {
        create: (spec) => this.#createLink(spec),
        remove: (spec) => this.#removeLink(spec),
        canUpdate: (before, after) => canChangeLink(before, after),
        update: (_before, after) => this.#updateLink(after),
      },
      stream: {
        create: ({ stack, name, config }) =>
          this.#addInterface({ stack, name, config }, makeStreamDevice(this.#carriers, config)),
        remove: ({ stack, name }) => this.#removeInterface(stack, name),
      },
      pcap: {
        create: ({ stack, name, config }) =>
          this.#addInterface(
            { stack, name, config },
            makeCaptureDevice(this.#carriers, this.#files, `${stack}.${name}`, config),
          ),
        remove: ({ stack, name }) => this.#removeInterface(stack, name),
      },
      address: {
        create: ({ stack, name, address, prefixLength }) =>
          l3.addAddress(this.#interface(stack, name), address, prefixLength),
        remove: ({ stack, name, address }) => void l3.removeAddress(this.#interface(stack, name), address),
      },
      neighbor: {
        create: ({ stack, interface: name, address, mac }) =>
          void l3.addNeighbor(this.#interface(stack, name), address, mac.hi, mac.lo),
        remove: ({ stack, interface: name, address }) => void l3.removeNeighbor(this.#interface(stack, name), address),
      },
      route: {
        create: ({ stack, to, via, interface: name, blackhole }) =>
          l3.addRoute(this.#vrf(stack), to.address, to.prefixLength, {
            ...(blackhole ? { kind: 'blackhole' } : {}),
            ...(via === undefined ? {} : { via }),
            ...(name === undefined ? {} : { interface: interfaces.find(this.#row(stack), name) }),
          }),
        remove: ({ stack, to, via }) => void l3.removeRoute(this.#vrf(stack), to.address, to.prefixLength, via),
      },
    };
  }

  #row(stack: string): number {
    const row = this.#stacks.get(stack);
    assert(row !== undefined, `there is no stack ${stack}`);
    return row;
  }

  #vrf(stack: string): number {
    return this.#worker.l3.stacks.vrf[this.#row(stack)]!;
  }

  #interface(stack: string, name: string): number {
    return this.#worker.interfaces.find(this.#row(stack), name);
  }

  #createStack({ name, forwarding }: ObjectSpecs['stack']): void {
    const { l3, interfaces, pool, rings } = this.#worker;
    const row = l3.createStack({ forwarding });
    this.#stacks.set(name, row);
    const device = new LoopbackDevice(pool, rings);
    const loopback = interfaces.create({ name: LOOPBACK_NAME, stack: row, device, mtu: LOOPBACK_MTU });
    l3.addInterface(loopback);
    l3.addAddress(loopback, IPV4_LOOPBACK, LOOPBACK_PREFIX);
  }

  #removeStack(name: string): void {
    const row = this.#row(name);
    this.#worker.sessions.removeStack(row);
    this.#worker.tcp.removeStack(row);
    this.#removeInterface(name, LOOPBACK_NAME);
    this.#worker.l3.removeStack(row);
    this.#stacks.delete(name);
  }

  #createLink({ near, far }: ObjectSpecs['link']): void {
    const { pool, rings, bridges, interfaces } = this.#worker;
    const [nearDevice, farDevice] = makeVethPair(pool, rings, { offload: near.config.offload });
    this.#addInterface(near, nearDevice);
    if (!('switch' in far)) {
      this.#addInterface(far, farDevice);
      return;
    }
    const port = interfaces.create({ name: portName(near), stack: NO_STACK, device: farDevice, mtu: near.config.mtu });
    bridges.addPort(bridges.find(far.switch), port);
  }

  #removeLink({ near, far }: ObjectSpecs['link']): void {
    const { interfaces } = this.#worker;
    this.#removeInterface(near.stack, near.name);
    if ('switch' in far) interfaces.remove(interfaces.find(NO_STACK, portName(near)));
    else this.#removeInterface(far.stack, far.name);
  }

  #updateLink({ near, far }: ObjectSpecs['link']): void {
    for (const end of 'switch' in far ? [near] : [near, far]) {
      const { impair } = end.config;
      if (impair === undefined) continue;
      const index = this.#interface(end.stack, end.name);
      this.#injectors.get(`${end.stack}.${end.name}`)?.configure(faultOptions(impair));
      this.#worker.interfaces.refreshCapabilities(index);
    }
  }

  #addInterface(end: InterfaceEnd, device: Device): void {
    const { interfaces, l3 } = this.#worker;
    const { stack, name, config } = end;
    const id = `${stack}.${name}`;
    const wrapped = wrapDevice(this.#carriers, this.#files, device, { ...config, name: id });
    if (wrapped instanceof FaultInjector) this.#injectors.set(id, wrapped);
    const mac = device.linkType === 'ethernet' ? (config.mac ?? this.#makeMac()) : undefined;
    const index = interfaces.create({
      name,
      stack: this.#row(stack),
      device: wrapped,
      mtu: config.mtu,
      ...(mac === undefined ? {} : { mac }),
    });
    l3.addInterface(index);
  }

  #removeInterface(stack: string, name: string): void {
    const index = this.#interface(stack, name);
    this.#injectors.delete(`${stack}.${name}`);
    this.#worker.l3.removeInterface(index);
    this.#worker.interfaces.remove(index);
  }

  /** A locally administered link address. IEEE 802-2014 section 8.2.2: bit 0x02 of the first byte. */
  #makeMac(): Mac {
    return { hi: 0x0200 | randomBelow(this.#random, 256), lo: this.#random.uint32() };
  }
}

/** What is known of an interface when it is made. */
type InterfaceEnd = Pick<LinkEnd, 'stack' | 'name'> & {
  readonly config: Pick<LinkEnd['config'], 'mtu' | 'mac' | 'impair' | 'pcap'>;
};

/** A switch's end of a link is called like the interface at the other end. */
function portName({ stack, name }: LinkEnd): string {
  return `${stack}.${name}`;
}

/** Faults can be changed while packets are on their way; everything else needs a new link. */
function canChangeLink(before: ObjectSpecs['link'], after: ObjectSpecs['link']): boolean {
  const ends = (link: ObjectSpecs['link']): LinkEnd[] => ('switch' in link.far ? [link.near] : [link.near, link.far]);
  return ends(before).every((end, i) => {
    const other = ends(after)[i]!;
    const { impair: oldImpair, ...oldRest } = end.config;
    const { impair: newImpair, ...newRest } = other.config;
    const bothImpaired = (oldImpair === undefined) === (newImpair === undefined) && oldImpair?.seed === newImpair?.seed;
    return bothImpaired && JSON.stringify(oldRest) === JSON.stringify(newRest);
  });
}

type Defined<Spec> = { [Key in keyof Spec]: Exclude<Spec[Key], undefined> };

/** Without the settings that were not given. */
function defined<Spec extends object>(spec: Spec): Defined<Spec> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as Defined<Spec>;
}
