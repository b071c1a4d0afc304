/**
 * A network: named objects in a worker, the forwards, programs and control socket around it, and the sockets of its
 * stacks. Whatever changes it is a difference between two lists of objects.
 */
import { isDeepStrictEqual } from 'node:util';
import { assert } from '../base/assert.js';
import { UsernetError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import type { ResolvedConfig } from '../config/schema.js';
import { suggest } from '../config/suggest.js';
import { monotonicNs } from '../host/clock.js';
import { systemRandom } from '../host/random.js';
import { DirectPort } from '../session/direct-carrier.js';
import { Stack } from '../sockets/stack.js';
import { attachProgram } from './attach.js';
import { ControlSocket } from './control-socket.js';
import type { Driver } from './driver.js';
import { Forward, formatEndpoint } from './forward.js';
import { LibuvDriver } from './libuv-driver.js';
import { NameService } from './names.js';
import { diffObjects, listObjects, type NetworkObject, type ObjectSpecs, type Operation } from './object.js';
import { Plane } from './plane.js';
import { Program, type ProgramEvent } from './program.js';
import { isListening } from './readiness.js';
import { VirtualDriver } from './virtual-driver.js';
import { Worker } from './worker.js';

/** Passes that are run at the end, so that the last resets leave by links to the outside. */
const FAREWELL_RUNS = 16;

export type NetworkEvent =
  | ProgramEvent
  /** A capture file can't be written any more; the network goes on without it. */
  | { readonly event: 'capture-failed'; readonly file: string; readonly error: string };

export interface NetworkOptions {
  /** What runs it. Default: Node's event loop, in real time. */
  readonly driver?: Driver;
  /** Default: the system's generator. A seeded one makes a network in virtual time repeatable. */
  readonly random?: Random;
  /** What relative paths of programs start from. Default: the current directory. */
  readonly directory?: string;
  /** Open the control socket even if no program and no `control:` asks for it. */
  readonly control?: boolean;
  /** Descriptors for what programs print. Default: those of this process. */
  readonly programOutput?: { readonly stdout: number; readonly stderr: number };
  /** Told of the control socket when it opens: the control API answers there. */
  readonly onControl?: (control: ControlSocket) => void;
  /** Told why the network could not be made as its first configuration says; for those who do not wait for that. */
  readonly onStartFailure?: (error: unknown) => void;
  /** Told of programs that start and end, and of captures that fail. Default: a capture's failure is a warning. */
  readonly onEvent?: (event: NetworkEvent) => void;
}

/** A forward as others see it. */
export interface ForwardStatus {
  /** `127.0.0.1:8080`, with the port that was taken. */
  readonly listen: string;
  readonly to: string;
  readonly from: string;
  readonly connections: number;
  /** True when somebody listens at `to`, or when `to` is no address of this network. */
  readonly isReady: boolean;
}

export class Network {
  readonly worker: Worker;
  /** Unix time in milliseconds at which the worker's clock stood at 0. */
  readonly epochMs: number;
  readonly names = new NameService();
  readonly #options: NetworkOptions;
  readonly #driver: Driver;
  readonly #plane: Plane;
  readonly #stacks = new Map<string, Stack>();
  readonly #forwards = new Map<string, Forward>();
  readonly #programs = new Map<string, Program>();
  readonly #waiters = new Set<() => void>();
  #control: ControlSocket | undefined;
  #objects: NetworkObject[] = [];
  #config: ResolvedConfig;
  #isReferenced = true;
  #queue: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** Makes an empty network with the memory and tunables of `config`. */
  constructor(config: ResolvedConfig, options: NetworkOptions = {}) {
    this.#config = config;
    this.#options = options;
    this.#driver = options.driver ?? new LibuvDriver();
    const random = options.random ?? systemRandom();
    const isVirtual = this.#driver instanceof VirtualDriver;
    this.epochMs = isVirtual ? 0 : Date.now() - this.#driver.nowNs() / 1e6;
    this.worker = new Worker({
      memory: config.memory,
      tunables: config.tunables,
      nowNs: this.#driver.nowNs,
      random,
      resolveName: (stack, name, family, answer) =>
        this.names.resolve(this.#plane.stackName(stack) ?? '', name, family, answer),
      ...(isVirtual ? {} : { stopwatch: monotonicNs }),
    });
    this.#plane = new Plane(this.worker, random, this.epochMs, (file, error) => {
      if (options.onEvent !== undefined) options.onEvent({ event: 'capture-failed', file, error });
      else process.emitWarning(`the capture file ${file} is not written any more: ${error}`, 'UsernetWarning');
    });
    this.worker.wake = () => this.#driver.wake();
    this.worker.onRunEnd = () => {
      if (this.#waiters.size > 0) for (const waiter of [...this.#waiters]) waiter();
    };
    this.#driver.start(this.worker);
  }

  /** Names of the stacks. */
  get stackNames(): string[] {
    return this.#plane.stackNames;
  }

  /** Path of the control socket; undefined when there is none. */
  get controlPath(): string | undefined {
    return this.#control?.path;
  }

  get control(): ControlSocket | undefined {
    return this.#control;
  }

  get objects(): readonly NetworkObject[] {
    return this.#objects;
  }

  get forwards(): ForwardStatus[] {
    return [...this.#forwards.values()].map((forward) => {
      const { to, from } = forward.config;
      return {
        listen: forward.listen,
        to: formatEndpoint(to.host, to.port),
        from,
        connections: forward.connections,
        isReady: isListening(this.worker, to),
      };
    });
  }

  /** The sockets of a stack: `net`, `http`, `fetch` … on it. Throws USERNET_NO_STACK. */
  stack(name: string): Stack {
    const existing = this.#stacks.get(name);
    if (existing !== undefined) return existing;
    const row = this.stackRow(name);
    const sessions = new DirectPort(this.worker.sessions, { name: 'in-process', namespace: row, stack: row });
    const stack = new Stack(name, sessions, { nameServers: this.#nameServersOf(name) });
    this.#stacks.set(name, stack);
    return stack;
  }

  /** Row of a stack. Throws USERNET_NO_STACK. */
  stackRow(name: string): number {
    const row = this.#plane.stackRow(name);
    if (row !== undefined) return row;
    throw new UsernetError('USERNET_NO_STACK', `there is no stack "${name}"`, suggest(name, this.stackNames));
  }

  stackName(row: number): string | undefined {
    return this.#plane.stackName(row);
  }

  /**
   * Makes the network what `config` says, and returns what was done for that. Packets, addresses and routes are in place
   * when the call returns; the promise is about forwards, programs and the control socket. One change waits for another.
   * Fails with USERNET_CLOSED once `close` was called.
   */
  apply(config: ResolvedConfig): Promise<Operation[]> {
    if (this.#closing !== undefined) {
      return Promise.reject(new UsernetError('USERNET_CLOSED', 'the network is closed'));
    }
    const isStart = this.#objects.length === 0;
    const work = isStart ? this.#apply(config) : this.#queue.then(() => this.#apply(config));
    this.#queue = work.catch((error: unknown) => {
      if (isStart) this.#options.onStartFailure?.(error);
    });
    return work;
  }

  /** Resolves when somebody listens behind every forward. */
  whenReady(): Promise<void> {
    return this.until(() => this.forwards.every((forward) => forward.isReady));
  }

  /** Resolves when the condition holds at the end of a run. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((done) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiters.delete(check);
        done();
      };
      this.#waiters.add(check);
      check();
    });
  }

  /** Has the engine run soon: after something was done to the worker from outside. */
  wake(): void {
    this.#driver.wake();
  }

  /** Forwards, programs and what comes by the control socket no longer keep this process alive. */
  unref(): void {
    this.#isReferenced = false;
    this.#control?.unref();
    for (const forward of this.#forwards.values()) forward.unref();
    for (const program of this.#programs.values()) program.unref();
  }

  /** Ends everything: programs, forwards, sessions, links. Every packet must have come back. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #apply(config: ResolvedConfig): Promise<Operation[]> {
    if (!isDeepStrictEqual([config.memory, config.tunables], [this.#config.memory, this.#config.tunables])) {
      throw new UsernetError('USERNET_FIXED', 'memory: and tunables: can only be set when a network starts');
    }
    this.#config = config;
    this.names.update(config);
    const wanted = listObjects(config, this.#options.control === true);
    const operations = diffObjects(this.#objects, wanted, (before, after) => this.#canUpdate(before, after));
    for (const operation of operations) {
      const pending = this.#perform(operation);
      if (pending !== undefined) await pending;
    }
    this.#driver.wake();
    return operations;
  }

  #canUpdate(before: NetworkObject, after: NetworkObject): boolean {
    return this.#plane.handles(before) && this.#plane.handles(after) && this.#plane.canUpdate(before, after);
  }

  /** Carries out one operation and notes what is there now. */
  #perform(operation: Operation): Promise<void> | undefined {
    const { action, object } = operation;
    if (action === 'update') {
      assert(this.#plane.handles(object) && this.#plane.handles(operation.before), 'only packet objects are updated');
      this.#plane.update(operation.before, object);
      this.#objects = this.#objects.map((each) => (each.id === object.id ? object : each));
      return undefined;
    }
    const done = (): void => {
      if (action === 'create') this.#objects.push(object);
      else this.#objects = this.#objects.filter((each) => each.id !== object.id);
    };
    const pending = action === 'create' ? this.#create(object) : this.#delete(object);
    if (pending !== undefined) return pending.then(done);
    done();
    return undefined;
  }

  #create(object: NetworkObject): Promise<void> | undefined {
    if (this.#plane.handles(object)) {
      this.#plane.create(object);
      return undefined;
    }
    switch (object.kind) {
      case 'control':
        return this.#openControl(object.spec as ObjectSpecs['control']);
      case 'forward':
        return this.#openForward(object.id, object.spec as ObjectSpecs['forward']);
      default:
        this.#startProgram(object.id, object.spec as ObjectSpecs['program']);
        return undefined;
    }
  }

  #delete(object: NetworkObject): Promise<void> | undefined {
    if (this.#plane.handles(object)) {
      if (object.kind === 'stack') this.#closeStack((object.spec as ObjectSpecs['stack']).name);
      this.#plane.remove(object);
      return undefined;
    }
    switch (object.kind) {
      case 'control': {
        const control = this.#control;
        this.#control = undefined;
        return control?.close();
      }
      case 'forward':
        return take(this.#forwards, object.id)?.close();
      default:
        return take(this.#programs, object.id)?.stop();
    }
  }

  async #openControl({ path }: ObjectSpecs['control']): Promise<void> {
    const network = this;
    this.#control = await ControlSocket.open(path, {
      get stackNames() {
        return network.stackNames;
      },
      nameServersOf: (stack) => this.#nameServersOf(stack).map(({ address, port }) => `${address}:${port}`),
      attach: (stack, socket, firstBytes) => {
        const row = this.stackRow(stack);
        attachProgram(this.worker.sessions, row, socket, firstBytes);
      },
    });
    if (!this.#isReferenced) this.#control.unref();
    this.#options.onControl?.(this.#control);
  }

  async #openForward(id: string, config: ObjectSpecs['forward']): Promise<void> {
    const forward = await Forward.open(config, (options) => this.stack(config.from).connect(options));
    this.#forwards.set(id, forward);
    if (!this.#isReferenced) forward.unref();
  }

  #nameServersOf(stack: string): { address: string; port: number }[] {
    return (this.#config.stacks[stack]?.dns ?? []).map(({ host, port }) => ({ address: host, port }));
  }

  #startProgram(id: string, spec: ObjectSpecs['program']): void {
    const { directory = process.cwd(), programOutput = { stdout: 1, stderr: 2 }, onEvent = () => {} } = this.#options;
    assert(this.#control !== undefined, 'programs come behind the control socket');
    const program = new Program({ spec, control: this.#control.path, directory, output: programOutput, onEvent });
    this.#programs.set(id, program);
    if (!this.#isReferenced) program.unref();
  }

  #closeStack(name: string): void {
    take(this.#stacks, name)?.close();
  }

  async #close(): Promise<void> {
    await this.#queue;
    // Never from inside a run, where callbacks of the application may have asked for it.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await Promise.all([...this.#programs.values()].map((program) => program.stop()));
    this.#programs.clear();
    await Promise.all([...this.#forwards.values()].map((forward) => forward.close()));
    this.#forwards.clear();
    await this.#control?.close();
    for (const name of [...this.#stacks.keys()]) this.#closeStack(name);
    for (let runs = 0; runs < FAREWELL_RUNS; runs++) {
      const nowNs = this.#driver.nowNs();
      if (this.worker.run(nowNs) > nowNs) break;
    }
    for (const object of [...this.#objects].reverse()) if (this.#plane.handles(object)) this.#plane.remove(object);
    this.#objects = [];
    this.#driver.stop();
    const leaked = this.worker.close();
    await this.#plane.close();
    assert(leaked === 0, `${leaked} packets were not given back`);
  }
}

function take<Value>(map: Map<string, Value>, key: string): Value | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
