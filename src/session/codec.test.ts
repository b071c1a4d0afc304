import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddressWords, isAnyWords, isIpv4Words, parseAddressWords, wordsFromIpv4 } from './address.js';
import { Errno, errnoName } from './errno.js';
import { EventQueue } from './event-queue.js';
import {
  formatHandle,
  HandleKind,
  handleFromWords,
  handleGeneration,
  handleHighWord,
  handleIndex,
  handleKind,
  handleLowWord,
  handleWorker,
  MAX_HANDLE_GENERATION,
  MAX_HANDLE_INDEX,
  MAX_HANDLE_WORKER,
  makeHandle,
  nextGeneration,
} from './handle.js';
import { HandleTable } from './handle-table.js';
import {
  decodeMessage,
  encodeMessage,
  MESSAGE_WORDS,
  messageTypeName,
  SessionEvent,
  SessionMessage,
} from './message.js';
import { decodeText, encodeText } from './text.js';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const port = fc.integer({ min: 0, max: 65_535 });
const anyHandle = fc
  .tuple(
    fc.integer({ min: 0, max: MAX_HANDLE_WORKER }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: MAX_HANDLE_INDEX }),
    fc.integer({ min: 1, max: MAX_HANDLE_GENERATION }),
  )
  .map((parts) => ({ parts, handle: makeHandle(...parts) }));

describe('handles', () => {
  it('keep their parts, as one number and as two words', () => {
    fc.assert(
      fc.property(anyHandle, ({ parts, handle }) => {
        assert.ok(Number.isSafeInteger(handle) && handle > 0);
        const read = [handleWorker(handle), handleKind(handle), handleIndex(handle), handleGeneration(handle)];
        assert.deepEqual(read, parts);
        assert.equal(handleFromWords(handleLowWord(handle), handleHighWord(handle)), handle);
      }),
    );
  });

  it('have generations that never are 0', () => {
    assert.equal(nextGeneration(0), 1);
    assert.equal(nextGeneration(MAX_HANDLE_GENERATION), 1);
  });

  it('are written for people', () => {
    assert.equal(formatHandle(makeHandle(0, HandleKind.listener, 17, 2)), 'listener 17#2');
    assert.equal(formatHandle(makeHandle(3, HandleKind.session, 1, 1)), '3: session 1#1');
  });

  it('of a table die with their value, and an index comes back under another generation', () => {
    const table = new HandleTable<string>(1, HandleKind.listener);
    const seen = new Set<number>();
    for (let i = 0; i < 5_000; i++) {
      const first = table.add('a');
      const second = table.add('b');
      assert.equal(table.get(first), 'a');
      assert.ok(table.remove(first));
      assert.ok(!table.remove(first));
      assert.equal(table.get(first), undefined);
      assert.equal(table.get(second), 'b');
      assert.ok(!seen.has(first) && !seen.has(second), 'a handle came twice');
      seen.add(first).add(second);
      table.remove(second);
    }
    assert.equal(table.size, 0);
    assert.deepEqual([...table], []);
  });
});

describe('messages', () => {
  it('survive encoding', () => {
    const record = fc.record({
      type: port,
      flags: port,
      request: int32,
      session: anyHandle,
      errno: int32,
      payloadBytes: int32,
      value: int32,
      localPort: port,
      remotePort: port,
      local: fc.array(int32, { minLength: 4, maxLength: 4 }),
      remote: fc.array(int32, { minLength: 4, maxLength: 4 }),
    });
    fc.assert(
      fc.property(record, ({ session, local, remote, ...numbers }) => {
        const message = Object.assign(new SessionMessage(), numbers, { session: session.handle });
        message.local.set(local);
        message.remote.set(remote);
        const words = new Int32Array(3 * MESSAGE_WORDS);
        encodeMessage(message, words, MESSAGE_WORDS);
        const decoded = new SessionMessage();
        decodeMessage(words, MESSAGE_WORDS, decoded);
        assert.deepEqual(decoded, message);
      }),
    );
  });

  it('of any words can be decoded', () => {
    fc.assert(
      fc.property(fc.array(int32, { minLength: MESSAGE_WORDS, maxLength: MESSAGE_WORDS }), (words) => {
        const message = new SessionMessage();
        decodeMessage(Int32Array.from(words), 0, message);
        assert.ok(Number.isSafeInteger(message.session) && message.session >= 0);
      }),
    );
  });

  it('have names', () => {
    assert.equal(messageTypeName(SessionEvent.accepted), 'accepted');
    assert.equal(messageTypeName(999), 'type 999');
  });
});

