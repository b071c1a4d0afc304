/**
 * The TCP class of a process under the preload: a handle of the stack or of the kernel, depending on the address that it
 * is bound to, connects to or listens on.
 */
import { isAnyWords, parseAddressWords } from '../session/address.js';
import { currentStack, type StackContext } from './current-stack.js';
import { handOver } from './kernel-handover.js';
import { type NodeRequest, nodeBinding, type StreamHandle, type TcpBinding, type TcpHandle } from './node-binding.js';
import type { Policy } from './policy.js';
import { StackTcp } from './tcp-handle.js';

/** The class that was there before: the kernel's. */
export const KernelTcp = nodeBinding('tcp_wrap').TCP;

class PolicyTcp extends StackTcp {
  readonly #type: number;
  readonly #policy: Policy;
  /** A bind to any address, which says nothing about where the connection goes. */
  #anyBind: readonly [address: string, port: number, flags: number | undefined] | undefined;
  #isOfStack = false;
  #userBuffer: Uint8Array | undefined;
  #upper: StreamHandle | undefined;
  #native: TcpHandle | undefined;

  constructor(type: number, context: StackContext) {
    super(context.sockets);
    this.#type = type;
    this.#policy = context.policy;
  }

  /** The kernel's handle that this one stands for, once it does. */
  get native(): TcpHandle | undefined {
    return this.#native;
  }

  override useUserBuffer(buffer: Uint8Array): void {
    this.#userBuffer = buffer;
    super.useUserBuffer(buffer);
  }

  override setUpper(upper: StreamHandle): void {
    this.#upper = upper;
    super.setUpper(upper);
  }

  override open(fd: number): number {
    return this.#toKernel().open(fd);
  }

  override bind(address: string, port: number, flags?: number): number {
    if (!this.#isForStack(address)) return this.#toKernel().bind(address, port, flags);
    this.#noteBind(address, port, flags);
    return super.bind(address, port, flags);
  }

  override bind6(address: string, port: number, flags?: number): number {
    if (!this.#isForStack(address)) return this.#toKernel().bind6(address, port, flags);
    this.#noteBind(address, port, flags);
    return super.bind6(address, port, flags);
  }

  override connect(request: NodeRequest, address: string, port: number): number {
    if (this.#isOfStack || this.#isForStack(address)) return super.connect(request, address, port);
    const native = this.#toKernel();
    return this.#bindAny(native) || native.connect(request, address, port);
  }

  override connect6(request: NodeRequest, address: string, port: number): number {
    if (this.#isOfStack || this.#isForStack(address)) return super.connect6(request, address, port);
    const native = this.#toKernel();
    return this.#bindAny(native) || native.connect6(request, address, port);
  }

  #isForStack(address: string): boolean {
    const words = parseAddressWords(address);
    return words === undefined || this.#policy.isForStack(words);
  }

  #noteBind(address: string, port: number, flags: number | undefined): void {
    if (isAnyWords(parseAddressWords(address) ?? [])) this.#anyBind = [address, port, flags];
    else this.#isOfStack = true;
  }

  #bindAny(native: TcpHandle): number {
    if (this.#anyBind === undefined) return 0;
    const [address, port, flags] = this.#anyBind;
    return native.bind(address, port, flags);
  }

  #toKernel(): TcpHandle {
    const native = new KernelTcp(this.#type);
    if (!this.hasRef()) native.unref();
    this.#native = native;
    handOver(this, { native, userBuffer: this.#userBuffer, upper: () => this.#upper });
    return native;
  }
}

Object.defineProperty(PolicyTcp, 'name', { value: 'TCP' });

/**
 * Makes `TCP` as net.js sees it: `new` gives a handle of the stack that is current, or a kernel's one if there is none.
 * Native handles, as a kernel's server accepts them, are instances as well.
 */
export function makeTcpClass(): TcpBinding['TCP'] {
  function TCP(type: number): TcpHandle {
    const context = currentStack();
    return context === undefined ? new KernelTcp(type) : new PolicyTcp(type, context);
  }
  Object.defineProperty(TCP, Symbol.hasInstance, {
    value: (object: unknown) => object instanceof StackTcp || object instanceof KernelTcp,
  });
  return TCP as unknown as TcpBinding['TCP'];
}

/** What to hand to C++ for a handle: the handle itself, a native one in its place, or undefined if it is a stack's. */
export function nativeTcpOf(handle: object): object | undefined {
  if (handle instanceof PolicyTcp) return handle.native;
  return handle instanceof StackTcp ? undefined : handle;
}
