import type { LinkContext } from '../drivers/link-context.js';
import type { BridgeTable } from './bridge-table.js';

/** What nodes of bridge domains are given. */
export interface L2Context extends LinkContext {
  readonly bridges: BridgeTable;
}
