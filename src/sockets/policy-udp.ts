/**
 * The UDP class of a process under the preload. A socket that is bound to any address may talk to both sides: it has a
 * half in the stack and, once it needs it, one in the kernel.
 */
import { AsyncResource } from 'node:async_hooks';
import { isAnyWords, parseAddressWords } from '../session/address.js';
import { atClosing } from './closing.js';
import { currentStack, type StackContext } from './current-stack.js';
import { type EndpointObject, type NodeRequest, nodeBinding, type UdpBinding, type UdpHandle } from './node-binding.js';
import { StackUdp } from './udp-handle.js';
import { uvCode } from './uv-errno.js';

/** The class that was there before: the kernel's. */
export const KernelUdp = nodeBinding('udp_wrap').UDP;

const UV_EAFNOSUPPORT = uvCode('EAFNOSUPPORT');
const UV_EBADF = uvCode('EBADF');
const ANY_IPV4 = '0.0.0.0';

interface AnyBind {
  readonly port: number;
  readonly flags: number;
}

class PolicyUdp implements UdpHandle {
  onmessage: UdpHandle['onmessage'];
  readonly #context: StackContext;
  readonly #resource = new AsyncResource('UDPWRAP');
  /** Options that were set, for a half that comes later. */
  readonly #options: ((half: UdpHandle) => number)[] = [];
  #stackHalf: UdpHandle | undefined;
  #kernelHalf: UdpHandle | undefined;
  /** The half that was there first: its address is that of the socket. */
  #first: UdpHandle | undefined;
  /** Set if the socket is bound to any address. */
  #anyBind: AnyBind | undefined;
  #isReceiving = false;
  #isReferenced = true;
  #isClosed = false;

  constructor(context: StackContext) {
    this.#context = context;
  }

  get fd(): number {
    return this.#first?.fd ?? -1;
  }

  getAsyncId(): number {
    return this.#resource.asyncId();
  }

