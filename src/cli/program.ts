import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { DEFAULT_METHODS } from '../route/methods.ts';
import { DEFAULT_FILE } from './init.ts';
import { addKeys } from './keys.ts';
import { EXIT, type Output, painter } from './output.ts';
import { addSecrets } from './secrets.ts';

const EXAMPLES = `
Examples:
  $ portcullis init                       write a commented portcullis.yaml that starts
  $ portcullis check                      say everything that is wrong with it
  $ portcullis routes --config api.yaml   show what is protected how
  $ portcullis audit --config api.yaml    hold it against the checklist
  $ portcullis start --config api.yaml    serve until SIGTERM
  $ portcullis import openapi api.yaml    write routes that enforce an OpenAPI document
  $ portcullis secrets set ADMIN_TOKEN    keep a value encrypted, for secret:ADMIN_TOKEN

Signals of start: SIGTERM and Ctrl-C drain and end (Ctrl-C again: at once), SIGHUP reloads, SIGUSR2 reopens the record.
Exit codes: 0 well, 1 problems, 2 wrong usage.`;

const AUDIT_HELP = `
Each check is met, open, accepted or not applicable, with the line of the file that decides it, what to change, and the item of
the OWASP API Security Top 10 (2023) that it answers. What is open on purpose is accepted in the file, with a reason:

  audit:
    accept:
      - { check: unauthenticated-reads, route: /health, reason: "The load balancer asks without a credential" }

Exit codes: 0 nothing is open, 1 something is, or the configuration does not load, 2 wrong usage.`;

/** Runs one command line (without the program's name) and gives the exit code. */
export async function run(
  argv: readonly string[],
  output: Output = { out: process.stdout, err: process.stderr },
): Promise<number> {
  let code: number = EXIT.ok;
  const program = build(output, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}

/** Commands load their own code when they run: `check` needs no server. */
function build(output: Output, finish: (code: number) => void): Command {
  const program = new Command('portcullis');
  program
    .description('An API security gateway: secure by default, one file, every decision explained.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(run it with --help to see what it takes)')
    .configureOutput({
      writeOut: (text) => void output.out.write(text),
      writeErr: (text) => void output.err.write(text),
      outputError: (text, write) => write(painter(output.err)('red', text.replace(/^error: /, 'portcullis: '))),
    })
    .addHelpText('after', EXAMPLES)
    .exitOverride();

  program
    .command('start')
    .description('serve what a configuration says')
    .addOption(configOption())
    .action(async (options: { config: string }) => {
      const { launch } = await import('../process/launch.ts');
      launch();
      const { start } = await import('./start.ts');
      finish(await start(options, output));
    });
  program
    .command('check')
    .description('check a configuration and say everything that is wrong with it')
    .addOption(configOption())
    .option('--strict', 'exit 1 on warnings too')
    .addHelpText(
      'after',
      `
Prints \`FILE: ok (…)\` and exits 0, or one \`FILE:LINE:COLUMN: problem\` for each problem and exits 1. Where a route asks less of its
callers than its OpenAPI document says, that is a warning.`,
    )
    .action(async (options: { config: string; strict?: boolean }) => {
      const { check } = await import('./check.ts');
      finish(await check(options, output));
    });
  program
    .command('init')
    .description('write a commented configuration that starts as it is')
    .argument('[file]', 'where to', DEFAULT_FILE)
    .option('-f, --force', 'replace an existing file')
    .action(async (file: string, options: { force?: boolean }) => {
      const { init } = await import('./init.ts');
      finish(await init(file, options, output));
    });
  program
    .command('routes')
    .description('show what is reachable and what protects it')
    .addOption(configOption())
    .option('--json', 'print JSON')
    .addHelpText('after', `\nMethods of a route that names none are shown as "standard": ${DEFAULT_METHODS.join(', ')}.`)
    .action(async (options: { config: string; json?: boolean }) => {
      const { routes } = await import('./routes.ts');
      finish(await routes(options, output));
    });
  program
    .command('audit')
    .description('hold a configuration against the checklist of API security')
    .addOption(configOption())
    .option('--json', 'print JSON, every finding in it')
    .option('--all', 'show every finding, not only the first few of each check')
    .addHelpText('after', AUDIT_HELP)
    .action(async (options: { config: string; json?: boolean; all?: boolean }) => {
      const { audit } = await import('./audit.ts');
      finish(await audit(options, output));
    });
  program
    .command('waf')
    .description('look into the rules of the firewall')
    .command('explain')
    .description('say how every pattern of these rules runs, and why its cost is bounded')
    .argument('<rules...>', 'rule files, in their order; `builtin` for the rules that come with the gateway')
    .option('--json', 'print JSON')
    .action(async (rules: string[], options: { json?: boolean }) => {
      const { explainRules } = await import('./waf.ts');
      finish(explainRules(rules, options, output));
    });
  program
    .command('import')
    .description('make a configuration of a description that is there')
    .command('openapi')
    .description('write a route for each path of an OpenAPI 3.0 or 3.1 document')
    .argument('<file>', 'the document, YAML or JSON')
    .option('-s, --service <name>', 'what the service is called', 'api')
    .option('-o, --out <file>', 'where to; without it: standard output')
    .option('-f, --force', 'replace an existing file')
    .addHelpText('after', '\nWhat it writes loads as it is; what only you can know is marked TODO.')
    .action(async (file: string, options: { service: string; out?: string; force?: boolean }) => {
      const { importOpenapi } = await import('./import-openapi.ts');
      finish(await importOpenapi(file, options, output));
    });
  addKeys(program, output, finish);
  addSecrets(program, output, finish);
  return program;
}

function configOption(): Option {
  return new Option('-c, --config <file>', 'the configuration').default(DEFAULT_FILE);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
