// Runs servers and clients made with well-known packages. Nothing in this folder knows of usernet.
//
//   main.mjs both HOST NAME…    each server and its client, one after the other, in this process
//   main.mjs serve HOST NAME…   the servers, each at its port, until SIGTERM
//   main.mjs use HOST NAME…     the clients of these servers
//
// NAME may be NAME=PORT. Prints one JSON object for each name, and ends by itself when nothing is left to do.
const [role, host, ...names] = process.argv.slice(2);

/** Where the servers of `serve` listen. */
const PORTS = { express: 8001, fastify: 8002, undici: 8003, ws: 8004, ioredis: 8005, tls: 8006, http2: 8007 };

/** Gives the port that was used. */
async function run(name, port) {
  const { serve, use } = await import(`./${name}.mjs`);
  if (role === 'use') {
    await use(host, port);
    return port;
  }
  const server = await serve(host, role === 'both' ? 0 : port);
  if (role === 'serve') {
    process.once('SIGTERM', () => server.close());
    return server.port;
  }
  try {
    await use(host, server.port);
  } finally {
    await server.close();
  }
  return server.port;
}

for (const each of names) {
  const [name, givenPort] = each.split('=');
  try {
    const port = await run(name, Number(givenPort ?? PORTS[name]));
    console.log(JSON.stringify({ name, ok: true, port }));
  } catch (error) {
    console.log(JSON.stringify({ name, ok: false, error: String(error?.stack ?? error) }));
    process.exitCode = 1;
  }
}
if (role === 'serve') console.log(JSON.stringify({ event: 'serving' }));
