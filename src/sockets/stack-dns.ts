/** `stack.dns`: Node's `dns` on one stack: its names, and resolvers that ask its name servers. */
import type dns from 'node:dns';
import { promisify } from 'node:util';
import { runInStack, type StackContext } from './current-stack.js';
import { StackChannel } from './dns/dns-channel.js';
import { installDns } from './dns/install-dns.js';

export type StackDns = typeof dns;

type Method = (...args: unknown[]) => unknown;
type LookupCallback = (error: Error | null, address: unknown, family?: number) => void;

/** The methods of a resolver that the module has as well, for its default resolver. */
const RESOLVER_METHODS = [
  'getServers',
  'setServers',
  'resolve',
  'resolve4',
  'resolve6',
  'resolveAny',
  'resolveCaa',
  'resolveCname',
  'resolveMx',
  'resolveNaptr',
  'resolveNs',
  'resolvePtr',
  'resolveSoa',
  'resolveSrv',
  'resolveTlsa',
  'resolveTxt',
  'reverse',
] as const;

export function makeStackDns(context: StackContext): StackDns {
  installDns();
  const dns = process.getBuiltinModule('node:dns');
  const within = (method: unknown): Method => {
    return (...args) => runInStack(context, method as Method, ...args);
  };
  const lookup = within(dns.lookup);
  const lookupPromise = async (name: string, options?: number | { all?: boolean }): Promise<unknown> =>
    await new Promise((resolve, reject) => {
      const callback: LookupCallback = (error, address, family) => {
        if (error !== null) reject(error);
        else resolve(typeof options === 'object' && options.all ? address : { address, family });
      };
      lookup(name, options ?? {}, callback);
    });
  Object.defineProperty(lookup, promisify.custom, { value: lookupPromise });
  const lookupService = within(dns.lookupService);

  const Resolver = resolverClass(dns.Resolver, context);
  const PromisesResolver = resolverClass(dns.promises.Resolver, context);
  const promises = {
    ...dns.promises,
    ...methodsOf(new PromisesResolver()),
    Resolver: PromisesResolver,
    lookup: lookupPromise,
    lookupService: promisify(lookupService as typeof dns.lookupService),
  };
  return { ...dns, ...methodsOf(new Resolver()), Resolver, lookup, lookupService, promises } as unknown as StackDns;
}

/** A resolver class of Node's whose channel is the stack's. */
function resolverClass<AnyResolver extends object>(
  base: new (options?: dns.ResolverOptions) => AnyResolver,
  { sockets, names }: StackContext,
): new (
  options?: dns.ResolverOptions,
) => AnyResolver {
  const Base = base as new (options?: dns.ResolverOptions) => object;
  class Resolver extends Base {
    constructor(options?: dns.ResolverOptions) {
      super(options);
      Object.assign(this, { _handle: new StackChannel(sockets, names.servers, options?.timeout, options?.tries) });
    }
  }
  return Resolver as new (
    options?: dns.ResolverOptions,
  ) => AnyResolver;
}

function methodsOf(resolver: object): Record<string, Method> {
  const methods = resolver as Record<string, Method | undefined>;
  const bound = RESOLVER_METHODS.map((name) => [name, methods[name]?.bind(resolver)] as const);
  return Object.fromEntries(
    bound.filter((entry): entry is readonly [(typeof entry)[0], Method] => entry[1] !== undefined),
  );
}
