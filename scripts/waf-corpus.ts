import { corpus, type CorpusCase } from '../test/cases/waf/corpus.ts';
import { judge, wafRoom } from '../test/cases/waf/judge.ts';
import type { Folder } from '../test/cases/waf/read-cases.ts';

/**
 * `npm run waf:corpus [-- OPTION…]`: attacks and harmless requests of `test/cases/waf` through the room `waf` with the built-in rules.
 * A table by class and both halves; each miss and each false alarm is named. Texts in `doubtful` count for neither. `seen`, `held`: that half only. `paranoia=N`.
 * `rules=FILE,FILE`: other rules. `quiet`: no names.
 */
const args = process.argv.slice(2);
const option = (name: string) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
const halves = (['seen', 'held'] as const).filter(
  (half) => args.includes(half) || !(args.includes('seen') || args.includes('held')),
);
const quiet = args.includes('quiet');
const rules = option('rules')?.split(',') ?? ['builtin'];
const room = await wafRoom({ rules, paranoia: Number(option('paranoia') ?? 1) });

interface Count {
  seen: [stopped: number, all: number];
  held: [stopped: number, all: number];
}

const shown = (text: string) => JSON.stringify(text.length > 150 ? `${text.slice(0, 150)}…` : text);

function tell(kind: string, { sample, place }: CorpusCase, ids: readonly number[]): void {
  const { file, line, text, half } = sample;
  console.log(`${kind} [${half}] ${file}:${line} in ${place}${ids.length > 0 ? ` by ${ids.join(',')}` : ''}: ${shown(text)}`);
}

function table(folder: Folder): void {
  const counts = new Map<string, Count>();
  const total: Count = { seen: [0, 0], held: [0, 0] };
  let byReader = 0;
  for (const one of corpus(folder)) {
    const { half, class: name } = one.sample;
    if (!halves.includes(half)) continue;
    const count = counts.get(name) ?? { seen: [0, 0], held: [0, 0] };
    counts.set(name, count);
    const { stoppedBy, rules: ids } = judge(room, one.sent);
    for (const each of [count, total]) {
      each[half][1]++;
      if (stoppedBy !== undefined) each[half][0]++;
    }
    if (stoppedBy === 'reader') byReader++;
    if (quiet) continue;
    if (folder === 'attacks' && stoppedBy === undefined) tell('missed', one, ids);
    if (folder === 'benign' && stoppedBy !== undefined) tell('false alarm', one, ids);
  }
  console.log(`\n| ${folder} | ${halves.join(' | ')} |\n|---|${halves.map(() => '---:|').join('')}`);
  for (const [name, count] of [...counts, ['all', total] as const]) {
    console.log(`| ${name} | ${halves.map((half) => share(count[half])).join(' | ')} |`);
  }
  console.log(`of them stopped by the reader of heads: ${byReader}\n`);
}

const share = ([stopped, all]: readonly [number, number]) =>
  all === 0 ? '' : `${stopped} of ${all} (${((100 * stopped) / all).toFixed(2)} %)`;

table('attacks');
table('benign');
table('doubtful');
