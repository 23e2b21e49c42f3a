import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { type GatewayName, type Protocol, type Work, WORKS } from './args.ts';
import {
  CRS,
  FIREWALL_WORKS,
  findUnblocked,
  missingForNginx,
  missingForPortcullis,
  NGINX_MODULE,
  type Rules,
  unicodeMap,
  wafSection,
} from './firewall.ts';
import { findUnrefused } from './guarded.ts';
import { hasCommand, run } from './process.ts';

const HERE = import.meta.dirname;

/** What all contestants of a run share. */
export interface Ground {
  readonly dir: string;
  readonly servicePort: number;
  readonly certificate: string;
  readonly key: string;
  readonly nodeOptions: string;
}

export interface Contestant {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  readonly works: readonly Work[];
  /** At most that many connections; absent where it takes as many as all. */
  readonly connections?: number;
  /** What it prints when it serves; absent where it says nothing. */
  readonly readyLine?: string;
  /** Why it cannot take part here; undefined when it can. */
  missing(): Promise<string | undefined>;
  /** Where it listens, and the command that starts it. */
  prepare(
    protocol: Protocol,
    work: Work,
  ): Promise<{ port: number; command: string[]; env?: Record<string, string>; cwd?: string }>;
  /** What it lets through although the work says that it must not; absent where nothing is checked. */
  findUnrefused?(work: Work, port: number): Promise<string | undefined>;
  /** Bytes of records written since the last call; absent where nothing is recorded. */
  takeRecordLines?(): number;
}

/** The contestant of that name. */
export function contestant(name: GatewayName, ground: Ground): Contestant {
  if (name === 'nginx') return packaged(ground, 'nginx', 'nginx.conf', (file) => ['nginx', '-g', 'daemon off;', '-c', file]);
  if (name === 'haproxy') return packaged(ground, 'haproxy', 'haproxy.cfg', (file) => ['haproxy', '-db', '-f', file]);
  if (name === 'nginx-waf') return nginxWaf(ground);
  if (name === 'fastify') return fastify(ground);
  if (name === 'undici') return undici(ground);
  if (name === 'portcullis-waf') return portcullis(ground, 1, 'crs');
  if (name === 'portcullis-builtin') return portcullis(ground, 1, 'builtin');
  return portcullis(ground, 1);
}

/** Those that are there for comparison, without a firewall's. */
const PLAIN_WORKS: readonly Work[] = ['small', 'get', 'post', 'guarded'];

/** A gateway from the system's packages. */
function packaged(ground: Ground, name: string, template: string, command: (file: string) => string[]): Contestant {
  return {
    name,
    protocols: ['http', 'https', 'h2'],
    works: name === 'nginx' ? WORKS : PLAIN_WORKS,
    missing: async () => (hasCommand(name) ? undefined : `${name} is not installed: apt-get install ${name}`),
    prepare: async (protocol) => {
      const ports = { HTTP: await freePort(), HTTPS: await freePort() };
      const file = writeTemplate(ground, template, ports);
      return { port: protocol === 'http' ? ports.HTTP : ports.HTTPS, command: command(file) };
    },
  };
}

/** nginx with libmodsecurity: what a firewall costs elsewhere. */
function nginxWaf(ground: Ground): Contestant {
  return {
    name: 'nginx-waf',
    protocols: ['http'],
    works: FIREWALL_WORKS,
    // Requests that still run when the load ends have cost and are not counted: with 64 of them that would be a tenth of all.
    connections: 4,
    missing: async () => missingForNginx(),
    findUnrefused: findUnblocked,
    prepare: async () => {
      const port = await freePort();
      const rules = writeTemplate(ground, 'modsec.conf', { CRS, UNICODE: unicodeMap() ?? '' });
      const file = writeTemplate(ground, 'nginx-waf.conf', { HTTP: port, MODULE: NGINX_MODULE, RULES: rules });
      return { port, command: ['nginx', '-g', 'daemon off;', '-c', file] };
    },
  };
}

