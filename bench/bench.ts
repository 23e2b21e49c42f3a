import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { tlsFiles } from '../test/support/tls.ts';
import { startCheckService } from './answers.ts';
import { HELP, type Options, readOptions, type Work } from './args.ts';
import { type Contestant, contestant, freePort, type Ground, portcullis, writeTemplate } from './contestants.ts';
import { firewallCosts, formatCosts, judgeFirewall } from './firewall-report.ts';
import { writeGuarded } from './guarded.ts';
import { type Measurement, measure } from './measure.ts';
import { hasCommand, LOAD_CORE, pinned, pinning, start, type Started } from './process.ts';
import { formatTable, judgeTargets, judgeWorkers, type Row, summarize } from './report.ts';
import { ANSWER, writeWorkload } from './workload.ts';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  const missing = ['wrk', 'nginx', 'openssl', ...(options.protocols.includes('h2') ? ['h2load'] : [])].filter(
    (name) => !hasCommand(name),
  );
  if (missing.length > 0) {
    say(`The bench needs ${missing.join(', ')}. On Debian: apt-get install wrk nginx nghttp2-client openssl`);
    return 2;
  }
  const dir = mkdtempSync(path.join(tmpdir(), 'portcullis-bench-'));
  const certificates = await tlsFiles(['api.example.com,localhost,127.0.0.1']);
  const check = await startCheckService();
  let service: Started | undefined;
  try {
    const ground = prepareGround(dir, certificates.of('api.example.com,localhost,127.0.0.1'), await freePort(), options);
    service = startService(ground, check.port);
    await wait(300);
    return await runAll(options, ground);
  } finally {
    await service?.stop();
    check.close();
    await certificates.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

function prepareGround(dir: string, files: { certificate: string; key: string }, servicePort: number, options: Options): Ground {
  const certificate = path.join(dir, 'certificate.pem');
  const key = path.join(dir, 'certificate.key');
  const pem = readFileSync(files.certificate, 'utf8');
  const pemKey = readFileSync(files.key, 'utf8');
  writeFileSync(certificate, pem);
  writeFileSync(key, pemKey, { mode: 0o600 });
  writeFileSync(path.join(dir, 'haproxy.pem'), pem + pemKey, { mode: 0o600 });
  return { dir, servicePort, certificate, key, nodeOptions: options.nodeOptions };
}

function startService(ground: Ground, checkPort: number): Started {
  const file = writeTemplate(ground, 'service.conf', { ANSWER, CHECK: checkPort });
  return start(pinned(LOAD_CORE, ['nginx', '-g', 'daemon off;', '-c', file]));
}

/** Works that the load generator for HTTP/2 does not know, or whose figures say nothing new there. */
const HTTP_ONLY: readonly Work[] = ['prose', 'guarded'];

async function runAll(options: Options, ground: Ground): Promise<number> {
  const files = { dir: ground.dir, ...writeWorkload(ground.dir), ...writeGuarded(ground.dir) };
  const contestants = await assemble(options, ground);
  const load = loadavg()[0];
  say(
    `${options.connections} connections, ${options.seconds} s each, ${options.rounds} rounds; ${pinning}; Node ${process.version}`,
  );
  if (load > 0.5) say(`The machine is not idle (load ${load.toFixed(2)}): ratios may be off.`);
  const all: Measurement[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const protocol of options.protocols) {
      for (const work of options.works.filter((one) => !HTTP_ONLY.includes(one) || protocol === 'http')) {
        for (const one of contestants.filter(({ protocols, works }) => protocols.includes(protocol) && works.includes(work))) {
          const measurement = await measure(one, protocol, work, round, options, files);
          all.push(measurement);
          say(progress(measurement));
        }
      }
    }
  }
  return report(options, all);
}

/** Who takes part: whoever is missing is named, never left out in silence. */
async function assemble(options: Options, ground: Ground): Promise<Contestant[]> {
  if (options.workers !== undefined) return [portcullis(ground, 1), portcullis(ground, options.workers)];
  const present: Contestant[] = [];
  for (const one of options.gateways.map((name) => contestant(name, ground))) {
    const reason = await one.missing();
    if (reason === undefined) present.push(one);
    else say(`SKIPPED ${one.name}: ${reason}`);
  }
  return present;
}

/** More than this of the gateway's core used by others, and the row had better be measured again. */
const DISTURBED = 0.1;

function progress({ round, protocol, work, gateway, rps, cpu, wrong, disturbed }: Measurement): string {
  const figures = `  round ${round}  ${protocol} ${work} ${gateway}: ${rps.toFixed(0)} req/s, ${cpu.toFixed(1)} µs`;
  const noise = disturbed > DISTURBED ? `  (others used ${(disturbed * 100).toFixed(0)} % of its core)` : '';
  return `${figures}${noise}${wrong === undefined ? '' : `  WRONG: ${wrong}`}`;
}

function report(options: Options, all: readonly Measurement[]): number {
  const rows: Row[] = summarize(all);
  say(`\n${formatTable(rows)}`);
  const disturbed = all.filter((one) => one.disturbed > DISTURBED).length;
  if (disturbed > 0)
    say(`\n${disturbed} of ${all.length} measurements shared their core with other programs: take their figures as too high.`);
  const costs = firewallCosts(all);
  if (costs.length > 0) say(`\nWhat the firewall adds (on minus off)\n${formatCosts(costs)}`);
  const targets = options.workers === undefined ? [...judgeTargets(rows), ...judgeFirewall(costs)] : judgeWorkers(rows);
  if (targets.length > 0) say('\nTargets');
  for (const { text, isMet } of targets) say(`  ${isMet ? 'met   ' : 'MISSED'}  ${text}`);
  if (options.json !== undefined) {
    const machine = { node: process.version, pinning, load: loadavg(), date: new Date().toISOString() };
    writeFileSync(options.json, `${JSON.stringify({ machine, options, rows, costs, targets, measurements: all }, null, 1)}\n`);
  }
  const isWrong = rows.some((row) => row.wrong !== undefined);
  return isWrong || (options.strict && targets.some(({ isMet }) => !isMet)) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
