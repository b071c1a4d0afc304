import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHosts } from './hosts-file.js';
import { parseServer } from './parse-server.js';
import { reverseName } from './reverse-name.js';

test('hosts files: comments, several names, several addresses', () => {
  const names = parseHosts(
    '# comment\n127.0.0.1\tlocalhost\n 10.0.0.1  One  two # three\n10.0.0.2 one\n::1 ip6-localhost\nnothing here\n\n10.0.0.3',
  );
  assert.deepEqual(Object.fromEntries(names), {
    localhost: ['127.0.0.1'],
    one: ['10.0.0.1', '10.0.0.2'],
    two: ['10.0.0.1'],
    'ip6-localhost': ['::1'],
  });
});

test('name servers as text', () => {
  assert.deepEqual(parseServer('10.0.0.1'), { address: '10.0.0.1', port: 53 });
  assert.deepEqual(parseServer('10.0.0.1:5353'), { address: '10.0.0.1', port: 5353 });
  assert.deepEqual(parseServer('[2001:db8::1]:54'), { address: '2001:db8::1', port: 54 });
  assert.deepEqual(parseServer('[2001:db8::1]'), { address: '2001:db8::1', port: 53 });
});

test('names of addresses', () => {
  assert.equal(reverseName('10.0.0.1'), '1.0.0.10.in-addr.arpa');
  assert.equal(
    reverseName('2001:db8::567:89ab'),
    'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  );
});
