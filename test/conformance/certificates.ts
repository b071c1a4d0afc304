/** The keys and certificates of the TLS cases; see fixture/README.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootPath } from '../support/paths.js';

function read(name: string): string {
  return readFileSync(join(rootPath, 'test/conformance/fixture', `${name}.pem`), 'utf8');
}

export const ca = read('ca-cert');
export const server = { key: read('server-key'), cert: read('server-cert') };
export const other = { key: read('other-key'), cert: read('other-cert') };
export const client = { key: read('client-key'), cert: read('client-cert') };