describe('the event queue', () => {
  it('keeps order and payloads while it grows', () => {
    const queue = new EventQueue();
    const message = new SessionMessage();
    let pushed = 0;
    let shifted = 0;
    const push = (): void => {
      message.reset(SessionEvent.resolved).value = pushed;
      if (pushed % 3 === 0) message.payload = Uint8Array.of(pushed & 255);
      queue.push(message);
      pushed++;
    };
    const shift = (): void => {
      const event = queue.shift()!;
      assert.equal(event.value, shifted);
      assert.deepEqual([...event.payload], shifted % 3 === 0 ? [shifted & 255] : []);
      shifted++;
    };
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 17; i++) push();
      for (let i = 0; i < 5; i++) shift();
    }
    assert.equal(queue.length, pushed - shifted);
    while (queue.length > 0) shift();
    assert.equal(queue.shift(), undefined);
  });

  it('gives out an answer and leaves the rest as it was', () => {
    const queue = new EventQueue();
    const message = new SessionMessage();
    for (const [type, request] of [
      [SessionEvent.accepted, 7],
      [SessionEvent.failed, 6],
      [SessionEvent.listening, 7],
      [SessionEvent.readable, 0],
    ] as const) {
      message.reset(type).request = request;
      queue.push(message);
    }
    const answer = new SessionMessage();
    assert.ok(queue.takeAnswer(7, answer));
    assert.equal(answer.type, SessionEvent.listening);
    assert.ok(!queue.takeAnswer(7, answer));
    const left = Array.from({ length: queue.length }, () => queue.shift()!.type);
    assert.deepEqual(left, [SessionEvent.accepted, SessionEvent.failed, SessionEvent.readable]);
  });
});

describe('texts', () => {
  it('are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = encodeText(text);
        assert.deepEqual(encoded, Uint8Array.from(new TextEncoder().encode(text)));
        assert.equal(decodeText(encoded), new TextDecoder('utf-8', { ignoreBOM: true }).decode(encoded));
      }),
    );
  });

  it('survive bytes that are not UTF-8', () => {
    assert.equal(decodeText(Uint8Array.of(0x61, 0xff, 0xc0, 0x80, 0x62)), 'a\ufffd\ufffd\ufffdb');
    assert.equal(decodeText(Uint8Array.of(0xed, 0xa0, 0x80, 0xe2, 0x82)), '\ufffd\ufffd\ufffd\ufffd\ufffd');
  });
});

describe('addresses', () => {
  it('are read and written', () => {
    for (const text of ['10.0.0.1', '::', '::1', '2001:db8::ff00:42:8329', '255.255.255.255']) {
      assert.equal(formatAddressWords(parseAddressWords(text)!), text);
    }
    assert.equal(formatAddressWords(parseAddressWords('::ffff:10.0.0.1')!), '10.0.0.1');
    assert.equal(parseAddressWords('10.0.0.256'), undefined);
  });

  it('know what they are', () => {
    assert.ok(isIpv4Words(wordsFromIpv4(1)) && !isIpv4Words(parseAddressWords('::1')!));
    assert.ok(isAnyWords(parseAddressWords('::')!) && isAnyWords(wordsFromIpv4(0)) && !isAnyWords(wordsFromIpv4(1)));
  });
});

describe('errno', () => {
  it('has stable numbers', () => {
    assert.deepEqual([Errno.ECONNREFUSED, Errno.EADDRINUSE, Errno.ECANCELED], [111, 98, 125]);
    assert.deepEqual([errnoName(111), errnoName(0), errnoName(7777)], ['ECONNREFUSED', 'ok', 'EIO']);
  });
});
