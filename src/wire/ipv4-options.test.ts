import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkIpv4 } from './ipv4.js';
import {
  checkIpv4Options,
  findIpv4Option,
  firstIpv4Option,
  Ipv4Option,
  Ipv4OptionsCheck,
  ipv4OptionType,
  nextIpv4Option,
  writeIpv4FragmentOptions,
} from './ipv4-options.js';

const AT = 4;

/** A packet at offset 4 whose header holds these options, padded with zeros, and 40 bytes of room behind it. */
function packetWith(...options: number[]): DataView {
  const headerBytes = 20 + ((options.length + 3) & ~3);
  const view = new DataView(new ArrayBuffer(AT + headerBytes + 40));
  view.setUint8(AT, 0x40 | (headerBytes >>> 2));
  view.setUint16(AT + 2, headerBytes);
  new Uint8Array(view.buffer).set(options, AT + 20);
  assert.equal(checkIpv4(view, AT, headerBytes), 0);
  return view;
}

function typesOf(view: DataView): number[] {
  const types: number[] = [];
  let option = firstIpv4Option(view, AT);
  for (; option > 0; option = nextIpv4Option(view, AT, option)) types.push(ipv4OptionType(view, option));
  return option === 0 ? types : [...types, -1];
}

test('a walk gives all options but padding, until the end mark or the end of the header', () => {
  assert.deepEqual(typesOf(packetWith()), []);
  assert.deepEqual(typesOf(packetWith(1, 1, 1, 1)), []);
  assert.deepEqual(typesOf(packetWith(1, 7, 3, 4, 1, 148, 4, 0, 0)), [7, 148]);
  assert.deepEqual(typesOf(packetWith(148, 4, 0, 0, 0, 7, 3, 4)), [148], 'behind the end mark');
  const full = packetWith(...new Array<number[]>(20).fill([130, 2]).flat());
  assert.equal(typesOf(full).length, 20);
});

test('a bad length ends the walk', () => {
  for (const options of [
    [7, 0],
    [7, 1],
    [7, 5],
    [1, 1, 1, 7],
    [148, 4, 0, 0, 7, 200],
  ]) {
    assert.equal(checkIpv4Options(packetWith(...options), AT), Ipv4OptionsCheck.badLength, `${options}`);
  }
  assert.equal(checkIpv4Options(packetWith(148, 4, 0, 0), AT), Ipv4OptionsCheck.ok);
  assert.deepEqual(typesOf(packetWith(148, 4, 0, 0, 7, 200)), [148, -1]);
});

test('an option is found by its type', () => {
  const view = packetWith(1, 7, 3, 4, 148, 4, 0, 0);
  assert.equal(findIpv4Option(view, AT, Ipv4Option.routerAlert), AT + 24);
  assert.equal(findIpv4Option(view, AT, Ipv4Option.strictSourceRoute), 0);
  assert.equal(findIpv4Option(packetWith(7, 0, 148, 4, 0, 0), AT, Ipv4Option.routerAlert), 0);
});

test('fragments carry the options that have the copied flag', () => {
  const view = packetWith(7, 3, 4, 131, 7, 4, 10, 0, 0, 1, 68, 4, 5, 0);
  const to = view.byteLength - 40;
  new Uint8Array(view.buffer, to).fill(0xaa);
  assert.equal(writeIpv4FragmentOptions(view, AT, to), 8);
  assert.deepEqual([...new Uint8Array(view.buffer, to, 9)], [131, 7, 4, 10, 0, 0, 1, 0, 0xaa]);
  const none = packetWith(7, 3, 4);
  assert.equal(writeIpv4FragmentOptions(none, AT, none.byteLength - 40), 0);
});
