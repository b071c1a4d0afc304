/**
 * The preload: `node --import usernet/register app.js`, or `--require`. Node's own net, dgram, http, tls, dns and fetch
 * then run on a stack in user space, as the environment says:
 *
 *   USERNET_CONTROL, USERNET_STACK   attach to this stack of the network behind the control socket
 *   USERNET_CONFIG, USERNET_STACK    make the network of this file in the process, and use this stack of it
 *   neither                          a stack of its own with the loopback network 127.0.0.0/8; the rest is the kernel's
 *   USERNET_POLICY                   prefixes that go to the stack, others to the kernel: "10.0.0.0/8,127.0.0.0/8"
 *
 * What is imported here must not load `net`: its sockets have to be replaced before. So the engine is loaded later, when
 * the first socket is made, and without `await`: a `--require` has no time for that.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { UsernetError } from './base/errors.js';
import type { ResolvedConfig } from './config/schema.js';
import type { ControlSocket } from './engine/control-socket.js';
import type { Network } from './engine/network.js';
import { attach } from './sockets/attach.js';
import { runOnKernel, type StackContext, setDefaultStack } from './sockets/current-stack.js';
import { installDns } from './sockets/dns/install-dns.js';
import { parseServer } from './sockets/dns/parse-server.js';
import { StackNames } from './sockets/dns/stack-names.js';
import { installBindings } from './sockets/install.js';
import { openChannel, renameChannels } from './sockets/ipc-channel.js';
import { Policy } from './sockets/policy.js';
import { StackSockets } from './sockets/stack-sockets.js';
import { preloadThreads } from './sockets/thread-preload.js';

const OWN_STACK = 'own';
const LOOPBACK = '127.0.0.0/8';
const EVERYTHING = '0.0.0.0/0,::/0';

installBindings();
installDns();
const ownFile = fileURLToPath(import.meta.url);
preloadThreads(ownFile, import.meta.url);
renameChannels([ownFile, import.meta.url]);
openChannel();

let context: StackContext | undefined;
setDefaultStack(() => {
  if (context === undefined) context = runOnKernel(openStack);
  else if (context.sockets.port.isClosed) context = reopenStack(context);
  return context;
});

/** The network may be back. Until it is, sockets fail as they do on a network that is down. */
function reopenStack(closed: StackContext): StackContext {
  try {
    return runOnKernel(openStack);
  } catch (error) {
    if (error instanceof UsernetError) return closed;
    throw error;
  }
}

function openStack(): StackContext {
  const {
    USERNET_CONTROL: control,
    USERNET_CONFIG: config,
    USERNET_STACK: stack,
    USERNET_POLICY: policy,
  } = process.env;
  if (control !== undefined) return attachTo(control, required(stack), policy ?? EVERYTHING);
  if (config !== undefined) return makeNetwork(config, required(stack), policy ?? EVERYTHING);
  return makeNetwork(undefined, OWN_STACK, policy ?? LOOPBACK);
}

function required(stack: string | undefined): string {
  if (stack !== undefined) return stack;
  throw new UsernetError('USERNET_NO_STACK', 'USERNET_STACK does not say which stack to use', 'usernet run sets it');
}

function attachTo(control: string, stack: string, policy: string): StackContext {
  const { port, nameServers } = attach({ control, stack, application: applicationName() });
  return contextOf(new StackSockets(stack, port), nameServers.map(parseServer), policy);
}

/** Makes the network of a configuration, or one with nothing but a stack, in this process. */
function makeNetwork(file: string | undefined, stack: string, policy: string): StackContext {
  const require = createRequire(import.meta.url);
  const { DirectPort } = require('./session/direct-carrier.js') as typeof import('./session/direct-carrier.js');
  const { network, config } = file === undefined ? ownNetwork(require, stack) : configuredNetwork(require, file);
  // Packets, addresses and routes are in place at once; forwards, programs and the control socket follow.
  void network.apply(config);
  network.unref();
  const row = network.stackRow(stack);
  const port = new DirectPort(network.worker.sessions, { name: applicationName(), namespace: row, stack: row });
  const servers = config.stacks[stack]?.dns ?? [];
  return contextOf(
    new StackSockets(stack, port),
    servers.map(({ host, port }) => ({ address: host, port })),
    policy,
  );
}

interface MadeNetwork {
  readonly network: Network;
  readonly config: ResolvedConfig;
}

/** Without the schema, which a program that says nothing needs not wait for. */
function ownNetwork(require: NodeJS.Require, stack: string): MadeNetwork {
  const { loopbackConfig } = require('./config/default-config.js') as typeof import('./config/default-config.js');
  const { Network } = require('./engine/network.js') as typeof import('./engine/network.js');
  const config = loopbackConfig(stack);
  return { config, network: new Network(config) };
}

/** Its control socket is for those who look at it, and for processes that this one starts: they are on the same stack. */
function configuredNetwork(require: NodeJS.Require, file: string): MadeNetwork {
  const { loadConfigFile } = require('./config/load.js') as typeof import('./config/load.js');
  const { makeNetwork } = require('./ops/start-network.js') as typeof import('./ops/start-network.js');
  const config = loadConfigFile(file);
  const onControl = ({ path }: ControlSocket): void => {
    process.env.USERNET_CONTROL = path;
    delete process.env.USERNET_CONFIG;
  };
  return { config, network: makeNetwork(config, { control: true, onControl }) };
}

function contextOf(sockets: StackSockets, servers: StackNames['servers'], prefixes: string): StackContext {
  const policy = new Policy(prefixes.split(/[ ,]+/).filter((prefix) => prefix !== ''));
  // With the kernel's network at hand its names are good as well, unless the stack has servers of its own.
  const asksKernel = servers.length === 0 && prefixes !== EVERYTHING;
  return { sockets, policy, names: new StackNames(sockets, servers), asksKernel };
}

/** What the network calls this process: its program. */
function applicationName(): string {
  return (process.argv[1] ?? 'node').replace(/^.*[\\/]/, '');
}
