import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectArguments } from './connect-arguments.js';

const callback = (): void => {};

test('every form of connect', () => {
  assert.deepEqual(connectArguments([80]), [{ port: 80 }, undefined]);
  assert.deepEqual(connectArguments(['80', 'host', callback]), [{ port: '80', host: 'host' }, callback]);
  assert.deepEqual(connectArguments([80, callback]), [{ port: 80 }, callback]);
  assert.deepEqual(connectArguments(['/path', callback]), [{ path: '/path' }, callback]);
  assert.deepEqual(connectArguments([{ port: 1, host: 'h' }, callback]), [{ port: 1, host: 'h' }, callback]);
  assert.deepEqual(connectArguments([[{ port: 1 }, null]]), [{ port: 1 }, undefined]);
  assert.deepEqual(connectArguments([[{ port: 1 }, callback]]), [{ port: 1 }, callback]);
});
