/** Runs the compiled `usernet` command as a process of its own, and waits for what it says instead of for time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const MAIN_URL = new URL('../../src/cli/main.js', import.meta.url).href;
const RUN_MAIN = `import { main } from ${JSON.stringify(MAIN_URL)}; process.exitCode = await main(process.argv.slice(1));`;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place of a test's own: its folder, where the default control socket is too. */
export class Place {
  readonly folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #node: string;

  /** @param node which Node runs the command. */
  constructor(t: TestContext, node = process.execPath) {
    this.#node = node;
    this.folder = mkdtempSync(join(tmpdir(), 'usernet-cli-'));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.#environment = { ...process.env, XDG_RUNTIME_DIR: this.folder };
    delete this.#environment.NODE_OPTIONS;
    delete this.#environment.USERNET_CONTROL;
  }

  /** Writes a file and returns its path. */
  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }

  start(t: TestContext, ...args: string[]): Running {
    const child = spawn(this.#node, ['--input-type=module', '--eval', RUN_MAIN, '--', ...args], {
      cwd: this.folder,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = new Running(child);
    t.after(() => running.kill());
    return running;
  }

  /** Runs a command to its end. */
  run(t: TestContext, ...args: string[]): Promise<Outcome> {
    return this.start(t, ...args).ended;
  }
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  #stdout = '';
  #stderr = '';
  #isOver = false;
  #watchers: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#notify();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#notify();
    });
    this.ended = new Promise((done) => {
      child.once('close', (code) => {
        this.#isOver = true;
        this.#notify();
        done({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until stdout matches. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      if (this.#isOver) throw new Error(`it ended without ${pattern}: ${this.#stdout}${this.#stderr}`);
      await new Promise<void>((done) => this.#watchers.push(done));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#isOver) return;
    this.child.kill('SIGKILL');
    await this.ended;
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}
