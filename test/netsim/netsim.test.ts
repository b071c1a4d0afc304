/**
 * Transfers over bad links: loss, reordering, duplication, corruption × buffer sizes. Goodput is compared exactly with
 * golden.json, since seeds and time are fixed. After a change that is meant to alter it:
 * UPDATE_GOLDEN=1 node --test …/netsim.test.js
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { FaultOptions } from '../../src/drivers/fault-injector.js';
import { rootPath } from '../support/paths.js';
import { type Outcome, type Scenario, simulate } from './simulate.js';

const KIB = 1024;
const GOLDEN = `${rootPath}/test/netsim/golden.json`;
/** Round trip 20 ms, 50 Mbit/s: bandwidth times delay is 125 kB. */
const LINK: FaultOptions = { delayMs: 10, rateBytesPerSecond: 6_250_000 };
const WINDOWS_KIB = [4, 16, 64, 256, 1024];
const FAULTS: Readonly<Record<string, FaultOptions>> = {
  clean: {},
  'loss 0.1 %': { loss: 0.001 },
  'loss 1 %': { loss: 0.01 },
  'loss 3 %': { loss: 0.03 },
  'loss 10 %': { loss: 0.1 },
  'reorder 5 %': { reorder: 0.05, reorderMs: 3 },
  'duplicate 5 %': { duplicate: 0.05 },
  'corrupt 2 %': { corrupt: 0.02 },
  'all of it': { loss: 0.02, reorder: 0.02, reorderMs: 5, duplicate: 0.02, corrupt: 0.01, jitterMs: 1 },
};

const golden: Record<string, Outcome> = JSON.parse(readFileSync(GOLDEN, 'utf8'));
const results: Record<string, Outcome> = {};
const isUpdate = process.env.UPDATE_GOLDEN === '1';

function check(name: string, scenario: Scenario): void {
  test(name, () => {
    const outcome = simulate(scenario);
    results[name] = outcome;
    if (!isUpdate) assert.deepEqual(outcome, golden[name]);
  });
}

for (const [fault, faults] of Object.entries(FAULTS)) {
  for (const window of WINDOWS_KIB) {
    const transferBytes = (window < 64 ? 256 : 1024) * KIB;
    check(`${fault}, window ${window} KiB`, {
      windowBytes: window * KIB,
      transferBytes,
      faults: { ...LINK, ...faults },
      seed: 1 + window,
    });
  }
}

for (const loss of [0, 0.01, 0.05]) {
  check(`Reno, loss ${loss * 100} %, window 256 KiB`, {
    windowBytes: 256 * KIB,
    transferBytes: 1024 * KIB,
    faults: { ...LINK, loss },
    seed: 99,
    config: { congestionControl: 'reno' },
  });
}

after(() => {
  if (isUpdate) writeFileSync(GOLDEN, `${JSON.stringify(results, undefined, 2)}\n`);
});
