/**
 * An API failure of usernet's own. `code` is stable and begins with `USERNET_`; socket failures carry Node's codes
 * (ECONNREFUSED …) instead and are built in sockets/.
 */
export class UsernetError extends Error {
  override readonly name = 'UsernetError';

  constructor(
    readonly code: `USERNET_${string}`,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}
