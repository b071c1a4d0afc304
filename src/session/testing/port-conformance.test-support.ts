/**
 * What every SessionPort does, whatever carrier is below it: one suite, run on each implementation.
 * Times and order within one settling are the carrier's own business; what is checked here holds for all of them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SessionMessage } from '../message.js';
import { asking, handles, listening } from './port-cases-listener.test-support.js';
import { ending, establishing, refusing, transferring } from './port-cases-session.test-support.js';
import { datagramErrors, datagrams } from './port-cases-udp.test-support.js';
import { type Case, expectEvent, type PortHarness } from './port-harness.test-support.js';
import { PortRecorder } from './port-recorder.js';

export interface PortConformanceOptions {
  /** False for carriers that can't wait for an answer. */
  readonly canWait?: boolean;
}
export function portConformance(
  title: string,
  makeHarness: () => PortHarness | Promise<PortHarness>,
  options: PortConformanceOptions = {},
): void {
  const test: Case = (name, run) => {
    it(name, async () => {
      const harness = await makeHarness();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  };
  describe(`${title}: connections`, () => {
    establishing(test);
    refusing(test);
  });
  describe(`${title}: bytes`, () => {
    transferring(test);
    ending(test);
  });
  describe(`${title}: listeners`, () => {
    listening(test);
    asking(test);
  });
  describe(`${title}: handles`, () => handles(test));
  describe(`${title}: datagrams`, () => {
    datagrams(test);
    datagramErrors(test);
  });
  describe(`${title}: waiting`, () => waiting(test, options.canWait !== false));
}
function waiting(test: Case, canWait: boolean): void {
  test('the answers of listen and bind can be waited for', async (harness) => {
    const { port, events } = new PortRecorder(harness.port());
    await harness.settle();
    const answer = new SessionMessage();
    const request = port.listen({ local: harness.address });
    assert.equal(port.wait(request, answer), canWait);
    if (!canWait) return;
    assert.equal(answer.request, request);
    assert.ok(answer.localPort > 0);
    const listener = answer.session;
    assert.ok(port.wait(port.udpBind({ local: harness.address }), answer));
    assert.ok(answer.session !== 0);
    assert.ok(port.wait(port.listen({ local: harness.foreignAddress }), answer));
    assert.ok(answer.errno !== 0);
    port.unlisten(listener);
    await harness.settle();
    assert.equal(events.length, 0, 'an answer was told twice');
  });

  test('unknown names have no addresses', async (harness) => {
    const recorder = new PortRecorder(harness.port());
    const request = recorder.port.resolve('nobody.invalid', 4);
    await harness.settle();
    const failed = expectEvent(recorder, 'failed');
    assert.deepEqual([failed.request, failed.errno], [request, 'ENOENT']);
  });
}
