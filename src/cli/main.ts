/** The `usernet` command. One file per subcommand; each returns its exit code. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../config/package-folder.js';
import { doctor } from './doctor.js';
import { ExitCode } from './output.js';
import { ping } from './ping.js';
import { run } from './run.js';
import { SHOW_TOPICS, show } from './show.js';
import { trace } from './trace.js';
import { up } from './up.js';

/** Runs the command line `argv` (without node and script) and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = ExitCode.ok;
  process.stdout.on('error', leaveWithReader);
  const program = makeProgram(async (command) => {
    exitCode = await command;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? ExitCode.ok : ExitCode.wrongUse;
  }
  return exitCode;
}

/** Nobody reads any more what this command prints, as behind `| head`: it is done. */
function leaveWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(ExitCode.ok);
  throw error;
}

function makeProgram(finish: (command: Promise<number>) => Promise<void>): Command {
  const program = new Command('usernet')
    .description('A whole network in user space: links, switches, routers, hosts, and the programs on them')
    .version(packageVersion())
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true });
  const json = ['--json', 'write JSON for programs'] as const;
  const control = [
    '--control <path>',
    'control socket of the network (default: the one that `usernet up` takes)',
  ] as const;

  program
    .command('up')
    .description('start a network and keep it in the foreground; without CONFIG a demo')
    .argument('[config]', 'YAML file')
    .option(...json)
    .action((config: string | undefined, options) => finish(up(config, options)));
  program
    .command('run')
    .description('run a program on a stack: of a network inside its own process (--config), or of the running one')
    .requiredOption('--stack <name>', 'the stack that the program is on')
    .option('--config <file>', 'YAML file of the network to make in the process of the program')
    .option(...control)
    .argument('<command...>', 'the program and its arguments, behind --')
    .passThroughOptions()
    .action((command: string[], options) => finish(run(command, options)));
  program
    .command('show')
    .description('show a part of the running network')
    .addHelpText('after', `\nTopics: ${SHOW_TOPICS.join(', ')}`)
    .argument('<topic>', SHOW_TOPICS.join(' | '))
    .option('--stack <name>', 'only of this stack')
    .option(...control)
    .option(...json)
    .action((topic: string, options) => finish(show(topic, options)));
  program
    .command('ping')
    .description('send ICMP echo requests from a stack of the running network')
    .argument('<host>', 'IPv4 address, or a name that the stack knows')
    .requiredOption('--from <stack>', 'the stack that sends')
    .option('-c, --count <n>', 'how many', '4')
    .option('-i, --interval <ms>', 'milliseconds between two', '1000')
    .option('-s, --size <bytes>', 'bytes of data', '56')
    .option(...control)
    .option(...json)
    .action((host: string, options) => finish(ping(host, options)));
  program
    .command('trace')
    .description('show the way of the next packets through the graph of the running network, node by node')
    .option('-n, --packets <n>', 'how many packets', '1')
    .option('--seconds <s>', 'how long to wait for them', '10')
    .option(...control)
    .option(...json)
    .action((options) => finish(trace(options)));
  program
    .command('doctor')
    .description('tell whether this machine and this Node have what usernet needs')
    .option(...json)
    .action((options) => finish(doctor(options)));
  return program;
}
