/** `npm run ok`: the quick loop while working. Format, lint, layers, types and the unit tests. */
import { quickSteps, runSteps } from './check.mjs';
import { ensureInstalled } from './install.mjs';
import { unitTests } from './lib/collect.mjs';
import { runMain } from './lib/process.mjs';
import { runTests } from './test.mjs';

await runMain(async () => {
  await ensureInstalled();
  return await runSteps([...quickSteps, { name: 'unit tests', run: () => runTests(unitTests(), { reporter: 'dot' }) }]);
});
