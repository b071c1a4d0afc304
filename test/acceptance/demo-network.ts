/** The demo as `usernet up` starts it, at a free port of the machine, for tests that use it from outside. */
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Place, type Running } from '../cli/usernet.js';
import { rootPath } from '../support/paths.js';
import { childrenOf } from './process-table.js';

/** examples/demo.yaml with another port, for a network that starts in any directory. */
export function demoYaml(): string {
  const yaml = readFileSync(`${rootPath}/examples/demo.yaml`, 'utf8');
  return yaml
    .replace('127.0.0.1:8080"', '127.0.0.1:0"')
    .replace('examples/hello-server.js', `${rootPath}/examples/hello-server.js`);
}

/** The `ready` line of `usernet up --json`. */
export interface Ready {
  readonly event: 'ready';
  readonly control: string;
  readonly forwards: readonly { readonly listen: string; readonly to: string; readonly from: string }[];
}

export class Demo {
  readonly running: Running;
  /** First line of stdout, as it was written. */
  readonly firstLine: string;
  readonly ready: Ready;

  private constructor(running: Running, firstLine: string) {
    this.running = running;
    this.firstLine = firstLine;
    this.ready = JSON.parse(firstLine);
  }

  /** @param node which Node runs it. */
  static async start(t: TestContext, node?: string): Promise<Demo> {
    const place = new Place(t, node);
    const running = place.start(t, 'up', place.write('demo.yaml', demoYaml()), '--json');
    const [line] = await running.said(/^.*\n/);
    return new Demo(running, line.trimEnd());
  }

  /** Where the web server is reached from outside. */
  get port(): number {
    return Number(this.ready.forwards[0]!.listen.split(':')[1]);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The network's process and those of its programs. */
  get pids(): number[] {
    const pid = this.running.child.pid!;
    return [pid, ...childrenOf(pid)];
  }
}
