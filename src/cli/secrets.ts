import type { Command } from 'commander';
import type { Output } from './output.ts';

/** What can be written behind `portcullis secrets …`; all texts, unread. */
export interface SecretsOptions {
  readonly store: string;
  readonly key?: string;
  readonly json?: boolean;
}

export type SecretsCommand = 'set' | 'list' | 'remove' | 'rotate';

const SET_HELP = `
The value is read from standard input, or asked for without an echo; it can be given in no other way, because arguments are seen by every
program of the machine. One line end behind it is taken away.

The first \`set\` makes the store, and a key for it (mode 0600) unless PORTCULLIS_SECRETS_KEY holds one. Keep the two apart.

Examples:
  $ portcullis secrets set REDIS_PASSWORD
  $ openssl rand -base64 32 | portcullis secrets set ADMIN_TOKEN --store secrets.yaml
In the configuration:
  secrets: { store: secrets.yaml }
  admin: { address: 127.0.0.1:9443, token: secret:ADMIN_TOKEN }`;

const ROTATE_HELP = `
With a key file, a new key is made; the old one stays in the file until all values are encrypted anew. With PORTCULLIS_SECRETS_KEY, put the new
key before the old one, with a blank between, run this, and take the old one away.`;

/** `portcullis secrets`: keeps the encrypted store of values that the configuration takes in by `secret:NAME`. */
export function addSecrets(program: Command, output: Output, finish: (code: number) => void): void {
  const secrets = program.command('secrets').description('keep secrets encrypted, for `secret:NAME` in the configuration');
  const run = (command: SecretsCommand, name: string, options: SecretsOptions) =>
    import('./secrets-run.ts').then(async ({ runSecrets }) => finish(await runSecrets(command, name, options, output)));
  placed(secrets.command('set').description('write a secret, new or changed'))
    .argument('<name>', 'its name')
    .addHelpText('after', SET_HELP)
    .action((name: string, options: SecretsOptions) => run('set', name, options));
  placed(secrets.command('list').description('show the names, never a value'))
    .option('--json', 'print JSON')
    .action((options: SecretsOptions) => run('list', '', options));
  placed(secrets.command('remove').description('take a secret out'))
    .argument('<name>', 'its name')
    .action((name: string, options: SecretsOptions) => run('remove', name, options));
  placed(secrets.command('rotate').description('encrypt all secrets with a new key'))
    .addHelpText('after', ROTATE_HELP)
    .action((options: SecretsOptions) => run('rotate', '', options));
}

function placed(command: Command): Command {
  return command
    .option('--store <file>', 'the encrypted store', 'secrets.yaml')
    .option('--key <file>', 'the file with its key (default: PORTCULLIS_SECRETS_KEY, otherwise the store with .key at the end)');
}
