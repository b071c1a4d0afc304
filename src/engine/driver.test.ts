import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LibuvDriver } from './libuv-driver.js';
import { VirtualDriver } from './virtual-driver.js';

test('virtual time jumps from deadline to deadline', async () => {
  const driver = new VirtualDriver();
  const deadlines = [5e9, 7e9, 3600e9];
  const seen: number[] = [];
  driver.start({
    run(nowNs) {
      seen.push(nowNs);
      while (deadlines[0]! <= nowNs) deadlines.shift();
      return deadlines[0] ?? Infinity;
    },
  });
  await driver.runFor(6e9);
  assert.deepEqual(seen, [0, 5e9]);
  assert.equal(driver.nowNs(), 6e9);
  await driver.runUntilIdle();
  assert.deepEqual(seen, [0, 5e9, 7e9, 3600e9]);
});

test('what the application does in a callback happens before time goes on', async () => {
  const driver = new VirtualDriver();
  const log: string[] = [];
  let calls = 0;
  driver.start({
    run(nowNs) {
      log.push(`run at ${nowNs}`);
      if (++calls === 1) {
        Promise.resolve().then(() =>
          process.nextTick(() => {
            log.push('application');
            driver.wake();
          }),
        );
      }
      return calls < 3 ? 1e9 : Infinity;
    },
  });
  await driver.runUntilIdle();
  assert.deepEqual(log, ['run at 0', 'application', 'run at 0', 'run at 1000000000']);
});

test('runUntil stops when the condition comes true and says so when it does not', async () => {
  const driver = new VirtualDriver();
  let runs = 0;
  driver.start({
    run(nowNs) {
      runs++;
      return nowNs + 1e6;
    },
  });
  assert.equal(await driver.runUntil(1e9, () => runs === 10), true);
  assert.equal(await driver.runUntil(20e6, () => false), false);
  assert.equal(driver.nowNs(), 20e6);
});

test('under load the event loop turns after a millisecond of work', async () => {
  const driver = new LibuvDriver();
  let runs = 0;
  driver.start({
    run(nowNs) {
      runs++;
      const untilNs = nowNs + 200_000;
      while (driver.nowNs() < untilNs);
      return nowNs;
    },
  });
  let mostAtOnce = 0;
  for (let turns = 0; turns < 100; turns++) {
    const before = runs;
    await new Promise((resolve) => setImmediate(resolve));
    mostAtOnce = Math.max(mostAtOnce, runs - before);
  }
  driver.stop();
  assert.ok(runs >= 100, `${runs} runs`);
  assert.ok(mostAtOnce <= 6, `${mostAtOnce} runs of 0.2 ms in a turn`);
});

test('an idle engine is not called, and its deadline is', async () => {
  const driver = new LibuvDriver();
  let runs = 0;
  const due = await new Promise<number>((resolve) => {
    const keepAlive = setTimeout(() => {}, 10_000);
    const startNs = driver.nowNs();
    driver.start({
      run(nowNs) {
        runs++;
        if (nowNs < startNs + 30e6) return startNs + 30e6;
        clearTimeout(keepAlive);
        resolve(nowNs - startNs);
        return Infinity;
      },
    });
  });
  driver.stop();
  assert.ok(due >= 30e6);
  assert.ok(runs <= 4, `${runs} runs`);
});
