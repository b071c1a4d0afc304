import { writeSync } from 'node:fs';
import { resolveConfig } from '../config/load.js';
import type { NetworkConfig, ResolvedConfig } from '../config/schema.js';
import { Network, type NetworkOptions } from '../engine/network.js';
import { asConfigFailure } from './config-failure.js';
import { ControlApi } from './control-api.js';
import { formatFailure } from './failure-text.js';

const STDERR = 2;

/** An empty network for those who do not wait until it is made: what fails then is told on stderr. */
export function makeNetwork(config: ResolvedConfig, options: NetworkOptions = {}): Network {
  const onStartFailure = (error: unknown): void => {
    writeSync(STDERR, `${formatFailure(asConfigFailure(config, error))}\n`);
  };
  return makeControlled(config, { onStartFailure, ...options });
}

/** An empty network whose control socket, once it is open, answers the control API. */
function makeControlled(config: ResolvedConfig, options: NetworkOptions): Network {
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
  const network = makeControlled(config, options);
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