  ref(): void {
    this.#isReferenced = true;
    for (const half of this.#halves()) half.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    for (const half of this.#halves()) half.unref();
  }

  hasRef(): boolean {
    return this.#isReferenced && !this.#isClosed;
  }

  open(fd: number): number {
    return this.#kernel().open(fd);
  }

  bind(address: string, port: number, flags: number): number {
    const isAny = isAnyWords(parseAddressWords(address) ?? []);
    const half = this.#isForStack(address) ? this.#stack() : this.#kernel();
    const code = half.bind(address, port, flags);
    if (code === 0 && isAny) this.#anyBind = { port, flags };
    return code;
  }

  bind6(address: string, port: number, flags: number): number {
    // A socket that is to send by IPv6 is bound to any address first: that may be the kernel's.
    const isForKernel = isAnyWords(parseAddressWords(address) ?? []) && port === 0 && !this.#isForStack('2000::');
    if (!isForKernel && this.#isForStack(address)) return UV_EAFNOSUPPORT;
    return this.#kernel().bind6(address, port, flags);
  }

  connect(address: string, port: number): number {
    const half = this.#boundHalf(this.#isForStack(address));
    return typeof half === 'number' ? half : this.#only(half).connect(address, port);
  }

  connect6(address: string, port: number): number {
    if (this.#isForStack(address)) return UV_EAFNOSUPPORT;
    return this.#only(this.#kernel()).connect6(address, port);
  }

  disconnect(): number {
    return this.#first?.disconnect() ?? UV_EBADF;
  }

  send(request: NodeRequest, list: readonly ArrayBufferView[], count: number, ...rest: unknown[]): number {
    if (rest.length === 1) return this.#first?.send(request, list, count, ...rest) ?? UV_EBADF;
    const half = this.#boundHalf(this.#isForStack(rest[1] as string));
    return typeof half === 'number' ? half : half.send(request, list, count, ...rest);
  }

  send6(request: NodeRequest, list: readonly ArrayBufferView[], count: number, ...rest: unknown[]): number {
    if (rest.length > 1 && this.#isForStack(rest[1] as string)) return UV_EAFNOSUPPORT;
    return this.#kernel().send6(request, list, count, ...rest);
  }

  recvStart(): number {
    this.#isReceiving = true;
    return this.#first === undefined ? this.#stack().recvStart() : this.#each((half) => half.recvStart());
  }

  recvStop(): number {
    this.#isReceiving = false;
    return this.#each((half) => half.recvStop());
  }

  getsockname(out: EndpointObject): number {
    return this.#first?.getsockname(out) ?? UV_EBADF;
  }

  getpeername(out: EndpointObject): number {
    return this.#first?.getpeername(out) ?? UV_EBADF;
  }

  addMembership(group: string, local?: string): number {
    return this.#inGroup(group, (half) => half.addMembership(group, local));
  }

  dropMembership(group: string, local?: string): number {
    return this.#inGroup(group, (half) => half.dropMembership(group, local));
  }

  addSourceSpecificMembership(source: string, group: string, local?: string): number {
    return this.#inGroup(group, (half) => half.addSourceSpecificMembership(source, group, local));
  }

  dropSourceSpecificMembership(source: string, group: string, local?: string): number {
    return this.#inGroup(group, (half) => half.dropSourceSpecificMembership(source, group, local));
  }

  setMulticastInterface(address: string): number {
    const isAny = isAnyWords(parseAddressWords(address) ?? []);
    const half = this.#boundHalf(!isAny && this.#isForStack(address));
    return typeof half === 'number' ? half : half.setMulticastInterface(address);
  }

  setMulticastTTL(ttl: number): number {
    return this.#set((half) => half.setMulticastTTL(ttl));
  }

  setMulticastLoopback(enable: boolean): number {
    return this.#set((half) => half.setMulticastLoopback(enable));
  }

  setBroadcast(enable: boolean): number {
    return this.#set((half) => half.setBroadcast(enable));
  }

  setTTL(ttl: number): number {
    return this.#set((half) => half.setTTL(ttl));
  }

  bufferSize(size: number, isReceive: boolean, context: Record<string, unknown>): number | undefined {
    return (this.#first ?? this.#stack()).bufferSize(size, isReceive, context);
  }

  getSendQueueSize(): number {
    return this.#halves().reduce((sum, half) => sum + half.getSendQueueSize(), 0);
  }

  getSendQueueCount(): number {
    return this.#halves().reduce((sum, half) => sum + half.getSendQueueCount(), 0);
  }

  close(callback?: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const halves = this.#halves();
    let left = halves.length;
    const onClosed = (): void => {
      if (--left <= 0) callback?.call(this);
    };
    for (const half of halves) half.close(onClosed);
    if (left === 0) atClosing(onClosed);
  }

  /** The native half, for those that hand a handle to C++; undefined if there is none or another one as well. */
  get kernelOnly(): UdpHandle | undefined {
    return this.#stackHalf === undefined ? this.#kernelHalf : undefined;
  }

  #isForStack(address: string): boolean {
    const words = parseAddressWords(address);
    return words === undefined || this.#context.policy.isForStack(words);
  }

  #halves(): UdpHandle[] {
    return [this.#stackHalf, this.#kernelHalf].filter((half) => half !== undefined);
  }

  #stack(): UdpHandle {
    this.#stackHalf ??= this.#make(() => new StackUdp(this.#context.sockets));
    return this.#stackHalf;
  }

  #kernel(): UdpHandle {
    this.#kernelHalf ??= this.#make(() => new KernelUdp());
    return this.#kernelHalf;
  }

  #make(construct: () => UdpHandle): UdpHandle {
    const half = this.#resource.runInAsyncScope(construct);
    half.onmessage = (bytes, _half, data, remote) => this.onmessage?.(bytes, this, data, remote);
    if (!this.#isReferenced) half.unref();
    this.#first ??= half;
    return half;
  }

  /** The half that carries what goes to one side, bound; or an error code. A socket bound to one address has one half. */
  #boundHalf(isStack: boolean): UdpHandle | number {
    if (this.#isClosed) return UV_EBADF;
    const isThere = (isStack ? this.#stackHalf : this.#kernelHalf) !== undefined;
    if (isThere || this.#first === undefined) return isStack ? this.#stack() : this.#kernel();
    if (this.#anyBind === undefined) return this.#first;
    const half = isStack ? this.#stack() : this.#kernel();
    const code = half.bind(ANY_IPV4, this.#anyBind.port, this.#anyBind.flags);
    if (code !== 0) return code;
    for (const option of this.#options) option(half);
    return this.#isReceiving ? half.recvStart() || half : half;
  }

  /** Makes `half` the only one: the socket has a peer from now on. */
  #only(half: UdpHandle): UdpHandle {
    for (const other of this.#halves()) if (other !== half) other.close();
    this.#stackHalf = this.#stackHalf === half ? half : undefined;
    this.#kernelHalf = this.#kernelHalf === half ? half : undefined;
    this.#first = half;
    return half;
  }

  #inGroup(group: string, action: (half: UdpHandle) => number): number {
    const half = this.#boundHalf(this.#isForStack(group));
    return typeof half === 'number' ? half : action(half);
  }

  #set(option: (half: UdpHandle) => number): number {
    if (this.#first === undefined) return UV_EBADF;
    const code = this.#each(option);
    if (code === 0) this.#options.push(option);
    return code;
  }

  #each(action: (half: UdpHandle) => number): number {
    for (const half of this.#halves()) {
      const code = action(half);
      if (code !== 0) return code;
    }
    return 0;
  }
}

Object.defineProperty(PolicyUdp, 'name', { value: 'UDP' });

/** Makes `UDP` as dgram.js sees it: handles of the stack that is current, or kernel's ones if there is none. */
export function makeUdpClass(): UdpBinding['UDP'] {
  function UDP(): UdpHandle {
    const context = currentStack();
    return context === undefined ? new KernelUdp() : new PolicyUdp(context);
  }
  Object.defineProperty(UDP, Symbol.hasInstance, {
    value: (object: unknown) =>
      object instanceof PolicyUdp || object instanceof StackUdp || object instanceof KernelUdp,
  });
  return UDP as unknown as UdpBinding['UDP'];
}

/** What to hand to C++ for a handle: the handle itself, a native one in its place, or undefined if it is the stack's. */
export function nativeUdpOf(handle: object | undefined): object | undefined {
  if (handle === undefined || handle instanceof StackUdp) return undefined;
  return handle instanceof PolicyUdp ? handle.kernelOnly : handle;
}
