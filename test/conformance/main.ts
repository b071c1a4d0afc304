/**
 * `node [--import PRELOAD] main.js [modules|explicit] [PART-OF-A-NAME]`: runs the cases and prints the traces as JSON, on
 * Node's modules or on those of a stack in this process.
 */
import { writeFileSync } from 'node:fs';
import { createNetwork } from '../../src/index.js';
import type { NetworkApi } from './api.js';
import { nodeApi, runCases } from './runner.js';

const [mode = 'modules', part] = process.argv.slice(2);

async function explicitApi(): Promise<NetworkApi> {
  const network = await createNetwork({ stacks: { host: {} } });
  return Object.assign(network.stack('host'), { host: '127.0.0.1' });
}

const traces = await runCases(mode === 'explicit' ? await explicitApi() : nodeApi(), part);
writeFileSync(1, JSON.stringify(traces, null, 1));
process.exit(0);
