/** Where the control socket is when nobody says so. */
import { existsSync, lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { UsernetError } from '../base/errors.js';

/** The longest path that a Unix socket can have: `sun_path` less its final zero. */
export const MAX_SOCKET_PATH_BYTES = 107;

const FILE_NAME = 'usernet.sock';

/** The well-known path: in the user's runtime directory, else in a directory of the user's own under the temporary one. */
export function defaultControlPath(): string {
  const runtime = process.env.XDG_RUNTIME_DIR;
  // Set by a login whose session has ended, or taken over by sudo.
  const isThere = runtime !== undefined && runtime !== '' && existsSync(runtime);
  return join(isThere ? runtime : temporaryDirectory(), FILE_NAME);
}

/** The path for a process whose well-known one is taken by another. */
export function ownControlPath(): string {
  return join(dirname(defaultControlPath()), `usernet-${process.pid}.sock`);
}

/** Makes the directory of a default path. Throws USERNET_CONTROL when somebody else could put things there. */
export function prepareControlDirectory(path: string): void {
  const directory = dirname(path);
  if (!isTemporary(directory)) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(directory);
  if (uid === userInfo().uid && (mode & 0o022) === 0) return;
  throw new UsernetError(
    'USERNET_CONTROL',
    `${directory} is not this user's alone`,
    'remove it, set XDG_RUNTIME_DIR, or choose another path with control:',
  );
}

/** Removes what prepareControlDirectory made, unless another network is still there. */
export function removeControlDirectory(path: string): void {
  const directory = dirname(path);
  if (!isTemporary(directory)) return;
  try {
    rmdirSync(directory);
  } catch {
    // It is not empty, or gone.
  }
}

function isTemporary(directory: string): boolean {
  return directory === temporaryDirectory();
}

/** The directory that is made for the user under the temporary one. */
function temporaryDirectory(): string {
  return join(tmpdir(), `usernet-${userInfo().uid}`);
}
