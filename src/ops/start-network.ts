import { resolveConfig } from '../config/load.js';
import type { NetworkConfig, ResolvedConfig } from '../config/schema.js';
import { Network, type NetworkOptions } from '../engine/network.js';
import { ControlApi } from './control-api.js';

/** An empty network whose control socket, once it is open, answers the control API. */
export function makeNetwork(config: ResolvedConfig, options: NetworkOptions = {}): Network {
  const network: Network = new Network(config, {
    ...options,
    onControl: (control) => {
      control.onRequest = new ControlApi(network).handle;
      options.onControl?.(control);
    },
  });
  return network;
}

/**
 * Makes a network with everything in its configuration. Resolves when its forwards listen and its programs are started;
 * on failure nothing is left behind.
 */
export async function startNetwork(config: ResolvedConfig, options: NetworkOptions = {}): Promise<Network> {
  const network = makeNetwork(config, options);
  try {
    await network.apply(config);
  } catch (error) {
    await network.close();
    throw error;
  }
  return network;
}

/**
 * Makes a network in this process.
 *
 * ```js
 * const network = await createNetwork({
 *   stacks: {
 *     web: { interfaces: { eth0: { type: 'veth', switch: 'lan', address: '10.0.0.1/24' } } },
 *     client: { interfaces: { eth0: { type: 'veth', switch: 'lan', address: '10.0.0.2/24' } } },
 *   },
 *   switches: { lan: {} },
 * });
 * const { http } = network.stack('web');
 * ```
 *
 * @throws ConfigError with every problem at once; its code is USERNET_CONFIG.
 */
export async function createNetwork(config: NetworkConfig, options: NetworkOptions = {}): Promise<Network> {
  return await startNetwork(resolveConfig(config), options);
}
