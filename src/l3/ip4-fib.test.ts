import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, seededRandom } from '../base/random.js';
import { Arena } from '../mem/arena.js';
import { ipv4Network } from '../wire/address.js';
import { Ip4Fib } from './ip4-fib.js';
import { Ip4Rib, type Ip4Route, RouteOrigin } from './ip4-rib.js';
import { ip } from './testing/l3-lab.js';

function makeFib(): Ip4Fib {
  const fib = new Ip4Fib(new Arena(64 << 20), 4);
  fib.addVrf(0);
  return fib;
}

function makeRoute(network: number, prefixLength: number, adjacency: number, metric = 0): Ip4Route {
  const origin = RouteOrigin.static;
  return {
    network,
    prefixLength,
    kind: 'unicast',
    origin,
    metric,
    via: undefined,
    boundTo: 0,
    interface: 0,
    adjacency,
  };
}

/** Longest prefix by looking at all of them; of one prefix the lowest metric. */
function naive(routes: readonly Ip4Route[], address: number): number {
  let best: Ip4Route | undefined;
  for (const route of routes) {
    if (route.adjacency === 0 || ipv4Network(address, route.prefixLength) !== route.network) continue;
    const isBetter =
      best === undefined ||
      route.prefixLength > best.prefixLength ||
      (route.prefixLength === best.prefixLength && route.metric < best.metric);
    if (isBetter) best = route;
  }
  return best?.adjacency ?? 0;
}

test('the longest matching prefix wins (RFC 1812 section 5.2.4.3)', () => {
  const fib = makeFib();
  fib.set(0, 0, 0, 1);
  fib.set(0, ip('10.0.0.0'), 8, 2);
  fib.set(0, ip('10.1.0.0'), 16, 3);
  fib.set(0, ip('10.1.2.0'), 23, 4);
  fib.set(0, ip('10.1.2.128'), 25, 5);
  fib.set(0, ip('10.1.2.200'), 32, 6);
  const lookup = (text: string): number => fib.lookup(0, ip(text));
  assert.equal(lookup('9.255.255.255'), 1);
  assert.equal(lookup('10.255.0.1'), 2);
  assert.equal(lookup('10.1.255.255'), 3);
  assert.equal(lookup('10.1.3.255'), 4);
  assert.equal(lookup('10.1.2.199'), 5);
  assert.equal(lookup('10.1.2.200'), 6);
  assert.equal(lookup('11.0.0.0'), 1);
});

test('a shorter prefix added later does not hide a longer one', () => {
  const fib = makeFib();
  fib.set(0, ip('10.1.2.0'), 24, 2);
  fib.set(0, ip('10.0.0.0'), 9, 3);
  assert.equal(fib.lookup(0, ip('10.1.2.3')), 2);
  assert.equal(fib.lookup(0, ip('10.1.3.3')), 3);
});

test('VRFs do not see each other, and a removed one leaves a clean root to the next', () => {
  const fib = makeFib();
  fib.addVrf(1);
  fib.set(1, ip('10.0.0.0'), 8, 7);
  assert.equal(fib.lookup(0, ip('10.0.0.1')), 0);
  fib.remove(1, ip('10.0.0.0'), 8, 0, 0);
  fib.removeVrf(1);
  fib.addVrf(2);
  assert.equal(fib.lookup(2, ip('10.0.0.1')), 0);
});

test('blocks are given back when the prefixes that needed them are gone', () => {
  const fib = makeFib();
  const rib = new Ip4Rib(fib, 1);
  const cover = makeRoute(ip('10.0.0.0'), 8, 1);
  rib.add(cover);
  const routes = ['10.1.1.0', '10.1.2.0', '10.2.2.128'].map((text, i) => makeRoute(ip(text), 24 + i, i + 2));
  for (const route of routes) rib.add(route);
  assert.ok(fib.blockBytes > 0);
  for (const route of routes) rib.remove(route);
  assert.equal(fib.blockBytes, 0);
  assert.equal(fib.lookup(1, ip('10.1.1.1')), 1);
});

// Prefixes crowd into few bits, so that they nest and cover each other often.
for (const seed of [1, 2, 3, 4]) {
  test(`lookups agree with a naive longest match through random additions and removals (seed ${seed})`, () => {
    const random = seededRandom(seed);
    const fib = makeFib();
    const rib = new Ip4Rib(fib, 1);
    const routes: Ip4Route[] = [];
    const somewhere = (): number =>
      ((10 << 24) | (randomBelow(random, 4) << 14) | (randomBelow(random, 8) << 6) | randomBelow(random, 256)) >>> 0;
    for (let step = 0; step < 1500; step++) {
      if (routes.length > 0 && randomBelow(random, 5) < 2) {
        const [route] = routes.splice(randomBelow(random, routes.length), 1);
        rib.remove(route!);
      } else if (routes.length > 0 && randomBelow(random, 5) === 0) {
        rib.activate(routes[randomBelow(random, routes.length)]!, randomBelow(random, 3));
      } else {
        const prefixLength = randomBelow(random, 33);
        const network = ipv4Network(somewhere(), prefixLength);
        const isThere = (metric: number): boolean =>
          routes.some((r) => r.network === network && r.prefixLength === prefixLength && r.metric === metric);
        const metric = [0, 1, 2].find((each) => !isThere(each));
        if (metric === undefined) continue;
        const route = makeRoute(network, prefixLength, 1 + randomBelow(random, 1000), metric);
        routes.push(route);
        rib.add(route);
      }
      for (let probe = 0; probe < 20; probe++) {
        const address = probe === 0 ? random.uint32() : somewhere();
        assert.equal(fib.lookup(1, address), naive(routes, address), `step ${step}, address ${address}`);
      }
    }
    for (const route of routes) rib.remove(route);
    assert.equal(fib.blockBytes, 0);
    const words = fib.words.subarray(fib.roots[1]!, fib.roots[1]! + 65_536);
    assert.ok(words.every((word) => word === 0));
    assert.equal(fib.lookup(1, somewhere()), 0);
  });
}
