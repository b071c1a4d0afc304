/**
 * `node [--import PRELOAD] main.js [modules|explicit] [PART-OF-A-NAME]`: runs the cases and prints the traces as JSON, on
 * Node's modules or on those of a `Stack` without a network.
 */
import { writeFileSync } from 'node:fs';
import { FakeNetwork } from '../../src/session/testing/fake-network.js';
import { Stack } from '../../src/sockets/stack.js';
import { type NetworkApi, nodeApi, runCases } from './runner.js';

const [mode = 'modules', part] = process.argv.slice(2);

function explicitApi(): NetworkApi {
  const network = new FakeNetwork({ schedule: (run) => setImmediate(run) });
  return Object.assign(new Stack('fake', network.port()), { host: '127.0.0.1' });
}

const traces = await runCases(mode === 'explicit' ? explicitApi() : nodeApi(), part);
writeFileSync(1, JSON.stringify(traces, null, 1));
process.exit(0);
