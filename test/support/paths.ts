/** Where things lie, seen from the compiled tests (build/test/…). */
import { fileURLToPath } from 'node:url';

/** Root of the checkout, without a trailing slash. Compiled, this file is build/test/support/paths.js. */
export const rootPath = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');

/** The command of the clone; it builds first when dist/ is out of date. */
export const usernetCommand = `${rootPath}/bin/usernet`;
