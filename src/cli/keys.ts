import { type Command, Option } from 'commander';
import type { Output } from './output.ts';

/** What can be written behind `portcullis keys …`; all texts, unread. */
export interface KeysOptions {
  readonly keys: string;
  readonly hashKey?: string;
  readonly id?: string;
  readonly scopes?: string;
  readonly roles?: string;
  readonly plan?: string;
  readonly expires?: string;
  readonly grace?: string;
  readonly json?: boolean;
}

const CREATE_HELP = `
The key is printed on standard output, once and alone: it is kept nowhere, FILE holds only a keyed hash of it.
The first \`create\` also writes FILE.key, the key of that hash (mode 0600). Both are needed to verify keys; keep them apart from others.

Examples:
  $ portcullis keys create --keys keys.yaml --id alice
  $ portcullis keys create --keys keys.yaml --id acme --scopes orders:read,orders:write --plan pro --expires 90d
  $ key=$(portcullis keys create --keys keys.yaml --id robot)

Keys match pcl_[0-9A-Za-z]{36}: give this to your secret scanner.`;

/** `portcullis keys`: issues API keys, lists, replaces and revokes them. */
export function addKeys(program: Command, output: Output, finish: (code: number) => void): void {
  const keys = program.command('keys').description('issue, list, replace and revoke API keys');
  const run = (name: 'create' | 'list' | 'rotate' | 'revoke') => async (options: KeysOptions) => {
    const { runKeys } = await import('./keys-run.ts');
    finish(await runKeys(name, options, output));
  };
  changing(keys.command('create').description('issue a key and print it once'))
    .option('--scopes <list>', 'what it may do, with commas between')
    .option('--roles <list>', 'roles of its holder, with commas between')
    .option('--plan <name>', 'which of the plans in `limits` counts for it')
    .option('--expires <when>', 'how long it lives (90d, 12h), or the day on which it ends (2027-01-31, 0:00 UTC)')
    .addHelpText('after', CREATE_HELP)
    .action(run('create'));
  keys
    .command('list')
    .description('show whose keys there are, never a key or its hash')
    .addOption(keysOption())
    .option('--json', 'print JSON')
    .action(run('list'));
  changing(keys.command('rotate').description('give an id a new key and print it once'))
    .option('--grace <time>', 'how long the old key still works, such as 1h; without it the old one stops at once')
    .option('--expires <when>', 'when the new key ends, as for create, or `never`; without it: when the old one would have')
    .action(run('rotate'));
  changing(keys.command('revoke').description('stop a key: running gateways refuse it within two seconds'), false).action(
    run('revoke'),
  );
}

function keysOption(): Option {
  return new Option('--keys <file>', 'the file of keys').makeOptionMandatory();
}

function changing(command: Command, hashes = true): Command {
  command.addOption(keysOption()).requiredOption('--id <name>', 'whose key: the subject that services and records see');
  return hashes ? command.option('--hash-key <file>', 'the key of the keyed hash (default: FILE.key)') : command;
}
