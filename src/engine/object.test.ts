import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../config/load.js';
import type { NetworkConfig } from '../config/schema.js';
import { diffObjects, listObjects, type NetworkObject } from './object.js';

const config: NetworkConfig = {
  stacks: {
    web: {
      interfaces: { eth0: { type: 'veth', switch: 'lan0', address: '10.0.0.2/24' } },
      routes: [{ to: 'default', via: '10.0.0.1' }],
    },
    client: { interfaces: { eth0: { type: 'veth', switch: 'lan0', address: ['10.0.0.1/24'] } } },
  },
  switches: { lan0: {} },
  forwards: [{ listen: 8080, to: '10.0.0.2:80', from: 'client' }],
};

function objects(change: (copy: typeof config) => void = () => {}): NetworkObject[] {
  const copy = structuredClone(config);
  change(copy);
  return listObjects(resolveConfig(copy));
}

function diff(before: NetworkObject[], after: NetworkObject[]): string[] {
  const canUpdate = (object: NetworkObject): boolean => object.kind === 'stack';
  return diffObjects(before, after, canUpdate).map(({ action, object }) => `${action} ${object.id}`);
}

test('starting is the difference from nothing, and each object comes behind those it needs', () => {
  const all = objects();
  assert.deepEqual(diff([], all), [
    'create switch lan0',
    'create stack web',
    'create stack client',
    'create link web.eth0 – lan0',
    'create link client.eth0 – lan0',
    'create address web.eth0 10.0.0.2/24',
    'create address client.eth0 10.0.0.1/24',
    'create route web 0.0.0.0/0 10.0.0.1',
    'create forward 127.0.0.1:8080 client 10.0.0.2:80',
  ]);
  const seen = new Set<string>();
  for (const object of all) {
    for (const id of object.needs) assert.ok(seen.has(id), `${object.id} needs ${id}`);
    seen.add(object.id);
  }
});

test('ending is the difference to nothing, in the opposite order', () => {
  const all = objects();
  assert.deepEqual(
    diff(all, []),
    [...all].reverse().map(({ id }) => `delete ${id}`),
  );
});

test('nothing is done for what stays', () => {
  assert.deepEqual(diff(objects(), objects()), []);
});

test('only what has changed is touched', () => {
  const after = objects((copy) => {
    copy.stacks!.web!.forwarding = true;
    copy.stacks!.client!.interfaces!.eth0!.address = ['10.0.0.1/24', '10.0.1.1/24'];
  });
  assert.deepEqual(diff(objects(), after), ['update stack web', 'create address client.eth0 10.0.1.1/24']);
});

test('what needs an object that is made anew is made anew as well', () => {
  const after = objects((copy) => {
    copy.stacks!.web!.interfaces!.eth0!.mtu = 9000;
  });
  assert.deepEqual(diff(objects(), after), [
    'delete route web 0.0.0.0/0 10.0.0.1',
    'delete address web.eth0 10.0.0.2/24',
    'delete link web.eth0 – lan0',
    'create link web.eth0 – lan0',
    'create address web.eth0 10.0.0.2/24',
    'create route web 0.0.0.0/0 10.0.0.1',
  ]);
});

test('a link between two stacks is one object, whichever end names the other', () => {
  const both = { type: 'veth', peer: 'b.e' } as const;
  const one = listObjects(
    resolveConfig({ stacks: { a: { interfaces: { e: both } }, b: { interfaces: { e: { type: 'veth' } } } } }),
  );
  const two = listObjects(
    resolveConfig({
      stacks: { a: { interfaces: { e: both } }, b: { interfaces: { e: { type: 'veth', peer: 'a.e' } } } },
    }),
  );
  assert.deepEqual(one, two);
  assert.deepEqual(
    one.map(({ id }) => id),
    ['stack a', 'stack b', 'link a.e – b.e'],
  );
});
