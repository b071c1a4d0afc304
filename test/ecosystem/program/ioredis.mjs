import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Redis } from 'ioredis';
import { listen, pattern } from './tools.mjs';

/** Passes connections on to the Unix socket of a real redis-server, which no stack in user space touches. */
export function serve(host, port) {
  const server = net.createServer((outer) => {
    const inner = net.connect({ path: process.env.REDIS_SOCKET });
    outer.pipe(inner).pipe(outer);
    inner.on('error', () => outer.destroy());
    outer.on('error', () => inner.destroy());
  });
  return listen(server, host, port);
}

export async function use(host, port) {
  const redis = new Redis({ host, port, lazyConnect: true });
  await redis.connect();
  const prefix = `test:${process.pid}:`;

  assert.equal(await redis.set(`${prefix}name`, 'usernet'), 'OK');
  assert.equal(await redis.get(`${prefix}name`), 'usernet');
  const large = pattern(2_000_000);
  await redis.set(`${prefix}large`, large);
  assert.ok(large.equals(await redis.getBuffer(`${prefix}large`)));

  const pipeline = redis.pipeline();
  for (let i = 0; i < 1000; i++) pipeline.incr(`${prefix}counter`);
  const counts = await pipeline.exec();
  assert.deepEqual(counts.at(-1), [null, 1000]);
  await assert.rejects(redis.lpush(`${prefix}name`, 'x'), /WRONGTYPE/);

  const subscriber = redis.duplicate();
  await subscriber.subscribe(`${prefix}news`);
  const message = once(subscriber, 'message');
  await redis.publish(`${prefix}news`, 'hello');
  assert.deepEqual(await message, [`${prefix}news`, 'hello']);

  const worker = redis.duplicate();
  const popped = worker.blpop(`${prefix}queue`, 10);
  await redis.rpush(`${prefix}queue`, 'job');
  assert.deepEqual(await popped, [`${prefix}queue`, 'job']);
  const keys = await redis.keys(`${prefix}*`);
  await redis.del(...keys);
  await Promise.all([redis.quit(), subscriber.quit(), worker.quit()]);
}
