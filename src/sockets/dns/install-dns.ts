/**
 * Has Node's `dns` ask the current stack: its JavaScript stays, the three things that it uses of the cares_wrap binding
 * (getaddrinfo, getnameinfo, ChannelWrap) are replaced. Outside of every stack all is as before.
 */
import { AsyncResource } from 'node:async_hooks';
import { parseAddressWords } from '../../session/address.js';
import { callInto } from '../callback.js';
import { currentStack, type StackContext } from '../current-stack.js';
import { type CaresBinding, type NodeRequest, nodeBinding } from '../node-binding.js';
import { uvCode } from '../uv-errno.js';
import { QUERIES, StackChannel } from './dns-channel.js';
import { LookupError } from './stack-names.js';

let isInstalled = false;

export function installDns(): void {
  if (isInstalled) return;
  isInstalled = true;
  const cares = nodeBinding('cares_wrap');
  const { getaddrinfo, getnameinfo } = cares;
  cares.getaddrinfo = (request, name, family, hints, order) => {
    const context = currentStack();
    if (context === undefined) return getaddrinfo.call(cares, request, name, family, hints, order);
    const askKernel = (): number => getaddrinfo.call(cares, request, name, family, hints, order);
    void answerLookup(context, request, name, family, askKernel);
    return 0;
  };
  cares.getnameinfo = (request, address, port) => {
    const context = currentStack();
    const words = parseAddressWords(address);
    const isForStack = words !== undefined && context?.policy.isForStack(words) === true;
    if (context === undefined || !isForStack) return getnameinfo.call(cares, request, address, port);
    const resource = new AsyncResource('GETNAMEINFOREQWRAP');
    void context.names.nameOf(address).then((name) => settle(resource, request, null, name, String(port)));
    return 0;
  };
  cares.ChannelWrap = makeChannelClass(cares.ChannelWrap);
}

async function answerLookup(
  { names, asksKernel }: StackContext,
  request: NodeRequest,
  name: string,
  family: number,
  askKernel: () => number,
): Promise<void> {
  const resource = new AsyncResource('GETADDRINFOREQWRAP');
  try {
    const own = await names.lookupLocally(name, family);
    if (own.length === 0 && asksKernel) {
      const code = resource.runInAsyncScope(askKernel);
      if (code !== 0) settle(resource, request, code);
      return;
    }
    const addresses = own.length > 0 ? own : await names.lookup(name, family);
    settle(resource, request, null, [...addresses]);
  } catch (error) {
    const isUnknown = error instanceof LookupError && error.code === 'ENOTFOUND';
    settle(resource, request, uvCode(isUnknown ? 'EAI_NONAME' : 'EAI_AGAIN'));
  }
}

function settle(resource: AsyncResource, request: NodeRequest, ...results: unknown[]): void {
  const { oncomplete } = request;
  // Out of the promise: what the application throws is its own.
  setImmediate(() => callInto(resource, oncomplete as (...args: unknown[]) => void, request, ...results));
}

/** A channel that asks the stack's name servers while these are the ones to ask. */
function makeChannelClass(Channel: CaresBinding['ChannelWrap']): CaresBinding['ChannelWrap'] {
  class ChannelWrap extends Channel {
    readonly #options: [timeoutMs: number, tries: number];
    readonly #byStack = new Map<StackContext, StackChannel>();
    #hasOwnServers = false;

    // The native constructor counts its arguments: there are two up to Node 22.
    constructor(...options: [timeoutMs: number, tries: number, maxTimeoutMs?: number]) {
      super(...options);
      this.#options = [options[0], options[1]];
    }

    override getServers(): [address: string, port: number][] {
      return this.stackChannel()?.getServers() ?? super.getServers();
    }

    override setServers(servers: [family: number, address: string, port: number][]): number {
      this.#hasOwnServers = true;
      this.#byStack.clear();
      return super.setServers(servers);
    }

    override cancel(): void {
      for (const channel of this.#byStack.values()) channel.cancel();
      super.cancel();
    }

    /** The stack's channel for the query at hand; undefined: the kernel's. */
    stackChannel(): StackChannel | undefined {
      const context = currentStack();
      if (context === undefined) return undefined;
      const known = this.#byStack.get(context);
      if (known !== undefined) return known;
      const servers = this.#hasOwnServers ? super.getServers().map(toServer) : context.names.servers;
      const isForStack = servers.every(({ address }) => context.policy.isForStack(parseAddressWords(address) ?? []));
      if (!isForStack || (servers.length === 0 && context.asksKernel)) return undefined;
      const channel = new StackChannel(context.sockets, servers, ...this.#options);
      this.#byStack.set(context, channel);
      return channel;
    }
  }
  for (const method of [...Object.keys(QUERIES), 'getHostByAddr']) replaceQuery(ChannelWrap, Channel, method);
  return ChannelWrap;
}

type Query = (request: NodeRequest, name: string) => number;

function replaceQuery(ChannelWrap: { prototype: object }, Channel: CaresBinding['ChannelWrap'], method: string): void {
  const native = (Channel.prototype as unknown as Record<string, Query | undefined>)[method];
  if (native === undefined) return;
  const query = function (this: { stackChannel(): object | undefined }, request: NodeRequest, name: string): number {
    const channel = this.stackChannel() as Record<string, Query> | undefined;
    return channel === undefined ? native.call(this, request, name) : channel[method]!(request, name);
  };
  Object.defineProperty(ChannelWrap.prototype, method, { value: query, configurable: true, writable: true });
}

function toServer([address, port]: [string, number]): { address: string; port: number } {
  return { address, port };
}
