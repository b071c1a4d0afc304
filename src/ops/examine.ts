/** What usernet finds on this machine: for `usernet doctor`. */
import { createRequire } from 'node:module';
import { availableParallelism, freemem } from 'node:os';
import { defaultControlPath } from '../config/control-path.js';
import { makeKernels } from '../kernels/kernels.js';

export interface Finding {
  readonly name: string;
  /** limited: something that not everybody needs is not there. */
  readonly status: 'ok' | 'limited' | 'missing';
  readonly found: string;
  readonly hint?: string;
}

const LEAST_NODE = [20, 19] as const;
/** The Node releases that the tests run on. */
const TESTED_MAJORS = [20, 22, 24, 26];

export async function examine(): Promise<Finding[]> {
  return [
    examineNode(),
    examinePermissions(),
    examineBinding(),
    examineKernels(),
    examineKoffi(),
    { name: 'control socket', status: 'ok', found: defaultControlPath() },
    {
      name: 'machine',
      status: 'ok',
      found: `${availableParallelism()} cores, ${Math.round(freemem() / 2 ** 20)} MiB free`,
    },
  ];
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const found = `v${process.versions.node}`;
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
    return { name: 'Node', status: 'missing', found, hint: `install ${LEAST_NODE.join('.')} or newer` };
  }
  if (TESTED_MAJORS.includes(major)) return { name: 'Node', status: 'ok', found };
  return { name: 'Node', status: 'limited', found, hint: `tested on ${TESTED_MAJORS.join(', ')}` };
}

function examinePermissions(): Finding {
  const isOn = 'permission' in process && process.permission !== undefined;
  if (!isOn) return { name: 'permission model', status: 'ok', found: 'off' };
  const hint = 'run node without --permission: it refuses the binding that sockets stand on';
  return { name: 'permission model', status: 'missing', found: 'on', hint };
}

/** Where a program's sockets are led to the stack. */
function examineBinding(): Finding {
  const name = 'socket binding';
  try {
    const binding = (process as unknown as { binding(name: string): Record<string, unknown> }).binding;
    const hasTcp = typeof binding('tcp_wrap').TCP === 'function';
    const hasStream = typeof binding('js_stream').JSStream === 'function';
    if (!hasTcp || !hasStream) return { name, status: 'missing', found: 'tcp_wrap or js_stream lacks its class' };
    const reportsErrors = 'kLastWriteErr' in binding('stream_wrap');
    return {
      name,
      status: 'ok',
      found: reportsErrors ? 'tcp_wrap, writes of Node 26' : 'tcp_wrap, writes of Node 20 to 24',
    };
  } catch (error) {
    return { name, status: 'missing', found: (error as Error).message };
  }
}

function examineKernels(): Finding {
  const name = 'WebAssembly SIMD';
  try {
    makeKernels(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    return { name, status: 'ok', found: 'the kernels run' };
  } catch (error) {
    const hint = 'the TypeScript twins are used: correct, but slower';
    return { name, status: 'limited', found: (error as Error).message, hint };
  }
}

function examineKoffi(): Finding {
  const name = 'koffi';
  try {
    const koffi = createRequire(import.meta.url)('koffi') as { version?: string };
    return { name, status: 'ok', found: `v${koffi.version ?? '?'}` };
  } catch {
    const hint = 'npm install koffi, for devices of the host: TAP, TUN, AF_PACKET, AF_XDP';
    return { name, status: 'limited', found: 'not installed', hint };
  }
}
