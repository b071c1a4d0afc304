/** dgram. */
import type { RemoteInfo, Socket } from 'node:dgram';
import type { Cases, NetworkApi, Trace } from '../api.js';
import { delay, once, thrown } from '../tools.js';

async function bound(api: NetworkApi, trace: Trace, name: string, options: object = {}): Promise<Socket> {
  const socket = api.dgram.createSocket({ type: 'udp4', ...options });
  const listening = once(socket, 'listening');
  socket.bind(0, api.host);
  await listening;
  trace.namePort(socket.address().port, name);
  return socket;
}

const close = (socket: Socket): Promise<void> => new Promise((resolve) => socket.close(() => resolve()));

export const dgramCases: Cases = {
  'dgram: a message and its answer': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    b.on('message', (message, remote) => {
      t.note('b', String(message), remote);
      b.send('answer', remote.port, remote.address, (error, bytes) => t.note('b', 'sent', error, bytes));
    });
    a.send('question', b.address().port, api.host, (error, bytes) => t.note('a', 'sent', error, bytes));
    const [message, remote] = (await once(a, 'message')) as [Buffer, RemoteInfo];
    t.note('a', String(message), remote);
    await Promise.all([close(a), close(b)]);
  },
  'dgram: events and addresses': async (api, t) => {
    const socket = api.dgram.createSocket('udp4');
    t.watch('socket', socket, 'listening', 'close', 'error');
    t.note(
      'socket',
      thrown(() => socket.address()),
    );
    socket.bind(0, api.host, () => t.note('socket', 'callback'));
    await once(socket, 'listening');
    t.note('socket', { ...socket.address(), port: socket.address().port > 0 });
    socket.close(() => t.note('socket', 'closed'));
    await once(socket, 'close');
    t.note(
      'socket',
      thrown(() => socket.address()),
    );
    t.note(
      'socket',
      thrown(() => socket.close()),
    );
  },
  'dgram: sending binds': async (api, t) => {
    const b = await bound(api, t, 'b');
    const a = api.dgram.createSocket('udp4');
    t.watch('a', a, 'listening', 'close');
    a.send('x', b.address().port, api.host);
    const [message, remote] = (await once(b, 'message')) as [Buffer, RemoteInfo];
    t.note('b', message, remote.address, remote.port === a.address().port, a.address().address);
    await Promise.all([close(a), close(b)]);
  },
  'dgram: an address in use': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = api.dgram.createSocket('udp4');
    b.bind(a.address().port, api.host);
    const [error] = await once(b, 'error');
    t.note('b', error);
    await Promise.all([close(a), close(b)]);
  },
  'dgram: an address of another host': async (api, t) => {
    const a = api.dgram.createSocket('udp4');
    a.bind(0, '192.0.2.77');
    const [error] = await once(a, 'error');
    t.note('a', error);
    await close(a);
  },
  'dgram: bound twice throws': async (api, t) => {
    const a = await bound(api, t, 'a');
    t.note(
      'a',
      thrown(() => a.bind(0)),
    );
    await close(a);
  },
  'dgram: lists, offsets and views': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    const messages: string[] = [];
    b.on('message', (message) => messages.push(String(message)));
    const { port } = b.address();
    a.send(['one', Buffer.from(' two '), new Uint8Array([51])], port, api.host);
    a.send(Buffer.from('..middle..'), 2, 6, port, api.host);
    a.send(new DataView(new Uint8Array([65, 66]).buffer), port, api.host);
    a.send('', port, api.host);
    a.send([], port, api.host, (error, bytes) => t.note('a', error, bytes));
    while (messages.length < 5) await once(b, 'message');
    t.note('b', messages);
    await Promise.all([close(a), close(b)]);
  },
  'dgram: an empty message': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    a.send(Buffer.alloc(0), b.address().port, api.host);
    const [message, remote] = (await once(b, 'message')) as [Buffer, RemoteInfo];
    t.note('b', message.length, remote);
    await Promise.all([close(a), close(b)]);
  },
  'dgram: the longest message, and a longer one': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    a.send(Buffer.alloc(65_507, 7), b.address().port, api.host, (error, bytes) => t.note('a', error, bytes));
    const [message] = (await once(b, 'message')) as [Buffer];
    t.note('b', message.length, message[65_506]);
    await new Promise<void>((resolve) => {
      a.send(Buffer.alloc(65_508), b.address().port, api.host, (error, bytes) => {
        t.note('a', error, bytes);
        resolve();
      });
    });
    await Promise.all([close(a), close(b)]);
  },
  'dgram: connected': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    t.note(
      'a',
      thrown(() => a.remoteAddress()),
    );
    a.connect(b.address().port, api.host);
    await once(a, 'connect');
    t.note('a', a.remoteAddress());
    a.send('to peer', (error, bytes) => t.note('a', error, bytes));
    const [message] = (await once(b, 'message')) as [Buffer];
    t.note('b', String(message));
    t.note(
      'a',
      thrown(() => a.send('x', b.address().port, api.host)),
    );
    t.note(
      'a',
      thrown(() => a.connect(1, api.host)),
    );
    a.disconnect();
    t.note(
      'a',
      thrown(() => a.remoteAddress()),
      thrown(() => a.disconnect()),
    );
    await Promise.all([close(a), close(b)]);
  },
  'dgram: connected without a bind': async (api, t) => {
    const b = await bound(api, t, 'b');
    const a = api.dgram.createSocket('udp4');
    a.connect(b.address().port, api.host, () => t.note('a', 'connect'));
    await once(a, 'connect');
    t.note('a', a.address().address, a.remoteAddress());
    await Promise.all([close(a), close(b)]);
  },
  'dgram: a connected socket takes only its peer': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    const c = await bound(api, t, 'c');
    a.connect(b.address().port, api.host);
    await once(a, 'connect');
    const messages: string[] = [];
    a.on('message', (message) => messages.push(String(message)));
    c.send('stranger', a.address().port, api.host);
    await delay(5);
    b.send('peer', a.address().port, api.host);
    await once(a, 'message');
    t.note('a', messages);
    await Promise.all([close(a), close(b), close(c)]);
  },
  'dgram: a connected socket hears that nobody is there': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    const { port } = b.address();
    await close(b);
    a.connect(port, api.host);
    await once(a, 'connect');
    a.send('x');
    const [error] = await once(a, 'error');
    t.note('a', error);
    await close(a);
  },
  'dgram: to a closed port without a connection nothing happens': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    const { port } = b.address();
    await close(b);
    t.watch('a', a, 'error');
    await new Promise<void>((resolve) => {
      a.send('x', port, api.host, (error, bytes) => {
        t.note('a', error, bytes);
        resolve();
      });
    });
    await delay(5);
    await close(a);
  },
  'dgram: bad arguments throw': async (api, t) => {
    const a = await bound(api, t, 'a');
    t.note(
      'a',
      thrown(() => api.dgram.createSocket('udp5' as never)),
    );
    t.note(
      'a',
      thrown(() => a.send('x', 0, api.host)),
    );
    t.note(
      'a',
      thrown(() => a.send('x', 65_536, api.host)),
    );
    t.note(
      'a',
      thrown(() => a.send(5 as never, 1, api.host)),
    );
    t.note(
      'a',
      thrown(() => a.setTTL(0)),
    );
    t.note(
      'a',
      thrown(() => a.setTTL(256)),
    );
    t.note(
      'a',
      thrown(() => a.setMulticastTTL(256)),
    );
    await close(a);
  },
  'dgram: options before a bind': async (api, t) => {
    const a = api.dgram.createSocket('udp4');
    t.note(
      'a',
      thrown(() => a.setTTL(5)),
    );
    t.note(
      'a',
      thrown(() => a.setBroadcast(true)),
    );
    t.note(
      'a',
      thrown(() => a.getRecvBufferSize()),
    );
    await close(a);
  },
  'dgram: options': async (api, t) => {
    const a = await bound(api, t, 'a');
    t.note('a', a.setTTL(5), a.setMulticastTTL(7), a.setMulticastLoopback(true), a.setBroadcast(true));
    t.note('a', a.getSendQueueSize(), a.getSendQueueCount(), a.ref() === a, a.unref() === a);
    t.note('a', a.getRecvBufferSize() > 0, a.getSendBufferSize() > 0);
    await close(a);
  },
  'dgram: broadcast needs the option': async (api, t) => {
    const a = api.dgram.createSocket('udp4');
    await new Promise<void>((resolve) => {
      a.send('x', 9, '255.255.255.255', (error) => {
        t.note('a', (error as NodeJS.ErrnoException | null)?.code);
        resolve();
      });
    });
    await close(a);
  },
  'dgram: an aborted signal closes': async (api, t) => {
    const controller = new AbortController();
    const a = await bound(api, t, 'a', { signal: controller.signal });
    t.watch('a', a, 'close', 'error');
    controller.abort();
    await once(a, 'close');
  },
  'dgram: many messages arrive in order': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    const numbers: number[] = [];
    b.on('message', (message) => numbers.push(message.readUInt16BE()));
    for (let i = 0; i < 200; i++) {
      const message = Buffer.alloc(100);
      message.writeUInt16BE(i);
      a.send(message, b.address().port, api.host);
    }
    while (numbers.length < 200) await once(b, 'message');
    t.note(
      'b',
      numbers.every((number, i) => number === i),
    );
    await Promise.all([close(a), close(b)]);
  },
  'dgram: a name is looked up': async (api, t) => {
    const b = await bound(api, t, 'b');
    const a = api.dgram.createSocket({
      type: 'udp4',
      lookup: (name, _options, callback) => {
        t.note('lookup', name);
        callback(null, api.host, 4);
      },
    });
    a.send('x', b.address().port, 'somewhere.test', (error, bytes) => t.note('a', error, bytes));
    await once(b, 'message');
    await Promise.all([close(a), close(b)]);
  },
  'dgram: received messages do not change later': async (api, t) => {
    const a = await bound(api, t, 'a');
    const b = await bound(api, t, 'b');
    const kept: Buffer[] = [];
    b.on('message', (message) => kept.push(message));
    for (let i = 0; i < 20; i++) {
      a.send(Buffer.alloc(2_000, i), b.address().port, api.host);
      if (i % 4 === 3) await delay(1);
    }
    while (kept.length < 20) await once(b, 'message');
    t.note(
      'b',
      kept.map((message, i) => message.length === 2_000 && message.every((byte) => byte === i)),
    );
    await Promise.all([close(a), close(b)]);
  },
};
