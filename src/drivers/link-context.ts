import type { NodeContext } from '../graph/node.js';
import type { Kernels } from '../kernels/kernels.js';
import type { InterfaceTable } from './interface-table.js';

/** What nodes that deal with interfaces are given. Higher layers extend it by their own tables. */
export interface LinkContext extends NodeContext {
  readonly interfaces: InterfaceTable;
  readonly kernels: Kernels;
}
