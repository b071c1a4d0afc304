import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Program, type ProgramEvent } from './program.js';

interface Watched {
  readonly program: Program;
  next(): Promise<ProgramEvent>;
}

function start(t: TestContext, run: string[], restart: 'no' | 'on-failure' | 'always' = 'no'): Watched {
  const events: ProgramEvent[] = [];
  let notify = (): void => {};
  const program = new Program({
    spec: { stack: 'web', name: 'test', run, env: {}, cwd: undefined, restart },
    control: '/nowhere',
    directory: '/',
    output: { stdout: 2, stderr: 2 },
    onEvent: (event) => {
      events.push(event);
      notify();
    },
  });
  t.after(() => program.stop());
  return {
    program,
    async next() {
      while (events.length === 0) await new Promise<void>((done) => (notify = done));
      return events.shift()!;
    },
  };
}

test('a program is told where its stack is, and its end is reported', async (t) => {
  const script = 'test "$USERNET_STACK $USERNET_CONTROL" = "web /nowhere" && exit 7';
  const { next } = start(t, ['/bin/sh', '-c', script]);
  assert.equal((await next()).event, 'program-started');
  assert.deepEqual(await next(), { event: 'program-ended', stack: 'web', program: 'test', code: 7, signal: null });
});

test('a program that is not there is reported', async (t) => {
  const { next } = start(t, ['/nowhere/nothing']);
  const event = await next();
  assert.equal(event.event, 'program-ended');
  assert.match(event.event === 'program-ended' ? (event.error ?? '') : '', /ENOENT/);
});

test('a program is started again as its policy says', async (t) => {
  const once = start(t, ['/bin/sh', '-c', 'exit 0'], 'on-failure');
  await once.next();
  assert.equal('restartMs' in (await once.next()), false);

  const again = start(t, ['/bin/sh', '-c', 'exit 1'], 'on-failure');
  await again.next();
  const ended = await again.next();
  assert.equal(ended.event === 'program-ended' && ended.restartMs, 100);
  assert.equal((await again.next()).event, 'program-started');
  const second = await again.next();
  assert.equal(second.event === 'program-ended' && second.restartMs, 200);
});

test('a program that does not want to end is ended, with what it started', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'usernet-program-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pid');
  const script = `trap "" TERM; sleep 60 & echo $! > ${file}.new; mv ${file}.new ${file}; sleep 60; sleep 60`;
  const { program, next } = start(t, ['/bin/sh', '-c', script]);
  await next();
  while (!existsSync(file)) await nextTurn();
  const startMs = Date.now();
  await program.stop();
  assert.ok(Date.now() - startMs < 1000);
  const grandchild = Number(readFileSync(file, 'utf8'));
  while (isRunning(grandchild)) await nextTurn();
});

function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** A process that has ended but was not waited for counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
