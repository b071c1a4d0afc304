/**
 * usernet: a whole network in this process. {@link createNetwork} makes one from a configuration; `network.stack(name)`
 * gives Node's own `net`, `http`, `dgram` … on one of its hosts.
 */
export { UsernetError } from './base/errors.js';
export { type Random, seededRandom } from './base/random.js';
export { ConfigError, type ConfigProblem } from './config/problem.js';
export type { NetworkConfig, PacketCallbacks, PacketStream } from './config/schema.js';
export type { Driver, Runnable } from './engine/driver.js';
export type { ForwardStatus, Network, NetworkEvent, NetworkOptions } from './engine/network.js';
export { VirtualDriver } from './engine/virtual-driver.js';
export { createNetwork } from './ops/start-network.js';
export type { Stack } from './sockets/stack.js';