/** The bare proxy on Node's own server and undici. */
function undici(ground: Ground): Contestant {
  return {
    name: 'undici',
    protocols: ['http', 'https', 'h2'],
    works: PLAIN_WORKS,
    missing: async () => undefined,
    prepare: async (protocol) => {
      const port = await freePort();
      const file = path.join(HERE, 'proxies', protocol === 'h2' ? 'undici-http2.ts' : 'undici.ts');
      const tls = protocol === 'http' ? [] : [ground.certificate, ground.key];
      return { port, command: [process.execPath, file, String(port), String(ground.servicePort), ...tls] };
    },
  };
}

function fastify(ground: Ground): Contestant {
  const folder = path.join(HERE, 'peers');
  return {
    name: 'fastify',
    protocols: ['http'],
    works: PLAIN_WORKS,
    missing: async () => {
      if (existsSync(path.join(folder, 'node_modules/fastify'))) return undefined;
      try {
        await run(['npm', 'ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], 120_000);
        return undefined;
      } catch (error) {
        return `its packages could not be installed: ${String(error).slice(0, 200)}`;
      }
    },
    prepare: async () => {
      const port = await freePort();
      return { port, command: [process.execPath, path.join(folder, 'fastify.js'), String(port), String(ground.servicePort)] };
    },
  };
}

/** This repository's gateway, the access record on; all checks off but the firewall by these rules, and in the work `guarded`. */
export function portcullis(ground: Ground, workers: number, rules: Rules = 'none'): Contestant {
  const main = path.join(HERE, '../src/main.ts');
  const access = path.join(ground.dir, 'access.jsonl');
  return {
    name: `portcullis${SUFFIXES[rules]}${workers === 1 ? '' : ` ×${workers}`}`,
    protocols: rules === 'none' ? ['http', 'https', 'h2'] : ['http'],
    works: rules === 'none' ? WORKS : FIREWALL_WORKS,
    readyLine: 'portcullis ready',
    missing: async () => (rules === 'none' ? undefined : missingForPortcullis(rules)),
    findUnrefused: async (work, port) => {
      if (rules !== 'none') return await findUnblocked(work, port);
      return work === 'guarded' ? await findUnrefused(port) : undefined;
    },
    prepare: async (protocol, work) => {
      const ports = { HTTP: await freePort(), HTTPS: await freePort(), WORKERS: workers, WAF: wafSection(rules) };
      const file = writeTemplate(ground, work === 'guarded' ? 'guarded.yaml' : 'portcullis.yaml', ports);
      const command = [process.execPath, main, 'start', '--config', file];
      const env = { NODE_OPTIONS: ground.nodeOptions };
      return { port: protocol === 'http' ? ports.HTTP : ports.HTTPS, command, env, cwd: ground.dir };
    },
    takeRecordLines: () => {
      if (!existsSync(access) || statSync(access).size === 0) return 0;
      const bytes = readFileSync(access);
      truncateSync(access);
      let lines = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
      return lines;
    },
  };
}

const SUFFIXES: Record<Rules, string> = { none: '', crs: '-waf', builtin: '-builtin' };

/** Fills in a file of `config/`; gives back the path of the result. */
export function writeTemplate(
  ground: Pick<Ground, 'dir' | 'servicePort'>,
  name: string,
  values: Record<string, string | number>,
): string {
  const all: Record<string, string | number> = {
    ...values,
    DIR: ground.dir,
    SERVICE: ground.servicePort,
    // Workers of nginx give up root; then they could not read what this process wrote.
    USER: process.getuid?.() === 0 ? 'user root;' : '',
  };
  const text = readFileSync(path.join(HERE, 'config', name), 'utf8').replace(/@([A-Z]+)@/g, (_, key: string) => String(all[key]));
  const file = path.join(ground.dir, name);
  writeFileSync(file, text);
  return file;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}
