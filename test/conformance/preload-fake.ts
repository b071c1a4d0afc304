/** A preload that gives the process the sockets of a session layer without a network. */
import { FakeNetwork } from '../../src/session/testing/fake-network.js';
import { setDefaultStack } from '../../src/sockets/current-stack.js';
import { StackNames } from '../../src/sockets/dns/stack-names.js';
import { installBindings } from '../../src/sockets/install.js';
import { Policy } from '../../src/sockets/policy.js';
import { StackSockets } from '../../src/sockets/stack-sockets.js';

installBindings();
const network = new FakeNetwork({ schedule: (run) => setImmediate(run) });
const sockets = new StackSockets('fake', network.port());
const prefixes = (process.env.TEST_PREFIXES ?? '127.0.0.0/8,192.0.2.0/24').split(',');
const context = { sockets, policy: new Policy(prefixes), names: new StackNames(sockets, []), asksKernel: true };
setDefaultStack(() => context);
