/** The hosts file of the machine: names that need no name server. It is read again when it has changed. */
import { readFileSync, statSync } from 'node:fs';
import { parseAddressWords } from '../../session/address.js';

const HOSTS_PATH = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';

let names = new Map<string, string[]>();
let readAtMs = -1;

/** Addresses of a name in the order of the file. */
export function findInHostsFile(name: string): readonly string[] {
  const { mtimeMs = -1 } = statSync(HOSTS_PATH, { throwIfNoEntry: false }) ?? {};
  if (mtimeMs !== readAtMs) {
    names = mtimeMs < 0 ? new Map() : parseHosts(readFileSync(HOSTS_PATH, 'utf8'));
    readAtMs = mtimeMs;
  }
  return names.get(name.toLowerCase()) ?? [];
}

export function parseHosts(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (parseAddressWords(address) === undefined) continue;
    for (const alias of aliases) {
      const key = alias.toLowerCase();
      found.set(key, [...(found.get(key) ?? []), address]);
    }
  }
  return found;
}
