/** `node [--import PRELOAD] main.js [PART-OF-A-NAME]`: runs the cases on Node's modules and prints the traces as JSON. */
import { writeFileSync } from 'node:fs';
import { nodeApi, runCases } from './runner.js';

const traces = await runCases(nodeApi(), process.argv[2]);
writeFileSync(1, JSON.stringify(traces, null, 1));
process.exit(0);
