import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TimingWheel } from './timing-wheel.js';

const TIMERS = 12;

/** Delays around the boundaries of the levels, and anything between. */
const delay = fc.oneof(
  fc.integer({ min: 0, max: 700 }),
  fc.constantFrom(0.5, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 16_777_215, 16_777_216, 16_777_217),
  fc.integer({ min: 0, max: 200_000 }),
  fc.integer({ min: 0, max: 0x7fff_ffff }),
);
const timer = fc.integer({ min: 0, max: TIMERS - 1 });
const command = fc.oneof(
  fc.record({ kind: fc.constant('start' as const), timer, delay }),
  fc.record({ kind: fc.constant('stop' as const), timer }),
  fc.record({ kind: fc.constant('advance' as const), by: delay }),
  fc.record({ kind: fc.constant('sleep' as const) }),
);

describe('TimingWheel', () => {
  it('behaves as a list sorted by deadline', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 100_000 }),
      fc.array(command, { maxLength: 40, size: 'max' }),
      (start, commands) => {
        let nowMs = start;
        const wheel = new TimingWheel(TIMERS, nowMs);
        const deadlines = new Map<number, number>();
        const advance = (toMs: number) => {
          nowMs = toMs;
          const expired: number[] = [];
          wheel.advance(nowMs, (number) => expired.push(number));
          const due = [...deadlines].filter(([, deadline]) => deadline <= Math.floor(nowMs));
          assert.deepEqual([...expired].sort(), due.map(([number]) => number).sort());
          const order = expired.map((number) => deadlines.get(number)!);
          assert.deepEqual(
            order,
            [...order].sort((a, b) => a - b),
          );
          for (const number of expired) deadlines.delete(number);
        };
        for (const step of commands) {
          if (step.kind === 'start') {
            wheel.start(step.timer, step.delay, nowMs);
            deadlines.set(step.timer, Math.max(Math.ceil(nowMs + step.delay), Math.floor(nowMs) + 1));
          } else if (step.kind === 'stop') {
            wheel.stop(step.timer);
            deadlines.delete(step.timer);
          } else if (step.kind === 'advance') {
            advance(nowMs + step.by);
          } else if (wheel.nextDeadlineMs() !== Infinity) {
            advance(Math.max(nowMs, wheel.nextDeadlineMs()));
          }
          for (let number = 0; number < TIMERS; number++) {
            assert.equal(wheel.isRunning(number), deadlines.has(number));
            assert.equal(wheel.deadlineMs(number), deadlines.get(number) ?? Infinity);
          }
          assert.ok(wheel.nextDeadlineMs() <= Math.min(Infinity, ...deadlines.values()));
          assert.equal(wheel.nextDeadlineMs() === Infinity, deadlines.size === 0);
        }
        // One who sleeps until the next deadline again and again meets all of them in few steps.
        for (let steps = 0; deadlines.size > 0; steps++) {
          assert.ok(steps < 10 * TIMERS, 'the next deadline does not come nearer');
          advance(Math.max(nowMs, wheel.nextDeadlineMs()));
        }
      },
    );
    fc.assert(property, { seed: 5, numRuns: 400 });
  });

  it('lets timers start and stop timers when they expire', () => {
    const wheel = new TimingWheel(4);
    const log: [number, number][] = [];
    let nowMs = 0;
    const advance = (toMs: number) => {
      nowMs = toMs;
      wheel.advance(nowMs, (number) => {
        log.push([number, nowMs]);
        if (number === 0 && log.length < 5) wheel.start(0, 10, nowMs);
        if (number === 1) wheel.stop(2);
      });
    };
    wheel.start(0, 10, 0);
    wheel.start(1, 15, 0);
    wheel.start(2, 16, 0);
    wheel.start(3, 16, 0);
    for (let ms = 1; ms <= 60; ms++) advance(ms);
    assert.deepEqual(log, [
      [0, 10],
      [1, 15],
      [3, 16],
      [0, 20],
      [0, 30],
    ]);
    assert.equal(wheel.nextDeadlineMs(), Infinity);
  });

  it('does not expire a timer early, whatever the fractions of a millisecond', () => {
    const wheel = new TimingWheel(1);
    const expired: number[] = [];
    wheel.start(0, 10, 0.75);
    for (const ms of [10, 10.75, 10.999]) wheel.advance(ms, () => void expired.push(ms));
    assert.equal(expired.length, 0);
    wheel.advance(11, () => void expired.push(11));
    assert.deepEqual(expired, [11]);
  });
});
