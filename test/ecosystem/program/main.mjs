// Runs servers and clients made with well-known packages. Nothing in this folder knows of usernet.
//
//   main.mjs both HOST NAME…    each server and its client, one after the other, in this process
//   main.mjs serve HOST NAME…   the servers, each at its port, until SIGTERM
//   main.mjs use HOST NAME…     the clients of these servers; HOST may be an address with a port
//
// Prints one JSON object for each name, and ends by itself when nothing is left to do.
const [role, host, ...names] = process.argv.slice(2);

/** Where the servers of `serve` listen. */
const PORTS = { express: 8001, fastify: 8002, undici: 8003, ws: 8004, ioredis: 8005, tls: 8006, http2: 8007 };

async function run(name) {
  const { serve, use } = await import(`./${name}.mjs`);
  if (role === 'use') {
    const [address, port = PORTS[name]] = host.split(':');
    return await use(address, Number(port));
  }
  const server = await serve(host, role === 'both' ? 0 : PORTS[name]);
  if (role === 'serve') {
    process.once('SIGTERM', () => server.close());
    return;
  }
  try {
    await use(host, server.port);
  } finally {
    await server.close();
  }
}

for (const name of names) {
  try {
    await run(name);
    console.log(JSON.stringify({ name, ok: true }));
  } catch (error) {
    console.log(JSON.stringify({ name, ok: false, error: String(error?.stack ?? error) }));
    process.exitCode = 1;
  }
}
if (role === 'serve') console.log(JSON.stringify({ event: 'serving' }));
